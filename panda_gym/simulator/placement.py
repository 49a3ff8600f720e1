"""Placement of one job at one site: expected wait, stage-in, cancellation, deferral."""

from __future__ import annotations

import math
from typing import Any

from panda_gym.jit.compiled import inline, lowest_bit, no_inline
from panda_gym.jit.counter_rng import CANCEL_TIME, CANCELS, job_draw
from panda_gym.jit.heap import push
from panda_gym.simulator import flows
from panda_gym.simulator.dynamics import (
    CANCEL,
    KIND,
    activate,
    commit,
    start_waiting,
)
from panda_gym.simulator.events import DEFERRAL, FLOW_START, NOBODY, PLACEMENT, note
from panda_gym.simulator.expectation import expect, expected_ln, forecast_wait
from panda_gym.simulator.limits import watch_assigned
from panda_gym.simulator.replica_index import HELD, KEPT, NO_SITE, without_lowest
from panda_gym.simulator.run_times import predicted_run, true_run
from panda_gym.simulator.state import ASSIGNED, PRIORITY
from panda_gym.simulator.storage import carrier_to, claim


@inline
def read_time(w: Any, e: int, j: int, r: int, s: int) -> float:
    """Time to read the input of job j at site s from site r without other flows, s."""
    return w.links[r, 0, s] + w.jobs[e, j]["input_bytes"] * w.links[r, 1, s]


@inline
def primary(w: Any, e: int, j: int, k: int) -> int:
    """Site of the k-th of three permanent replicas of job j's input, -1 none."""
    if w.rules[0]["storage"] == 0:
        return w.replicas[e, j, k]
    return w.datasets[e, w.jobs[e, j]["dataset"]]["primary"][k]


@inline
def carrier(w: Any, e: int, s: int, j: int) -> int:
    """The row whose transfer brings the input of job j to site s; -1: none is on its way."""
    if w.rules[0]["storage"] == 0 or not w.jobs[e, j]["input_bytes"] > 0.0:
        return -1
    return carrier_to(w, e, w.jobs[e, j]["dataset"], s)


@no_inline
def transfer_end(w: Any, e: int, c: int) -> float:
    """When the transfer of row c, on its way, ends at its present rate, s."""
    if w.rules[0]["level"] > 0:
        return w.flow_heap[e, w.flows[e, c]["heap_position"]]["time"]
    one = w.attempts[e, c]
    return one["placed"] + read_time(w, e, c, one["source"], w.job_states[e, c]["site"])


@inline
def time_left(w: Any, e: int, c: int) -> float:
    """Time until then, s."""
    return max(0.0, transfer_end(w, e, c) - w.grids[e]["clock"])


@inline
def stage_in(w: Any, e: int, s: int, j: int, c: int) -> tuple[float, int]:
    """Least stage-in time of job j's input at site s, s, and its source; -1: no transfer.

    An input of no bytes, or one that no site holds, is local everywhere. If row c carries it to
    site s, it is the time that is left, and the source of that transfer. Ties go to the first:
    primary replicas in their order, then secondary ones, latest first.
    """
    best, origin = math.inf, -1
    if not w.jobs[e, j]["input_bytes"] > 0.0:
        return 0.0, -1
    if c >= 0:
        return time_left(w, e, c), int(w.attempts[e, c]["source"])
    for k in range(3):
        held = primary(w, e, j, k)
        if held >= 0 and read_time(w, e, j, held, s) < best:
            best, origin = read_time(w, e, j, held, s), held
    if origin < 0:
        return 0.0, -1
    if w.rules[0]["storage"] > 0:
        return secondary(w, e, s, j, best, origin)
    return best, origin


@no_inline
def secondary(w: Any, e: int, s: int, j: int, best: float, origin: int) -> tuple[float, int]:
    """The same with secondary replicas; `best` and `origin` are those of the primary ones."""
    d, found, equals = w.jobs[e, j]["dataset"], False, 0
    for k in range(w.holders.shape[3]):
        left = w.holders[e, d, HELD, k] & w.holders[e, d, KEPT, k]
        while left != NO_SITE:
            r = (k << 6) + lowest_bit(left)
            left = without_lowest(left)
            time = read_time(w, e, j, r, s)
            if time < best:
                best, origin, found, equals = time, r, True, 0
            elif found and time == best:
                equals += 1
    if equals > 0:
        origin = latest(w, e, s, j, best)
    return best, origin


@no_inline
def latest(w: Any, e: int, s: int, j: int, time: float) -> int:
    """Site of the latest secondary replica that job j can read in `time` s at site s."""
    r = w.datasets[e, w.jobs[e, j]["dataset"]]["first"]
    while w.pool[e, r]["complete"] == 0 or read_time(w, e, j, w.pool[e, r]["site"], s) != time:
        r = w.pool[e, r]["next"]
    return w.pool[e, r]["site"]


@inline
def bytes_to_move(w: Any, e: int, s: int, j: int, source: int, c: int) -> float:
    """Bytes that job j is to move between sites, placed at site s; none if it joins row c's."""
    return w.jobs[e, j]["input_bytes"] if source >= 0 and source != s and c < 0 else 0.0


@inline
def expected_wait(w: Any, e: int, s: int, cores: int, run: float, queued: float) -> float:
    """Expected wait for `cores` cores at site s, s, from the work ahead.

    `run` is the sum of cores x end over the running jobs and `queued` the work of the jobs
    assigned or activated, both predicted or both true (core s). The wait is zero if the free
    cores less the committed ones suffice, else the work ahead over the cores that competing work
    leaves. A job past its predicted end counts negatively. Counting it as 0 would predict waits
    better, but earliest completion then does worse (see the page on the simulation).
    """
    site = w.sites[e, s]
    if site["free"] - site["committed_cores"] >= cores:
        return 0.0
    ahead = max(0.0, run - w.grids[e]["clock"] * site["used"]) + queued
    return ahead / max(1, w.site_static[s]["cores"] - site["competing_cores"])


@inline
def assess(w: Any, e: int, q: int, s: int, j: int, time: float, moved: float) -> None:
    """Write expected and true wait, transfer and run time of job j at site s."""
    site, outcome, cores = w.sites[e, s], w.outcome[e, q], w.jobs[e, j]["cores"]
    outcome["site"] = s
    outcome["age"] = w.grids[e]["clock"] - w.attempts[e, j]["first_arrival"]
    outcome["wait_pred"] = expected_wait(w, e, s, cores, site["run_pred"], site["queue_pred"])
    outcome["wait_true"] = expected_wait(w, e, s, cores, site["run_true"], site["queue_true"])
    outcome["transfer"] = time
    outcome["run_pred"] = predicted_run(w, e, s, j)
    outcome["run_true"] = true_run(w, e, s, j)
    outcome["ideal_pred"] = outcome["run_pred"] * w.site_static[s]["speed"] / w.top_speed
    outcome["ideal_true"] = outcome["run_true"] * w.site_static[s]["speed"] / w.top_speed
    outcome["wan_bytes"] += moved


@inline
def forecast(w: Any, e: int, s: int, j: int, time: float) -> None:
    """Write what is expected of job j, which is about to be placed at site s.

    It starts when its input is there and its cores are free; `time` is that of its stage-in, s.
    """
    now, run = w.grids[e]["clock"], true_run(w, e, s, j)
    begin = now + max(time, forecast_wait(w, e, s, w.jobs[e, j]["cores"]))
    end = begin + w.rules[0]["pilot_s"] + run
    expect(w, e, j, expected_ln(w, e, s, j, end, run, now))


@no_inline
def cancellation(w: Any, e: int, j: int) -> None:
    """Schedule the cancellation of job j, if it is drawn; retries are never cancelled."""
    rules, one, grid = w.rules[0], w.attempts[e, j], w.grids[e]
    if one["attempt"] == 1 and job_draw(one["key"], 1, CANCELS) < rules["cancelled"]:
        later = 2.0 * rules["cancel_s"] * job_draw(one["key"], 1, CANCEL_TIME)
        when, entry = grid["clock"] + later, CANCEL * KIND + j
        push(w.heap[e], w.first_staged, grid["queued_events"], when, entry)
        grid["queued_events"] += 1


@no_inline
def transfer(w: Any, e: int, s: int, j: int, time: float, source: int) -> None:
    """Start the transfer of job j's input from `source` to site s; alone it takes `time` s."""
    grid, t = w.grids[e], w.grids[e]["clock"]
    w.job_states[e, j]["state"] = ASSIGNED
    if w.rules[0]["level"] > 0 and source != s:
        flows.add_flow(w, e, j, source, t)
        note(w, e, FLOW_START, t, j, s, source, w.attempts[e, j]["moved_bytes"])
        flows.share(w, e, source, s, t, 1)
    else:
        if w.rules[0]["level"] > 0:
            w.flows[e, j]["heap_position"] = -1
        push(w.heap[e], w.first_staged, grid["queued_events"], t + time, j)
        grid["queued_events"] += 1


@inline
def place(w: Any, e: int, s: int, j: int, time: float, source: int, c: int) -> None:
    """Place job j at site s: its transfer starts, or it joins one, or it joins the queue at once.

    `c` is the result of `carrier`, `time` and `source` are that of `stage_in`.
    """
    grid, site, rules = w.grids[e], w.sites[e, s], w.rules[0]
    job, job_state, one = w.jobs[e, j], w.job_states[e, j], w.attempts[e, j]
    t = grid["clock"]
    job_state["site"] = s
    job_state["cores"] = job["cores"]
    job_state["output"] = math.floor(rules["output"] * job["input_bytes"])
    one["moved_bytes"] = bytes_to_move(w, e, s, j, source, c)
    one["placed"] = t
    one["source"] = source if source != s else -1
    # It has been in the system since its arrival, or since the end of the attempt before.
    grid["area"] += t - job["arrival"] + (rules["retry_s"] if one["attempt"] > 1 else 0.0)
    grid["unfinished"] += 1
    if rules["discipline"] == PRIORITY:
        dataset = w.datasets[e, job["dataset"]]
        job["user_jobs"] = dataset["jobs"]
        dataset["jobs"] += 1 if one["attempt"] == 1 else 0
    note(w, e, PLACEMENT, t, j, s, one["source"], one["moved_bytes"])
    claim(w, e, s, j)
    commit(w, e, s, j, 1.0)
    if rules["cancelled"] > 0.0:
        cancellation(w, e, j)
    if c >= 0 or time > 0.0:
        site["assigned"] += 1
        watch_assigned(w, e, j)
        job_state["state"] = ASSIGNED
        if c < 0:
            transfer(w, e, s, j, time, source)
    else:
        activate(w, e, j, t)
        start_waiting(w, e, s, t, 1)


@inline
def may_defer(w: Any, e: int, j: int) -> bool:
    """Whether job j may be deferred: in PanDA a job pends for a limited time."""
    return w.grids[e]["clock"] - w.jobs[e, j]["arrival"] < w.rules[0]["pending_s"]


@no_inline
def defer(w: Any, e: int, q: int, j: int) -> None:
    """Defer job j: it returns after `defer_s`."""
    grid, rules, outcome = w.grids[e], w.rules[0], w.outcome[e, q]
    when = grid["clock"] + rules["defer_s"]
    push(w.heap[e], rules["first_return"], grid["returning"], when, j)
    grid["returning"] += 1
    outcome["deferred"] = 1
    outcome["site"] = -1
    note(w, e, DEFERRAL, grid["clock"], j, NOBODY, NOBODY, 0.0)


@inline
def weighted_site(w: Any, wide: int, u: float) -> int:
    """Draw one of the `wide` sites with most cores by capacity, from u in [0, 1)."""
    target, last = u * w.site_static[wide - 1]["cumulative"], wide - 1
    k = min(w.guide[int(target * w.guide_cells)], last)
    while k < last and w.site_static[k]["cumulative"] <= target:
        k += 1
    return w.site_static[k]["by_cores"]


@no_inline
def warmup_site(w: Any, e: int, j: int) -> int:
    """The site of the warm start for job j: the shorter wait of two sites drawn by capacity."""
    cores, u = w.jobs[e, j]["cores"], w.jobs[e, j]["place_u"]
    wide = w.sites_by_cores[cores]
    a = weighted_site(w, wide, u)
    lower = u * 1048576.0  # the lower bits of the draw serve as a second one
    b = weighted_site(w, wide, lower - math.floor(lower))
    first, second = w.sites[e, a], w.sites[e, b]
    wait_a = expected_wait(w, e, a, cores, first["run_pred"], first["queue_pred"])
    wait_b = expected_wait(w, e, b, cores, second["run_pred"], second["queue_pred"])
    return b if wait_b < wait_a else a
