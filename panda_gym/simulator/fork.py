"""Fresh draws for everything that an observer of a grid cannot have seen.

A copy of a simulator carries the future: true workloads, failures, cancellations, outages, the
competing load and the jobs to come. `redraw` keeps what has happened and draws the rest anew:

- true workloads and run noise of unfinished jobs, by ratios of true to predicted work; a running
  job's draw is conditional on its run so far, and so is its failure;
- cancellations, conditional on not having come yet; draws of later attempts;
- competing load and outages from the next change on; the time to the next change of status is
  geometric, so that what is left of it has the same distribution;
- jobs to come: resampled, with their gaps, from the jobs that have arrived.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from panda_gym.simulator.dynamics import CANCEL, KIND
from panda_gym.simulator.state import (
    ACTIVATED,
    ASSIGNED,
    BLACK_HOLE,
    BLOCK,
    BROWN,
    DOWN,
    EARLY,
    FINISHED,
    LATE,
    NO_CAUSE,
    REQUESTED_LIMIT,
    RUNNING,
    RUNNING_LIMIT,
    World,
)

TRIES: Final = 200
"""Draws of a running job before its run is taken to end soon."""
CARRIED: Final = (
    "workload_true", "workload_pred", "input_bytes", "place_u", "cores", "input_files", "dataset",
)  # fmt: skip
"""What a resampled job takes from the one that it is a copy of, beside its hazard and replicas."""


def redraw(w: World, e: int, seed: int, ratios: np.ndarray, noise: np.ndarray) -> None:
    """Draw the unseen part of grid e anew.

    ratios: true over predicted work of past jobs, float64[m]. noise: factors on run times,
    float64[m]; both are resampled.
    """
    rng = np.random.default_rng(seed)
    grid = w.grids[e]
    grid["seed"] = rng.integers(2**63)
    _redraw_arrivals(w, e, rng)
    rows = np.arange(int(grid["rows"]))
    keys = rng.integers(2**53, size=int(grid["jobs"])).astype(np.uint64)
    open_rows = rows[w.job_states[e, rows]["state"] < FINISHED]
    origin = w.attempts[e, open_rows]["origin"]
    w.attempts["key"][e, open_rows] = keys[origin]
    _redraw_work(w, e, rng, ratios, noise, open_rows)
    running = open_rows[w.job_states[e, open_rows]["state"] == RUNNING]
    for j in running.tolist():
        _redraw_run(w, e, rng, j, ratios, noise)
    _redraw_cancellations(w, e, rng)
    for s in range(len(w.site_static)):
        _redraw_status(w, e, s, rng)
        _rebuild_site(w, e, s)
    _rebuild_sums(w, e, open_rows)
    _rebuild_events(w, e)
    _redraw_next(w, e, rng)


def _redraw_arrivals(w: World, e: int, rng: np.random.Generator) -> None:
    """Replace the stream's jobs that have not arrived by copies of those that have."""
    grid, arrival = w.grids[e], w.jobs["arrival"][e]
    jobs = int(grid["jobs"])
    known = int(np.searchsorted(arrival[:jobs], grid["clock"], side="right"))
    first = int(np.searchsorted(arrival[:known], 0.0, side="right"))  # residual jobs come at 0
    coming = jobs - known
    if coming == 0 or known - first < 2:
        return
    taken = rng.integers(first, known, coming)
    gaps = rng.choice(np.diff(arrival[max(first - 1, 0) : known]), coming)
    last = max(float(arrival[known - 1]), float(grid["clock"]))
    arrival[known:jobs] = last + np.cumsum(gaps)
    for name in CARRIED:
        w.jobs[name][e, known:jobs] = w.jobs[name][e, taken]
    w.attempts["hazard"][e, known:jobs] = w.attempts["hazard"][e, taken]
    w.attempts["first_arrival"][e, known:jobs] = arrival[known:jobs]
    if w.rules[0]["requests"] > 0:
        w.requests["wall"][e, known:jobs] = w.requests["wall"][e, taken]
    if w.rules[0]["storage"] == 0:
        w.replicas[e, known:jobs] = w.replicas[e, taken]


def _redraw_next(w: World, e: int, rng: np.random.Generator) -> None:
    """Replace the job that the last observation shows by a copy of one that has arrived."""
    grid = w.grids[e]
    row, jobs = int(grid["next_job"]), int(grid["jobs"])
    known = int(np.searchsorted(w.jobs["arrival"][e, :jobs], grid["clock"], side="right"))
    if row < 0 or known == 0:
        return
    taken = int(rng.integers(known))
    for name in CARRIED:
        w.jobs[name][e, row] = w.jobs[name][e, taken]
    if w.rules[0]["storage"] == 0:
        w.replicas[e, row] = w.replicas[e, taken]


def _redraw_work(
    w: World, e: int, rng: np.random.Generator, ratios: Any, noise: Any, rows: np.ndarray
) -> None:
    """Draw true work and noise of jobs that do not run; attempts of a job share them."""
    jobs = int(w.grids[e]["jobs"])
    factor, spread = rng.choice(ratios, jobs), rng.choice(noise, jobs)
    origin = w.attempts["origin"][e, rows]
    w.jobs["workload_true"][e, rows] = w.jobs["workload_pred"][e, rows] * factor[origin]
    w.jobs["noise"][e, rows] = spread[origin]


def _redraw_run(
    w: World, e: int, rng: np.random.Generator, j: int, ratios: Any, noise: Any
) -> None:
    """Draw work, noise, pilot and failure of the running job j, given that it still runs."""
    job, state, one, now = w.jobs[e, j], w.job_states[e, j], w.attempts[e, j], w.grids[e]["clock"]
    s = int(state["site"])
    speed = float(job["cores"] * w.site_static["speed"][s])
    if state["start"] > now:  # its pilot has yet to come
        latest = 2.0 * float(w.rules[0]["pilot_s"])
        begin = one["starting"] + rng.uniform(now - one["starting"], latest)
        state["pred_end"] += begin - state["start"]
        state["start"] = begin
    elapsed = max(0.0, float(now - state["start"]))
    for _ in range(TRIES):
        # As rng.choice, which takes ten times as long for one number.
        ratio = ratios[rng.integers(len(ratios))]
        work, factor = job["workload_pred"] * ratio, noise[rng.integers(len(noise))]
        run, cause = _draw_failure(w, e, s, j, float(work / speed * factor), rng)
        if run > elapsed:
            break
    else:
        run, cause, factor = elapsed * 1.01 + 1.0, NO_CAUSE, 1.0
        work = run * speed
    job["workload_true"], job["noise"] = work, factor
    state["end"], state["cause"] = state["start"] + run, cause
    ideal = work / speed * factor * w.site_static["speed"][s] / w.top_speed
    slowdown = (state["end"] - one["first_arrival"]) / max(ideal, w.bound_s)
    state["ln_slowdown"] = math.log(max(1.0, slowdown))


def _failure_chance(w: World, e: int, s: int, j: int) -> float:
    """As `failures.failure_chance`."""
    rules = w.rules[0]
    if rules["black_hole"] == s + 1:
        return float(rules["black_hole_share"])
    return float(min(rules["most"], w.attempts["hazard"][e, j] * w.site_status["risk"][e, s]))


def _draw_failure(
    w: World, e: int, s: int, j: int, run: float, rng: np.random.Generator
) -> tuple[float, int]:
    """As `failures.draw_failure`, from a generator."""
    rules, cause = w.rules[0], NO_CAUSE
    if rules["failing"] > 0 and rng.random() < _failure_chance(w, e, s, j):
        when, early = rng.random(), rules["early"]
        if rules["black_hole"] == s + 1:
            run, cause = min(run, float(rules["black_hole_s"])), BLACK_HOLE
        elif when < early:
            run, cause = min(run, float(rules["early_s"])), EARLY
        else:
            run, cause = run * float((when - early) / (1.0 - early)), LATE
    if rules["limits"] > 0 and run > rules["running_s"]:
        run, cause = float(rules["running_s"]), RUNNING_LIMIT
    if rules["kill"] > 0 and run > (most := _requested_run(w, e, s, j)):
        run, cause = most, REQUESTED_LIMIT
    return run, cause


def _requested_run(w: World, e: int, s: int, j: int) -> float:
    """As `run_times.requested_run`."""
    given, factor = float(w.requests["wall"][e, j]), float(w.rules[0]["requested_factor"])
    if given > 0.0:
        return given
    job = w.jobs[e, j]
    pred = float(job["workload_pred"] / (job["cores"] * w.site_static["speed"][s]))
    return factor * pred if factor > 0.0 else math.inf


def _redraw_cancellations(w: World, e: int, rng: np.random.Generator) -> None:
    """Draw the cancellations of placed jobs that have not been cancelled yet."""
    rules, grid, code = w.rules[0], w.grids[e], CANCEL * int(KIND)
    if rules["cancelled"] == 0.0:
        return
    queue = w.heap[e, w.first_staged :]
    kept = [(float(t), int(j)) for t, j in queue[: int(grid["queued_events"])] if j < code]
    states, attempts = w.job_states[e, : int(grid["jobs"])], w.attempts[e, : int(grid["jobs"])]
    most, share = 2.0 * float(rules["cancel_s"]), float(rules["cancelled"])
    for j in np.flatnonzero((states["state"] > 0) & (states["state"] < FINISHED)).tolist():
        age = float(grid["clock"] - attempts["placed"][j])
        left = share * max(0.0, 1.0 - age / most) if most > 0.0 else 0.0
        if rng.random() < left / (1.0 - share + left):
            kept.append((float(grid["clock"]) + rng.uniform(0.0, most - age), code + j))
    kept.sort()  # a sorted list is a heap
    for k, entry in enumerate(kept):
        queue[k] = entry
    grid["queued_events"] = len(kept)


def _redraw_status(w: World, e: int, s: int, rng: np.random.Generator) -> None:
    """Draw how long site s keeps its status from now on."""
    rules, site_status, now = w.rules[0], w.site_status[e, s], float(w.grids[e]["clock"])
    if rules["outages"] == 0:
        return
    names = {DOWN: "stay_down", BROWN: "stay_brown"}
    ln_stay = float(rules[names.get(int(site_status["status"]), "stay_up")])
    step = float(rules["step_s"])
    ahead = math.floor((site_status["next_change"] - now) / step)
    boundary = float(site_status["next_change"]) - step * ahead
    more = math.floor(math.log(1.0 - rng.random()) / ln_stay)
    site_status["next_change"] = boundary + step * more
    lost = float(site_status["since"] + rules["heartbeat_s"])
    down = site_status["status"] == DOWN and now < lost < site_status["next_change"]
    site_status["heartbeat_loss"] = lost if down else math.inf


def _rebuild_site(w: World, e: int, s: int) -> None:
    """Order the ends of the running jobs of site s, and enter its next event."""
    site, first = w.sites[e, s], int(w.site_static["first_run"][s])
    heap = w.heap[e, first : first + int(site["running"])]
    rows = np.sort(heap["job"])
    ends = w.job_states["end"][e, rows]
    order = np.lexsort((rows, ends))
    heap["time"], heap["job"] = ends[order], rows[order]
    when = float(site["load_change"])
    if w.rules[0]["outages"] > 0:
        site_status = w.site_status[e, s]
        when = min(when, float(site_status["next_change"]), float(site_status["heartbeat_loss"]))
    if len(heap):
        when = min(when, float(heap["time"][0]))
    w.next_events[e, w.blocks + s] = when


def _rebuild_sums(w: World, e: int, rows: np.ndarray) -> None:
    """Count the true work of every site anew, and the predicted ends."""
    states, jobs, n = w.job_states[e, rows], w.jobs[e, rows], len(w.site_static)
    site, cores = states["site"], jobs["cores"]
    runs = states["state"] == RUNNING
    waits = (states["state"] == ASSIGNED) | (states["state"] == ACTIVATED)
    work = jobs["workload_true"] / w.site_static["speed"][site] * jobs["noise"]
    for name, values, which in (
        ("run_true", cores * states["end"], runs),
        ("run_pred", cores * states["pred_end"], runs),
        ("queue_true", work, waits & (cores > 0)),
    ):
        w.sites[name][e] = np.bincount(site[which], weights=values[which], minlength=n)


def _rebuild_events(w: World, e: int) -> None:
    """Find the next event of every block of sites."""
    sites = w.next_events[e, w.blocks :].reshape(w.blocks, BLOCK)
    w.next_events[e, : w.blocks] = sites.min(axis=1)
    w.block_leaders[e, : w.blocks] = sites.argmin(axis=1) + BLOCK * np.arange(w.blocks)
