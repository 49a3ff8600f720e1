"""Forecast of the queue of one site: when each job that waits or is planned there starts and ends.

A site is a FIFO queue before k cores. Jobs that wait with their input there start before all
others, whatever is planned: `refresh_base` walks past them, and that walk is kept until the site
changes. From there on `site_value` walks the jobs on their way and the planned ones, `value_with`
and `value_without` only the part that a job more or a job less changes. `completion_time` walks
the whole queue, up to the job asked for.
"""

from __future__ import annotations

import math
from typing import Any

from panda_gym.jit.compiled import inline, no_inline
from panda_gym.oracles.forecast import CHANGES, ITEMS, arrival, input_ready, joined, local_time
from panda_gym.simulator.compiled_api import ACTIVATED, DOWN, change_time, expected_ln, true_run


@inline
def push_end(k: Any, size: int, t: float, i: int) -> None:
    """Add an end at time t to the heap of `size` ends; i: see `Forecast.end_i`."""
    hole = size
    while hole > 0 and k.end_t[(hole - 1) >> 1] > t:
        k.end_t[hole], k.end_i[hole] = k.end_t[(hole - 1) >> 1], k.end_i[(hole - 1) >> 1]
        hole = (hole - 1) >> 1
    k.end_t[hole], k.end_i[hole] = t, i


@inline
def pop_end(k: Any, size: int) -> int:
    """Take the first end out of the heap of `size`; return its entry of `Forecast.end_i`."""
    taken, last = k.end_i[0], size - 1
    t, i = k.end_t[last], k.end_i[last]
    hole, below = 0, 1
    while below < last:
        if below + 1 < last and k.end_t[below + 1] < k.end_t[below]:
            below += 1
        if t <= k.end_t[below]:
            break
        k.end_t[hole], k.end_i[hole] = k.end_t[below], k.end_i[below]
        hole, below = below, 2 * below + 1
    k.end_t[hole], k.end_i[hole] = t, i
    return taken


@inline
def push_running(w: Any, k: Any, e: int, s: int, size: int, i: int) -> int:
    """Add place i of the heap of running jobs of site s, if it is taken; return the new size."""
    if i >= w.sites[e, s]["running"]:
        return size
    push_end(k, size, w.heap[e, w.site_static[s]["first_run"] + i]["time"], i)
    return size + 1


@inline
def free_next(w: Any, k: Any, e: int, s: int, size: int) -> tuple[int, int]:
    """Take out the next end of site s; return its cores and the new size of the heap.

    Of the running jobs, the heap holds only those whose parent in the site's own heap has been
    taken out: no other can be the next. So the cost depends on the ends needed, not on all jobs.
    """
    i = pop_end(k, size)
    if i < 0:
        return -i, size - 1
    job = w.heap[e, w.site_static[s]["first_run"] + i]["job"]
    size = push_running(w, k, e, s, size - 1, 2 * i + 1)
    return w.job_states[e, job]["cores"], push_running(w, k, e, s, size, 2 * i + 2)


@inline
def planned_dataset(w: Any, e: int, j: int) -> int:
    """The dataset that job j will leave at its site for others, -1 none."""
    if w.rules[0]["storage"] > 0 and w.jobs[e, j]["input_bytes"] > 0.0:
        return w.jobs[e, j]["dataset"]
    return -1


@inline
def order_jobs(w: Any, k: Any, e: int, s: int, extra: int, without: int) -> int:
    """Order the jobs that will wait at site s by when their input is complete; return how many.

    They are the jobs on their way, the planned ones, and `extra` (-1 none) but not `without`. An
    input that a planned job has brought by then is read locally; one that it brings is waited for.
    """
    size, own = 0, 0
    for i in range(k.first[s], k.first[s] + k.length[s]):
        k.item[size], k.item_ready[size], k.item_dataset[size] = k.waiting[i], k.ready[i], -1
        size += 1
    i, open_ = 0, extra >= 0
    while i < k.planned_count[s] or open_:
        j = k.planned[s, i] if i < k.planned_count[s] else -1
        if open_ and (j < 0 or arrival(w, e, extra) <= arrival(w, e, j)):
            j, open_ = extra, False
        else:
            i += 1
            if j == without:
                continue
        came = arrival(w, e, j)
        ready = input_ready(w, k, e, j, s)
        dataset = planned_dataset(w, e, j)
        if dataset >= 0 and ready > came + local_time(w, e, j, s):
            for other in range(own):
                if k.own_dataset[other] == dataset:
                    ready = min(ready, joined(w, e, j, s, k.own_ready[other]))
        k.own_dataset[own], k.own_ready[own] = dataset, ready
        own += 1
        hole = size
        while hole > 0 and k.item_ready[hole - 1] > ready:
            k.item[hole], k.item_ready[hole] = k.item[hole - 1], k.item_ready[hole - 1]
            k.item_dataset[hole] = k.item_dataset[hole - 1]
            hole -= 1
        k.item[hole], k.item_ready[hole], k.item_dataset[hole] = j, ready, dataset
        size += 1
    return size


@inline
def begin_queue(w: Any, k: Any, e: int, s: int) -> None:
    """Set the cursor to the present state of site s."""
    cursor, site, now = k.cursor[0], w.sites[e, s], w.grids[e]["clock"]
    cursor["t"], cursor["opens"], cursor["free"] = now, now, site["free"]
    cursor["change"], cursor["change_t"] = site["load_changes"] + 1, site["load_change"]
    cursor["competing"] = site["competing_cores"]
    if w.site_status[e, s]["status"] == DOWN:
        cursor["opens"] = now + w.rules[0]["step_s"] / (1.0 - math.exp(w.rules[0]["stay_down"]))
    cursor["ends"] = push_running(w, k, e, s, 0, 0)


@inline
def is_unchanged(w: Any, k: Any, e: int, s: int) -> bool:
    """Whether the stored walk past the queue of site s still holds.

    It does while no job has started, ended, joined or left, and the competing load and the status
    are the same: then no event of the walk has come, and it names the same times from now on.
    """
    base, site = k.base[e, s], w.sites[e, s]
    status = w.site_status[e, s]
    same = base["known"] > 0 and site["activated"] > 0 and status["status"] != DOWN
    same = same and base["run_true"] == site["run_true"] and base["used"] == site["used"]
    same = same and base["activated"] == site["activated"] and base["head"] == site["head"]
    same = same and base["tail"] == site["tail"]
    same = same and base["load_changes"] == site["load_changes"]
    return same and base["status_changes"] == status["changes"]


@no_inline
def refresh_base(w: Any, k: Any, e: int, s: int) -> None:
    """Walk past the jobs of site s that wait with their input there, unless nothing has changed."""
    if is_unchanged(w, k, e, s):
        return
    base, site, cursor = k.base[e, s], w.sites[e, s], k.cursor[0]
    base["run_true"], base["used"] = site["run_true"], site["used"]
    base["activated"], base["head"], base["tail"] = site["activated"], site["head"], site["tail"]
    base["load_changes"] = site["load_changes"]
    base["status_changes"], base["known"] = w.site_status[e, s]["changes"], 1
    begin_queue(w, k, e, s)
    starts, j = 1, site["head"]
    while j >= 0 and starts > 0:
        if w.job_states[e, j]["state"] == ACTIVATED:
            cores, last = w.jobs[e, j]["cores"], cursor["t"]
            if start_job(w, k, e, s, cores, -math.inf):
                occupy(k, cores, cursor["t"] + w.rules[0]["pilot_s"] + true_run(w, e, s, j))
            else:
                starts, cursor["t"] = 0, last
        j = w.job_states[e, j]["next"]
    base["starts"] = starts
    copy_cursor(base["cursor"], cursor)
    for i in range(cursor["ends"]):
        k.base_t[e, k.base_first[s] + i] = k.end_t[i]
        k.base_i[e, k.base_first[s] + i] = k.end_i[i]


@inline
def copy_cursor(into: Any, cursor: Any) -> None:
    """Copy a cursor."""
    into["t"], into["opens"], into["change_t"] = cursor["t"], cursor["opens"], cursor["change_t"]
    into["change"], into["competing"] = cursor["change"], cursor["competing"]
    into["free"], into["ends"] = cursor["free"], cursor["ends"]


@inline
def begin_base(k: Any, e: int, s: int) -> None:
    """Set the cursor behind the jobs of site s that wait with their input there."""
    copy_cursor(k.cursor[0], k.base[e, s]["cursor"])
    first = k.base_first[s]
    for i in range(k.cursor[0]["ends"]):
        k.end_t[i], k.end_i[i] = k.base_t[e, first + i], k.base_i[e, first + i]


@inline
def next_time(k: Any) -> float:
    """When the free cores of the site change next, s; inf: never."""
    cursor = k.cursor[0]
    end = k.end_t[0] if cursor["ends"] > 0 else math.inf
    return min(end, cursor["change_t"])


@inline
def pass_event(w: Any, k: Any, e: int, s: int) -> None:
    """Pass the next end of a job or the next change of the competing load at site s."""
    cursor = k.cursor[0]
    if cursor["ends"] > 0 and k.end_t[0] <= cursor["change_t"]:
        freed, cursor["ends"] = free_next(w, k, e, s, cursor["ends"])
        cursor["free"] += freed
        return
    change = cursor["change"]
    level = k.levels[e, s, min(change, CHANGES - 1)]
    cursor["free"] -= level - cursor["competing"]
    cursor["competing"], cursor["change"] = level, change + 1
    cursor["change_t"] = change_time(w, s, change + 1) if change + 1 < CHANGES else math.inf


@no_inline
def start_job(w: Any, k: Any, e: int, s: int, cores: int, ready: float) -> bool:
    """Move the cursor to the start of the next job of the queue; False: it never starts."""
    cursor = k.cursor[0]
    cursor["t"] = max(cursor["t"], max(cursor["opens"], ready))
    while True:
        due = next_time(k)
        if due > cursor["t"]:
            if cursor["free"] >= cores:
                return True
            if due == math.inf:
                return False
            cursor["t"] = due
        pass_event(w, k, e, s)


@inline
def occupy(k: Any, cores: int, end: float) -> None:
    """Let a job take its cores from now to `end`."""
    cursor = k.cursor[0]
    cursor["free"] -= cores
    push_end(k, cursor["ends"], end, -cores)
    cursor["ends"] += 1


@no_inline
def repeat_queue(w: Any, k: Any, e: int, s: int, items: int) -> None:
    """Move the cursor past the first `items` jobs of the stored queue of site s."""
    begin_base(k, e, s)
    cursor = k.cursor[0]
    for i in range(items):
        queued = k.queue[s, i]
        cursor["t"] = queued["start"]
        while next_time(k) <= cursor["t"]:
            pass_event(w, k, e, s)
        occupy(k, queued["cores"], queued["end"])


@no_inline
def site_value(w: Any, k: Any, e: int, s: int, extra: int, without: int, keep: bool) -> float:
    """Sum of the expected ln slowdowns of the jobs that `order_jobs` lists for site s.

    inf: one never starts, or they are too many. keep: store the queue and the sum.
    """
    total = math.inf
    items = 0
    if k.base[e, s]["starts"] > 0 and k.length[s] + k.planned_count[s] + 2 <= ITEMS:
        total, items = 0.0, order_jobs(w, k, e, s, extra, without)
    begin_base(k, e, s)
    cursor, pilot = k.cursor[0], w.rules[0]["pilot_s"]
    for i in range(items):
        j = k.item[i]
        cores, run = w.jobs[e, j]["cores"], true_run(w, e, s, j)
        if not start_job(w, k, e, s, cores, k.item_ready[i]):
            total, items = math.inf, i
            break
        end = cursor["t"] + pilot + run
        if keep:
            queued = k.queue[s, i]
            queued["item"], queued["cores"], queued["dataset"] = j, cores, k.item_dataset[i]
            queued["ready"], queued["start"] = k.item_ready[i], cursor["t"]
            queued["end"], queued["before"] = end, total
        occupy(k, cores, end)
        total += expected_ln(w, e, s, j, end, run, arrival(w, e, j))
    if keep:
        k.value[s], k.queued[s] = total, items
    return total


@inline
def place_in_queue(k: Any, s: int, ready: float) -> int:
    """How many jobs of the stored queue of site s have their input no later than `ready`."""
    low, high = 0, k.queued[s]
    while low < high:
        middle = (low + high) >> 1
        if k.queue[s, middle]["ready"] <= ready:
            low = middle + 1
        else:
            high = middle
    return low


@inline
def shares_input(w: Any, k: Any, e: int, s: int, j: int) -> bool:
    """Whether another job planned for site s reads the dataset of job j."""
    dataset = planned_dataset(w, e, j)
    if dataset < 0:
        return False
    for i in range(k.queued[s]):
        if k.queue[s, i]["dataset"] == dataset and k.queue[s, i]["item"] != j:
            return True
    return False


@no_inline
def value_with(w: Any, k: Any, e: int, s: int, j: int) -> float:
    """Sum of the expected ln slowdowns of the stored queue of site s with job j in it."""
    if k.value[s] == math.inf or shares_input(w, k, e, s, j):
        return site_value(w, k, e, s, j, -1, False)
    ready = input_ready(w, k, e, j, s)
    place, cores, run = place_in_queue(k, s, ready), w.jobs[e, j]["cores"], true_run(w, e, s, j)
    repeat_queue(w, k, e, s, place)
    if not start_job(w, k, e, s, cores, ready):
        return math.inf
    end = k.cursor[0]["t"] + w.rules[0]["pilot_s"] + run
    occupy(k, cores, end)
    before = k.queue[s, place]["before"] if place < k.queued[s] else k.value[s]
    return (
        before
        + expected_ln(w, e, s, j, end, run, arrival(w, e, j))
        + value_from(w, k, e, s, place, end)
    )


@no_inline
def value_without(w: Any, k: Any, e: int, s: int, j: int) -> float:
    """Sum of the expected ln slowdowns of the stored queue of site s without job j."""
    if k.value[s] == math.inf or shares_input(w, k, e, s, j):
        return site_value(w, k, e, s, -1, j, False)
    place = 0
    while k.queue[s, place]["item"] != j:
        place += 1
    repeat_queue(w, k, e, s, place)
    queued = k.queue[s, place]
    return queued["before"] + value_from(w, k, e, s, place + 1, queued["end"])


@inline
def value_from(w: Any, k: Any, e: int, s: int, place: int, until: float) -> float:
    """Sum of the expected ln slowdowns from `place` of the stored queue on, after a change.

    until: when the last job ends whose times have changed. Once a job starts as stored after that,
    so do all the rest.
    """
    cursor, pilot, total = k.cursor[0], w.rules[0]["pilot_s"], 0.0
    for i in range(place, k.queued[s]):
        queued = k.queue[s, i]
        if not start_job(w, k, e, s, queued["cores"], queued["ready"]):
            return math.inf
        moved = cursor["t"] != queued["start"]
        if not moved and until <= cursor["t"]:
            return total + k.value[s] - queued["before"]
        run = true_run(w, e, s, queued["item"])
        end = cursor["t"] + pilot + run
        occupy(k, queued["cores"], end)
        total += expected_ln(w, e, s, queued["item"], end, run, arrival(w, e, queued["item"]))
        if moved:
            until = max(until, max(end, queued["end"]))
    return total


@no_inline
def completion_time(w: Any, k: Any, e: int, s: int, j: int) -> float:
    """When job j would end at site s behind those that wait there, s; inf: never."""
    begin_queue(w, k, e, s)
    ready, pilot = input_ready(w, k, e, j, s), w.rules[0]["pilot_s"]
    for i in range(k.first[s], k.first[s] + k.length[s]):
        if k.ready[i] > ready:
            break
        other = k.waiting[i]
        cores = w.jobs[e, other]["cores"]
        if not start_job(w, k, e, s, cores, k.ready[i]):
            return math.inf
        occupy(k, cores, k.cursor[0]["t"] + pilot + true_run(w, e, s, other))
    if not start_job(w, k, e, s, w.jobs[e, j]["cores"], ready):
        return math.inf
    return k.cursor[0]["t"] + pilot + true_run(w, e, s, j)
