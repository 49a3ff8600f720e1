"""The dynamics of operations: exact events, no time step; knows arrays, no names, no policy.

Invariants (checked against the tests' slow twin): free slots are never negative; all events of an
instant are handled before a cluster starts anything: ends by task number, then of every model by
its number steps of drift, checks, periods and new data, then requests from outside, then reviews.

    request -> (an agent accepts) -> launched -> tasks without parents are ready -> queued at their
    cluster -> started: read, execute, write -> ended: effect, gate, children -> deployed

`p` is Plan, `x` a row of State. A function that returns GROW left everything so that it can be
called again once there is more room.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from panda_gym.jit.counter_rng import bits
from panda_gym.jit.heap import pop, push
from panda_gym.pipelines.compiled import entry, inner
from panda_gym.pipelines.models import (
    crossing,
    fresh,
    observe,
    performance,
    potential,
    settle,
    stirred,
    turn,
    until_turn,
)
from panda_gym.pipelines.state import state_row
from panda_gym.pipelines.triggers import AGENT, MANUAL, NEW_DATA, PERIOD

END, TURN, CHECK, PERIODIC, DATA = range(5)
"""Kinds of events, in their order at one instant."""
KINDS: Final = 4_294_967_296
"""Codes of a kind of event."""
FIFO, SHORTEST, DEADLINE, FAIR, GAIN = range(5)
"""Disciplines, as operations.DISCIPLINES."""

DONE, GROW, ASK, AGAIN = range(4)
"""What `proceed` answers; AGAIN: there was no room to act, which is to be done again."""
BEGIN, GO_ON, ACT, SKIP = range(4)
"""What `proceed` does with a simulation."""


@inner
def schedule(x: Any, time: float, kind: int, number: int) -> None:
    """Add an event, unless it never comes."""
    if time < np.inf:
        push(x.events, 0, x.run[0].events, time, kind * KINDS + number)
        x.run[0].events += 1


@inner
def begin(p: Any, x: Any) -> None:
    """Start at time 0; x.arrivals and x.run.seed are set by the caller."""
    run = x.run[0]
    run.clock, run.cost, run.read, run.written = 0.0, 0.0, 0.0, 0.0
    run.events, run.pipes, run.tasks, run.arrived, run.requests = 0, 0, 0, 0, 0
    run.merged, run.ended, run.dirty, run.awake = 0, 0, 0, 0
    run.due = np.inf
    if p.general[0].review > 0.0:
        run.due = 0.0
    for c in range(len(p.clusters)):
        x.clusters[c].free, x.clusters[c].queued = p.clusters[c].slots, 0
    for g in range(len(p.shares)):
        x.used[g] = 0.0
    for m in range(len(p.models)):
        o, s = p.models[m], x.models[m]
        s.settled, s.quality, s.stale, s.data_at, s.version = 0.0, 0.0, 0.0, 0.0, 0
        s.underway, s.begun, s.runs, s.turns, s.looks, s.pending, s.asked = 0, 0, 0, 0, 0, -1, 0.0
        s.deployed, s.performance, s.level = -o.age, o.hoped, 0.0
        s.period = np.inf
        for k in range(p.base.shape[1]):
            x.metrics[m, k] = p.base[m, k]
        x.metrics[m, 0] = o.hoped
        if o.period > 0.0:
            s.period = o.period
            schedule(x, s.period, PERIODIC, m)
        arm(p, x, m)


@inner
def arm(p: Any, x: Any, m: int) -> None:
    """A model has just gone into service: its detector is new, and its events are set."""
    o, s, now = p.models[m], x.models[m], x.run[0].clock
    s.count, s.mean, s.total, s.least = 0.0, 0.0, 0.0, 0.0
    s.check, s.data = np.inf, np.inf
    s.turn = now + until_turn(o, s, x.run[0].seed, len(p.models) + m)
    if o.monitor > 0.0:
        s.check = now + o.monitor
    else:
        s.check = max(now, crossing(o, s))
    if o.new_data > 0.0:
        s.data = max(now, s.data_at + o.new_data / o.data_rate)
    schedule(x, s.turn, TURN, m)
    schedule(x, s.check, CHECK, m)
    schedule(x, s.data, DATA, m)


@inner
def crowded(p: Any, x: Any) -> bool:
    """Whether the next event might need more room than there is."""
    run, longest = x.run[0], p.seconds.shape[1]
    slots = 0
    for c in range(len(p.clusters)):
        slots += x.clusters[c].free
        if x.clusters[c].queued + longest > x.queues.shape[1]:
            return True
    return (
        run.pipes + 1 > len(x.pipes)
        or run.tasks + longest > len(x.tasks)
        or run.events + slots + 8 > len(x.events)
    )


@inner
def advance(p: Any, x: Any) -> int:
    """Run to the horizon (DONE), to the next decision (ASK), or until there is no room (GROW)."""
    run, general = x.run[0], p.general[0]
    while True:
        if crowded(p, x):
            return GROW
        time = min(x.arrivals[run.arrived].time, run.due)
        if run.events > 0:
            time = min(time, x.events[0].time)
        if run.dirty and time > run.clock:
            run.dirty = 0
            for c in range(len(p.clusters)):
                dispatch(p, x, c)
            continue
        if run.awake and time > run.clock:
            if general.asks and anyone(p, x):
                return ASK
            run.awake = 0
        if time > general.horizon:
            run.clock = general.horizon
            for m in range(len(p.models)):
                settle(p.models[m], x.models[m], general.horizon)
            return DONE
        run.clock, run.dirty = time, 1
        if run.events > 0 and x.events[0].time == time:
            code = pop(x.events, 0, run.events)
            run.events -= 1
            happen(p, x, code // KINDS, code % KINDS)
        elif x.arrivals[run.arrived].time == time:
            a = run.arrived
            run.arrived += 1
            request(p, x, x.arrivals[a].model, MANUAL, x.arrivals[a].row)
        else:
            run.due += general.review
            run.awake = 1


@inner
def anyone(p: Any, x: Any) -> bool:
    """Whether a run of any model could be launched."""
    count = 0
    for m in range(len(p.models)):
        count += x.models[m].underway == 0
    return count > 0


@inner
def happen(p: Any, x: Any, kind: int, number: int) -> None:
    """Handle an event, unless what it was about has changed since."""
    run = x.run[0]
    now = run.clock
    if kind == END:
        end(p, x, number)
        return
    o, s = p.models[number], x.models[number]
    reason = -1
    if kind == TURN and s.turn == now:
        turn(o, s, run.seed, len(p.models) + number, now)
        s.turn = now + until_turn(o, s, run.seed, len(p.models) + number)
        schedule(x, s.turn, TURN, number)
        if o.monitor <= 0.0:
            reason = stirred(o, s, performance(o, s, now), now)
    elif kind == CHECK and s.check == now:
        seen = observe(o, s, run.seed, 2 * len(p.models) + number, now)
        reason = stirred(o, s, seen, now)
        s.check = np.inf
        if o.monitor > 0.0:
            s.check = now + o.monitor
            schedule(x, s.check, CHECK, number)
    elif kind == PERIODIC and s.period == now:
        reason = PERIOD
        s.period = now + o.period
        schedule(x, s.period, PERIODIC, number)
    elif kind == DATA and s.data == now:
        reason = NEW_DATA
        s.data = np.inf
    if reason >= 0 and s.underway == 0 and s.pending < 0:
        request(p, x, number, reason, -1)


@inner
def request(p: Any, x: Any, m: int, reason: int, row: int) -> None:
    """A run of a model is asked for: launched at once, or left to the agent."""
    run, s = x.run[0], x.models[m]
    run.requests += 1
    if p.general[0].asks == 0:
        launch(p, x, m, reason, row, run.clock, -1)
        return
    run.awake = 1
    if s.pending >= 0:
        run.merged += 1
        return
    s.pending, s.asked, s.row = reason, run.clock, row


@inner
def launch(p: Any, x: Any, m: int, reason: int, row: int, since: float, site: int) -> None:
    """Begin a run of a model: its tasks without parents are ready."""
    run, o, s = x.run[0], p.models[m], x.models[m]
    if row < 0:
        drawn = bits(run.seed, m, s.runs) % np.uint64(p.general[0].pool)
        row = p.general[0].first_pool + o.type * p.general[0].pool + np.int64(drawn)
    pipe, first = run.pipes, run.tasks
    first_plan = p.types[o.type].first_task
    count = p.types[o.type + 1].first_task - first_plan
    record = x.pipes[pipe]
    record.requested, record.launched, record.ended = since, run.clock, np.nan
    record.first_task, record.model, record.row, record.site = first, m, row, site
    record.reason, record.failed, record.deployed, record.open = reason, 0, 0, 0
    record.begun = 0
    for k in range(p.base.shape[1]):
        record.metrics[k] = x.metrics[m, k]
    run.pipes += 1
    run.tasks += count
    run.dirty = 1
    s.runs += 1
    s.underway += 1
    for i in range(count):
        task = x.tasks[first + i]
        task.ready, task.start, task.end = np.nan, np.nan, np.nan
        task.pipe, task.pending, task.cluster = pipe, p.tasks[first_plan + i].parents, -1
    for i in range(count):
        if p.tasks[first_plan + i].parents == 0:
            ready(p, x, pipe, i)


@inner
def ready(p: Any, x: Any, pipe: int, i: int) -> None:
    """Task i of a run waits for nothing but a slot."""
    run, record = x.run[0], x.pipes[pipe]
    o = p.models[record.model]
    plan, task = p.tasks[p.types[o.type].first_task + i], record.first_task + i
    c = plan.cluster
    if plan.movable and record.site >= 0:
        c = record.site
    record.open += 1
    x.tasks[task].ready, x.tasks[task].cluster = run.clock, c
    queue, size = x.queues[c], x.clusters[c].queued
    x.clusters[c].queued += 1
    kind, key = p.general[0].discipline, run.clock
    if kind == SHORTEST:
        key = occupied_s(p, c, plan, plan.expected_s, p.asset[record.row])
    elif kind == DEADLINE:
        key = record.requested + o.deadline
    if kind >= FAIR:
        queue[size].time, queue[size].job = key, task
    else:
        push(queue, 0, size, key, task)


@inner
def occupied_s(p: Any, c: int, plan: Any, seconds: float, asset: float) -> float:
    """How long a task holds a slot of a cluster: read, execute, write; s."""
    place = p.clusters[c]
    moved = 0.0
    if plan.read > 0.0:
        moved += place.latency + plan.read * asset / place.read
    if plan.write > 0.0:
        moved += place.latency + plan.write * asset / place.write
    return seconds / place.speed + moved


@inner
def dispatch(p: Any, x: Any, c: int) -> None:
    """Start queued tasks while there are free slots."""
    there, queue = x.clusters[c], x.queues[c]
    while there.free > 0 and there.queued > 0:
        if p.general[0].discipline < FAIR:
            task = pop(queue, 0, there.queued)
        else:
            chosen = foremost(p, x, c)
            task = queue[chosen].job
            queue[chosen].time = queue[there.queued - 1].time
            queue[chosen].job = queue[there.queued - 1].job
        there.queued -= 1
        start(p, x, c, task)


@inner
def foremost(p: Any, x: Any, c: int) -> int:
    """Place in the queue of the task of the least score now; ties to the first task.

    By improvement, a run gains nothing while another one of its model has begun to train: that
    one will have brought the gain before it.
    """
    best, least, chosen = np.inf, -1, 0
    for i in range(x.clusters[c].queued):
        task = x.queues[c][i].job
        record = x.pipes[x.tasks[task].pipe]
        m = record.model
        o = p.models[m]
        if p.general[0].discipline == FAIR:
            score = x.used[o.owner] / p.shares[o.owner]
        else:
            gain = o.weight * potential(o, x.models[m], x.run[0].clock)
            if x.models[m].begun > record.begun:
                gain = 0.0
            score = -gain / p.types[o.type].train_s
        if least < 0 or score < best or (score == best and task < least):
            best, least, chosen = score, task, i
    return chosen


@inner
def start(p: Any, x: Any, c: int, task: int) -> None:
    """A task takes a slot, reads, executes and writes."""
    run, record = x.run[0], x.pipes[x.tasks[task].pipe]
    o = p.models[record.model]
    i = task - record.first_task
    plan, asset = p.tasks[p.types[o.type].first_task + i], p.asset[record.row]
    held = occupied_s(p, c, plan, p.seconds[record.row, i], asset)
    x.clusters[c].free -= 1
    x.tasks[task].start = run.clock
    if plan.trains and record.begun == 0:
        record.begun = 1
        x.models[record.model].begun += 1
    run.read += plan.read * asset
    run.written += plan.write * asset
    run.cost += held * p.clusters[c].cost
    x.used[o.owner] += held
    schedule(x, run.clock + held, END, task)


@inner
def end(p: Any, x: Any, task: int) -> None:
    """A task gives its slot back and has its effect; what waited for it may be ready."""
    run, entry = x.run[0], x.tasks[task]
    pipe = entry.pipe
    record = x.pipes[pipe]
    o = p.models[record.model]
    first = p.types[o.type].first_task
    j = first + task - record.first_task
    entry.end = run.clock
    x.clusters[entry.cluster].free += 1
    record.open -= 1
    effect(p, x, record, j)
    if p.tasks[j].gates and record.metrics[0] < o.gate:
        record.failed = 1
    if record.failed == 0:
        for k in range(p.tasks[j].first_child, p.tasks[j + 1].first_child):
            i = p.child[k]
            x.tasks[record.first_task + i].pending -= 1
            if x.tasks[record.first_task + i].pending == 0:
                ready(p, x, pipe, i)
    if record.open == 0:
        conclude(p, x, record)


@inner
def effect(p: Any, x: Any, record: Any, j: int) -> None:
    """What a task does to the metrics of the model in the making."""
    m = record.model
    o, s = p.models[m], x.models[m]
    if p.tasks[j].trains:
        for k in range(1, p.base.shape[1]):
            record.metrics[k] = p.base[m, k]
        # The data are those of the launch: what came later is not learned.
        now = performance(o, s, x.run[0].clock)
        goal = o.base + o.spread * p.luck[record.row]
        record.metrics[0] = now + fresh(o, s, record.launched) * (goal - now)
    for k in range(p.base.shape[1]):
        value = p.factor[j, k] * record.metrics[k] + p.shift[j, k]
        record.metrics[k] = min(1.0, max(0.0, value)) if k < 3 else max(0.0, value)


@inner
def conclude(p: Any, x: Any, record: Any) -> None:
    """A run has ended: its model goes into service, or the old one stays and may ask again."""
    run, m = x.run[0], record.model
    now, o, s = run.clock, p.models[m], x.models[m]
    record.ended = now
    run.ended += 1
    s.underway -= 1
    s.begun -= record.begun
    if s.pending >= 0:
        run.awake = 1
    if record.failed == 0 and p.types[o.type].deploys and record.metrics[0] > 0.0:
        record.deployed = 1
        settle(o, s, now)
        s.version += 1
        s.deployed, s.performance, s.level = now, record.metrics[0], 0.0
        s.data_at = max(s.data_at, record.launched)
        for k in range(p.base.shape[1]):
            x.metrics[m, k] = record.metrics[k]
        arm(p, x, m)
        return
    if o.monitor <= 0.0 and (o.staleness > 0.0 or o.improvement > 0.0):
        s.check = now + o.retry
        schedule(x, s.check, CHECK, m)
    if o.new_data > 0.0:
        s.data = now + o.retry
        schedule(x, s.data, DATA, m)


@inner
def act(p: Any, x: Any, action: int) -> int:
    """Take a decision: run model action // sites at its site, or hold; 1 if it was illegal."""
    run, sites = x.run[0], p.general[0].places
    if action < 0 or action >= len(p.models) * sites:
        run.awake = 0
        return 1 if action != len(p.models) * sites else 0
    m, site = action // sites, action % sites
    s = x.models[m]
    if s.underway > 0:
        run.awake = 0
        return 1
    if s.pending >= 0:
        reason, since, row = s.pending, s.asked, s.row
        s.pending = -1
    else:
        reason, since, row = AGENT, run.clock, -1
        run.requests += 1
    launch(p, x, m, reason, row, since, site)
    return 0


@entry
def proceed(plan: Any, state: Any, todo: Any, actions: Any, answers: Any, illegal: Any) -> None:
    """Begin, go on, or act and go on, in every simulation of a batch.

    Shape: todo int8[E], actions int64[E]; answers int8[E] and illegal int8[E] are written. One
    that answers GROW is called again with GO_ON once there is more room.
    """
    for e in range(len(todo)):
        if todo[e] == SKIP:
            continue
        x = state_row(state, e)
        if todo[e] == BEGIN:
            begin(plan, x)
            illegal[e] = 0
        elif todo[e] == ACT:
            if crowded(plan, x):
                answers[e] = AGAIN
                continue
            illegal[e] = act(plan, x, actions[e])
        answers[e] = advance(plan, x)


@entry
def measure(plan: Any, state: Any, out: Any) -> None:
    """Of every model now: performance, loss, potential improvement, and the integrals to now.

    Shape: out float64[E, M, 5]; integrals of performance and loss in s.
    """
    for e in range(len(state.run)):
        now = state.run[e].clock
        for m in range(len(plan.models)):
            o, s = plan.models[m], state.models[e, m]
            settle(o, s, now)
            out[e, m, 0] = performance(o, s, now)
            out[e, m, 1] = 1.0 - out[e, m, 0] / s.performance
            out[e, m, 2] = potential(o, s, now)
            out[e, m, 3] = s.quality
            out[e, m, 4] = s.stale
