"""Discrete-event simulation of AI operations, exact to the event.

Invariants, checked against the tests' slow twin: free slots are never negative. All events of an
instant are handled before a cluster starts a task: ends by task number, then by model number drift
steps, checks, periods and new data, then requests from outside, then reviews.

    request -> (an agent accepts) -> launched -> tasks without parents are ready -> queued at their
    cluster -> started: read, execute, write -> ended: effect, gate, children -> deployed

`p` is `OperationsArrays`, `x` a row of `State`. A function that returns GROW leaves a state from
which it can be called again once the arrays have more space.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from panda_gym import simulator
from panda_gym.jit.compiled import entry_decorator, inline
from panda_gym.jit.counter_rng import bits
from panda_gym.jit.heap import pop, push
from panda_gym.pipelines.models import (
    crossing_time,
    drift_step,
    integrate,
    new_data_fraction,
    observe,
    performance,
    potential_improvement,
    time_to_drift_step,
    trigger_reason,
)
from panda_gym.pipelines.state import state_row
from panda_gym.pipelines.triggers import AGENT, MANUAL, NEW_DATA, PERIOD

END, DRIFT_STEP, CHECK, PERIODIC, DATA = range(5)
"""Kinds of events, in their order at one instant."""
KINDS: Final = 4_294_967_296
"""Codes per kind of event: code = kind x KINDS + number."""
FIFO, SHORTEST, DEADLINE, FAIR, GAIN = range(5)
"""Codes of `operations.DISCIPLINES`."""

DONE, GROW, ASK, AGAIN = range(4)
"""Answers of `proceed`; AGAIN: the action was not applied for lack of space, so repeat it."""
BEGIN, GO_ON, ACT, SKIP = range(4)
"""Commands of `proceed`."""

entry = entry_decorator(Path(__file__).parent, Path(simulator.__file__ or ".").parent)
"""Compile a function that Python calls; cached until a source of pipelines or simulator changes."""


@inline
def schedule(x: Any, time: float, kind: int, number: int) -> None:
    """Add an event unless its time is infinite."""
    if time < np.inf:
        push(x.events, 0, x.run[0].events, time, kind * KINDS + number)
        x.run[0].events += 1


@inline
def begin(p: Any, x: Any) -> None:
    """Reset a simulation to time 0; the caller sets x.arrivals and x.run.seed."""
    run = x.run[0]
    run.clock, run.cost, run.read, run.written = 0.0, 0.0, 0.0, 0.0
    run.events, run.runs, run.tasks, run.arrived, run.requests = 0, 0, 0, 0, 0
    run.merged, run.ended, run.dispatch_pending, run.decision_pending = 0, 0, 0, 0
    run.next_review = np.inf
    if p.general[0].review > 0.0:
        run.next_review = 0.0
    for c in range(len(p.clusters)):
        x.clusters[c].free, x.clusters[c].queued = p.clusters[c].slots, 0
    for g in range(len(p.shares)):
        x.used[g] = 0.0
    for m in range(len(p.models)):
        o, s = p.models[m], x.models[m]
        s.integrated_until, s.quality, s.stale, s.data_at, s.version = 0.0, 0.0, 0.0, 0.0, 0
        s.active_runs, s.training_begun, s.runs = 0, 0, 0
        s.drift_steps, s.observations, s.pending, s.asked = 0, 0, -1, 0.0
        s.deployed, s.performance, s.step_loss = -o.age, o.expected_performance, 0.0
        s.period = np.inf
        for k in range(p.base.shape[1]):
            x.metrics[m, k] = p.base[m, k]
        x.metrics[m, 0] = o.expected_performance
        if o.period > 0.0:
            s.period = o.period
            schedule(x, s.period, PERIODIC, m)
        schedule_model_events(p, x, m)


@inline
def schedule_model_events(p: Any, x: Any, m: int) -> None:
    """Reset the detector of a model that was just deployed, and schedule its events."""
    o, s, now = p.models[m], x.models[m], x.run[0].clock
    s.count, s.mean, s.total, s.least = 0.0, 0.0, 0.0, 0.0
    s.next_check, s.next_data = np.inf, np.inf
    s.next_drift_step = now + time_to_drift_step(o, s, x.run[0].seed, len(p.models) + m)
    if o.monitor > 0.0:
        s.next_check = now + o.monitor
    else:
        s.next_check = max(now, crossing_time(o, s))
    if o.new_data > 0.0:
        s.next_data = max(now, s.data_at + o.new_data / o.data_rate)
    schedule(x, s.next_drift_step, DRIFT_STEP, m)
    schedule(x, s.next_check, CHECK, m)
    schedule(x, s.next_data, DATA, m)


@inline
def lacks_space(p: Any, x: Any) -> bool:
    """Return whether the next event might need more array space than there is."""
    run, longest = x.run[0], p.seconds.shape[1]
    slots = 0
    for c in range(len(p.clusters)):
        slots += x.clusters[c].free
        if x.clusters[c].queued + longest > x.queues.shape[1]:
            return True
    return (
        run.runs + 1 > len(x.runs)
        or run.tasks + longest > len(x.tasks)
        or run.events + slots + 8 > len(x.events)
    )


@inline
def advance(p: Any, x: Any) -> int:
    """Run to the horizon (DONE), the next decision (ASK), or until the arrays are full (GROW)."""
    run, general = x.run[0], p.general[0]
    while True:
        if lacks_space(p, x):
            return GROW
        time = min(x.arrivals[run.arrived].time, run.next_review)
        if run.events > 0:
            time = min(time, x.events[0].time)
        if run.dispatch_pending and time > run.clock:
            run.dispatch_pending = 0
            for c in range(len(p.clusters)):
                dispatch(p, x, c)
            continue
        if run.decision_pending and time > run.clock:
            if general.agent_decides and any_idle_model(p, x):
                return ASK
            run.decision_pending = 0
        if time > general.horizon:
            run.clock = general.horizon
            for m in range(len(p.models)):
                integrate(p.models[m], x.models[m], general.horizon)
            return DONE
        run.clock, run.dispatch_pending = time, 1
        if run.events > 0 and x.events[0].time == time:
            code = pop(x.events, 0, run.events)
            run.events -= 1
            handle_event(p, x, code // KINDS, code % KINDS)
        elif x.arrivals[run.arrived].time == time:
            a = run.arrived
            run.arrived += 1
            request_run(p, x, x.arrivals[a].model, MANUAL, x.arrivals[a].row)
        else:
            run.next_review += general.review
            run.decision_pending = 1


@inline
def any_idle_model(p: Any, x: Any) -> bool:
    """Return whether a run of some model could be launched."""
    count = 0
    for m in range(len(p.models)):
        count += x.models[m].active_runs == 0
    return count > 0


@inline
def handle_event(p: Any, x: Any, kind: int, number: int) -> None:
    """Handle an event unless it was rescheduled in the meantime."""
    run = x.run[0]
    now = run.clock
    if kind == END:
        finish_task(p, x, number)
        return
    o, s = p.models[number], x.models[number]
    reason = -1
    if kind == DRIFT_STEP and s.next_drift_step == now:
        drift_step(o, s, run.seed, len(p.models) + number, now)
        s.next_drift_step = now + time_to_drift_step(o, s, run.seed, len(p.models) + number)
        schedule(x, s.next_drift_step, DRIFT_STEP, number)
        if o.monitor <= 0.0:
            reason = trigger_reason(o, s, performance(o, s, now), now)
    elif kind == CHECK and s.next_check == now:
        seen = observe(o, s, run.seed, 2 * len(p.models) + number, now)
        reason = trigger_reason(o, s, seen, now)
        s.next_check = np.inf
        if o.monitor > 0.0:
            s.next_check = now + o.monitor
            schedule(x, s.next_check, CHECK, number)
    elif kind == PERIODIC and s.period == now:
        reason = PERIOD
        s.period = now + o.period
        schedule(x, s.period, PERIODIC, number)
    elif kind == DATA and s.next_data == now:
        reason = NEW_DATA
        s.next_data = np.inf
    if reason >= 0 and s.active_runs == 0 and s.pending < 0:
        request_run(p, x, number, reason, -1)


@inline
def request_run(p: Any, x: Any, m: int, reason: int, row: int) -> None:
    """Request a run of a model: launch it at once, or leave it to the agent."""
    run, s = x.run[0], x.models[m]
    run.requests += 1
    if p.general[0].agent_decides == 0:
        launch_run(p, x, m, reason, row, run.clock, -1)
        return
    run.decision_pending = 1
    if s.pending >= 0:
        run.merged += 1
        return
    s.pending, s.asked, s.row = reason, run.clock, row


@inline
def launch_run(p: Any, x: Any, m: int, reason: int, row: int, since: float, site: int) -> None:
    """Launch a run of a model: its tasks without parents are ready."""
    run, o, s = x.run[0], p.models[m], x.models[m]
    if row < 0:
        drawn = bits(run.seed, m, s.runs) % np.uint64(p.general[0].pool)
        row = p.general[0].first_pool + o.type * p.general[0].pool + np.int64(drawn)
    run_index, first = run.runs, run.tasks
    first_plan = p.types[o.type].first_task
    count = p.types[o.type + 1].first_task - first_plan
    record = x.runs[run_index]
    record.requested, record.launched, record.ended = since, run.clock, np.nan
    record.first_task, record.model, record.row, record.site = first, m, row, site
    record.reason, record.failed, record.deployed, record.open = reason, 0, 0, 0
    record.training_begun = 0
    for k in range(p.base.shape[1]):
        record.metrics[k] = x.metrics[m, k]
    run.runs += 1
    run.tasks += count
    run.dispatch_pending = 1
    s.runs += 1
    s.active_runs += 1
    for i in range(count):
        task = x.tasks[first + i]
        task.ready, task.start, task.end = np.nan, np.nan, np.nan
        task.run_index, task.pending, task.cluster = run_index, p.tasks[first_plan + i].parents, -1
    for i in range(count):
        if p.tasks[first_plan + i].parents == 0:
            make_task_ready(p, x, run_index, i)


@inline
def make_task_ready(p: Any, x: Any, run_index: int, i: int) -> None:
    """Queue task i of a run at its cluster, since all its parents have ended."""
    run, record = x.run[0], x.runs[run_index]
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


@inline
def occupied_s(p: Any, c: int, plan: Any, seconds: float, asset: float) -> float:
    """Return how long a task holds a slot of a cluster, s: read, execute, write."""
    place = p.clusters[c]
    moved = 0.0
    if plan.read > 0.0:
        moved += place.latency + plan.read * asset / place.read
    if plan.write > 0.0:
        moved += place.latency + plan.write * asset / place.write
    return seconds / place.speed + moved


@inline
def dispatch(p: Any, x: Any, c: int) -> None:
    """Start queued tasks of a cluster while it has free slots."""
    there, queue = x.clusters[c], x.queues[c]
    while there.free > 0 and there.queued > 0:
        if p.general[0].discipline < FAIR:
            task = pop(queue, 0, there.queued)
        else:
            chosen = best_in_queue(p, x, c)
            task = queue[chosen].job
            queue[chosen].time = queue[there.queued - 1].time
            queue[chosen].job = queue[there.queued - 1].job
        there.queued -= 1
        start(p, x, c, task)


@inline
def best_in_queue(p: Any, x: Any, c: int) -> int:
    """Return the queue position of the task of least score now; ties go to the first task.

    Under the discipline `improvement`, a run scores 0 while another run of its model has begun to
    train, since that one brings the improvement first.
    """
    best, least, chosen = np.inf, -1, 0
    for i in range(x.clusters[c].queued):
        task = x.queues[c][i].job
        record = x.runs[x.tasks[task].run_index]
        m = record.model
        o = p.models[m]
        if p.general[0].discipline == FAIR:
            score = x.used[o.owner] / p.shares[o.owner]
        else:
            gain = o.weight * potential_improvement(o, x.models[m], x.run[0].clock)
            if x.models[m].training_begun > record.training_begun:
                gain = 0.0
            score = -gain / p.types[o.type].train_s
        if least < 0 or score < best or (score == best and task < least):
            best, least, chosen = score, task, i
    return chosen


@inline
def start(p: Any, x: Any, c: int, task: int) -> None:
    """Start a task on a slot of a cluster."""
    run, record = x.run[0], x.runs[x.tasks[task].run_index]
    o = p.models[record.model]
    i = task - record.first_task
    plan, asset = p.tasks[p.types[o.type].first_task + i], p.asset[record.row]
    held = occupied_s(p, c, plan, p.seconds[record.row, i], asset)
    x.clusters[c].free -= 1
    x.tasks[task].start = run.clock
    if plan.trains and record.training_begun == 0:
        record.training_begun = 1
        x.models[record.model].training_begun += 1
    run.read += plan.read * asset
    run.written += plan.write * asset
    run.cost += held * p.clusters[c].cost
    x.used[o.owner] += held
    schedule(x, run.clock + held, END, task)


@inline
def finish_task(p: Any, x: Any, task: int) -> None:
    """Finish a task: free its slot, apply its effect and gate, make its children ready."""
    run, entry = x.run[0], x.tasks[task]
    run_index = entry.run_index
    record = x.runs[run_index]
    o = p.models[record.model]
    first = p.types[o.type].first_task
    j = first + task - record.first_task
    entry.end = run.clock
    x.clusters[entry.cluster].free += 1
    record.open -= 1
    apply_effect(p, x, record, j)
    if p.tasks[j].gates and record.metrics[0] < o.gate:
        record.failed = 1
    if record.failed == 0:
        for k in range(p.tasks[j].first_child, p.tasks[j + 1].first_child):
            i = p.child[k]
            x.tasks[record.first_task + i].pending -= 1
            if x.tasks[record.first_task + i].pending == 0:
                make_task_ready(p, x, run_index, i)
    if record.open == 0:
        finish_run(p, x, record)


@inline
def apply_effect(p: Any, x: Any, record: Any, j: int) -> None:
    """Apply the effect of a task to the metrics of the run's new model."""
    m = record.model
    o, s = p.models[m], x.models[m]
    if p.tasks[j].trains:
        for k in range(1, p.base.shape[1]):
            record.metrics[k] = p.base[m, k]
        # The training data are those at the launch; later data are not used.
        now = performance(o, s, x.run[0].clock)
        goal = o.base + o.spread * p.training_noise[record.row]
        record.metrics[0] = now + new_data_fraction(o, s, record.launched) * (goal - now)
    for k in range(p.base.shape[1]):
        value = p.factor[j, k] * record.metrics[k] + p.shift[j, k]
        record.metrics[k] = min(1.0, max(0.0, value)) if k < 3 else max(0.0, value)


@inline
def finish_run(p: Any, x: Any, record: Any) -> None:
    """Finish a run: deploy its model, or keep the old one and schedule its next checks."""
    run, m = x.run[0], record.model
    now, o, s = run.clock, p.models[m], x.models[m]
    record.ended = now
    run.ended += 1
    s.active_runs -= 1
    s.training_begun -= record.training_begun
    if s.pending >= 0:
        run.decision_pending = 1
    if record.failed == 0 and p.types[o.type].deploys and record.metrics[0] > 0.0:
        record.deployed = 1
        integrate(o, s, now)
        s.version += 1
        s.deployed, s.performance, s.step_loss = now, record.metrics[0], 0.0
        s.data_at = max(s.data_at, record.launched)
        for k in range(p.base.shape[1]):
            x.metrics[m, k] = record.metrics[k]
        schedule_model_events(p, x, m)
        return
    if o.monitor <= 0.0 and (o.staleness > 0.0 or o.improvement > 0.0):
        s.next_check = now + o.retry
        schedule(x, s.next_check, CHECK, m)
    if o.new_data > 0.0:
        s.next_data = now + o.retry
        schedule(x, s.next_data, DATA, m)


@inline
def act(p: Any, x: Any, action: int) -> int:
    """Apply an action: run model action // sites at site action % sites, or hold.

    Return 1 if the action was illegal.
    """
    run, sites = x.run[0], p.general[0].places
    if action < 0 or action >= len(p.models) * sites:
        run.decision_pending = 0
        return 1 if action != len(p.models) * sites else 0
    m, site = action // sites, action % sites
    s = x.models[m]
    if s.active_runs > 0:
        run.decision_pending = 0
        return 1
    if s.pending >= 0:
        reason, since, row = s.pending, s.asked, s.row
        s.pending = -1
    else:
        reason, since, row = AGENT, run.clock, -1
        run.requests += 1
    launch_run(p, x, m, reason, row, since, site)
    return 0


@entry
def proceed(plan: Any, state: Any, todo: Any, actions: Any, answers: Any, illegal: Any) -> None:
    """Skip, begin, continue, or act and continue, in every simulation of a batch.

    Shape: todo int8[E], actions int64[E]; answers int8[E] and illegal int8[E] are written. Call
    one that answers GROW again with GO_ON once its arrays have more space.
    """
    for e in range(len(todo)):
        if todo[e] == SKIP:
            continue
        x = state_row(state, e)
        if todo[e] == BEGIN:
            begin(plan, x)
            illegal[e] = 0
        elif todo[e] == ACT:
            if lacks_space(plan, x):
                answers[e] = AGAIN
                continue
            illegal[e] = act(plan, x, actions[e])
        answers[e] = advance(plan, x)


@entry
def measure(plan: Any, state: Any, out: Any) -> None:
    """Write performance, loss, potential improvement and two integrals of every model now.

    Shape: out float64[E, M, 5]; the integrals of performance and loss up to now are in s.
    """
    for e in range(len(state.run)):
        now = state.run[e].clock
        for m in range(len(plan.models)):
            o, s = plan.models[m], state.models[e, m]
            integrate(o, s, now)
            out[e, m, 0] = performance(o, s, now)
            out[e, m, 1] = 1.0 - out[e, m, 0] / s.performance
            out[e, m, 2] = potential_improvement(o, s, now)
            out[e, m, 3] = s.quality
            out[e, m, 4] = s.stale
