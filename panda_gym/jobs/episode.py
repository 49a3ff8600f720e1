"""Cut an episode from a stream and map it onto a platform.

Everything random is drawn here from the episode's seed: the window's first job and three uniforms
a job. The places of data are fixed by the replica catalogue (see `catalogue`).

The factor on a job's run time is (1 + s x) / (1 - s x) with x = 2u - 1 and s = NOISE_SPREAD:
median 1, as often a factor f as 1 / f, like a lognormal of sigma 2 s / sqrt(3) = 0.12 cut at 0.82
and 1.22; basic arithmetic, so the result is the same bit for bit on every machine.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from panda_gym.errors import StreamError, check_seed
from panda_gym.jobs.catalogue import catalogue
from panda_gym.jobs.disturbance import Disturbance
from panda_gym.jobs.failure import failure_rates
from panda_gym.jobs.fields import ARRAYS, UNIFORMS
from panda_gym.jobs.residual_jobs import draw_residual_jobs
from panda_gym.jobs.stream import JobStream
from panda_gym.sites import Platform
from panda_gym.units import SECONDS_PER_WEEK

NOISE_SPREAD: Final = 0.1
"""Spread s of the factor on the run time."""
MONDAY: Final = np.datetime64("1970-01-05", "s")
"""A Monday, where the time of the week is 0."""


@dataclass(frozen=True, eq=False)
class Episode:
    """n jobs in order of arrival, with their random draws and the replicas of their input."""

    warmup: int
    """Number of jobs, residual ones included, that are placed before the policy's first."""
    load: float
    """Offered load of the jobs that arrive: work / (span x capacity x (1 - competing_mean))."""
    arrival_s: np.ndarray
    """Arrival, float64[n], s, the first at 0, non-decreasing."""
    clock_s: float
    """Time of the week (s since Monday 00:00 UTC) at arrival_s == 0, for daily cycles."""
    cores: np.ndarray
    """Cores needed, int32[n]."""
    workload_true: np.ndarray
    """Work, float64[n], Gflop."""
    workload_pred: np.ndarray
    """Work that a broker expects, float64[n], Gflop."""
    input_bytes: np.ndarray
    """Size of the input, float64[n], bytes."""
    input_files: np.ndarray
    """Files of the input, int32[n]."""
    dataset: np.ndarray
    """Which input it reads, int32[n]."""
    source: np.ndarray
    """Site of the platform that held the data, int16[n], -1 unknown."""
    replicas: np.ndarray
    """Sites of the platform that hold the dataset, int16[n, 3]; -1 none."""
    status: np.ndarray
    """How the record ended, int8[n]."""
    project: np.ndarray
    """Project code, int16[n]."""
    prodstep: np.ndarray
    """Production step code, int16[n]."""
    datatype: np.ndarray
    """Data type code, int16[n]."""
    noise: np.ndarray
    """Factor on the run time, float64[n], median 1."""
    noise_u: np.ndarray
    """The uniform behind `noise`, float64[n] in [0, 1)."""
    failure_u: np.ndarray
    """Uniform of the failure, float64[n] in [0, 1)."""
    place_u: np.ndarray
    """Uniform of the warm start's placement, float64[n] in [0, 1)."""
    hazard: np.ndarray | float = 0.0
    """Probability that an attempt fails at a site of risk 1, float64[n]; see `failure`."""
    risk: np.ndarray | float = 1.0
    """Factor of each site of the platform on it, float64[S]."""
    requested_s: np.ndarray | float = 0.0
    """Requested wall time, float64[n], s; 0: none."""
    tail: int | None = None
    """The last so many jobs are not judged, and the episode ends when all others have ended.
    None: the episode ends after one decision a job that arrives after the warm start."""
    next_job: Episode | None = None
    """The job that the stream has after these, alone: the last observation shows it, and nothing
    places it. None: the stream has no more."""

    def __len__(self) -> int:
        return len(self.arrival_s)


def episode(
    stream: JobStream,
    platform: Platform,
    *,
    jobs: int,
    warmup: int = 0,
    running: int = 0,
    load: float | None = 0.95,
    competing_mean: float = 0.0,
    seed: int = 0,
    strict: bool = False,
    anomaly: Disturbance | None = None,
    start: int | None = None,
    efficiency: float = 1.0,
    tail: int | None = None,
) -> Episode:
    """Cut an episode of running + warmup + jobs jobs from a stream and map it onto a platform.

    Args:
        stream: read from job `start` on. With a load it repeats past its end; at recorded times
            it ends with its last job.
        platform: its sites are what `source` and `replicas` index.
        jobs: jobs that the policy places, at least 1.
        warmup: jobs that arrive before them.
        running: residual jobs (`residual_jobs`): they arrive at 0 with a share of their work, of
            its prediction and of the requested wall time left, and their input at hand.
        load: recorded times are stretched until work / (span x capacity x (1 - competing_mean))
            is this, where span runs from the first to the last arrival; None keeps them.
        competing_mean: mean share of the capacity that other work takes, in [0, 1).
        seed: same seed, same episode.
        strict: a site that the platform does not have is an error.
        anomaly: what happens in the window; the load is that of its ordinary jobs.
        start: first job of the window; None draws it by the seed.
        efficiency: CPU efficiency of the simulation. Where the stream records wall times, work is
            multiplied by it and noise is left out, so that run times come out as recorded.
        tail: further jobs of the stream that arrive after these and are not judged; the jobs
            before them are the same with any tail. The episode then ends when the judged jobs
            have ended. None: no further jobs, and an episode of `jobs` decisions.

    Raises:
        StreamError: a setting out of range, a job that fits no site, a load that cannot be
            reached (no work, or all jobs at once), an unknown site if strict.
    """
    rng = np.random.default_rng(check_seed(seed))
    count = _check(jobs, warmup, running, load, competing_mean)
    start = _start(stream, start, count + (tail or 0), load, rng)
    row, arrival = stream.rows(start, count)
    part = {field: getattr(stream, field)[row] for field in ARRAYS if field != "arrival_s"}
    rates = failure_rates(stream, platform)
    part["hazard"] = rates.hazard[row]
    free = platform.capacity_gflops * (1.0 - competing_mean)
    scale = efficiency if stream.wall_times else 1.0
    factor = 1.0 if load is None else _stretch(part["workload_true"], arrival, free * load / scale)
    if anomaly is not None:
        window, part["hazard"] = anomaly.of_window(stream, start, count, rates.hazard)
        arrival = window.arrival_s
        part |= {field: getattr(window, field) for field in ARRAYS if field != "arrival_s"}
    part |= dict(zip(UNIFORMS, rng.random((3, count)), strict=True))
    first_s, span = arrival[0], (arrival[-1] - arrival[0]) * factor
    offered = float(part["workload_true"].sum()) * scale
    if tail:
        after, late = _tail(stream, rates.hazard, start, count, tail, seed)
        part = {field: np.concatenate([part[field], after[field]]) for field in part}
        arrival = np.concatenate([arrival, arrival[-1] + late])
    if running:
        part = _with_residual_jobs(part, stream, running, rng)
    if stream.wall_times:
        part |= {field: part[field] * scale for field in ("workload_true", "workload_pred")}
        part["noise_u"] = np.full(len(part["cores"]), 0.5)  # the median: a factor of exactly 1
    _check_fit(part["cores"], platform)
    known = catalogue(stream, platform, strict)
    part["source"] = known.sites[part["source"]]
    position = start + count + (tail or 0)
    ends = load is None and position >= len(stream)
    return Episode(
        warmup=running + warmup,
        load=offered / (span * free) if span > 0.0 else float("nan"),
        arrival_s=np.concatenate([np.zeros(running), (arrival - first_s) * factor]),
        clock_s=_time_of_week(stream.epoch, first_s),
        replicas=known.replicas.take(part["dataset"], axis=0),
        noise=noise(part["noise_u"]),
        risk=rates.risk,
        tail=tail,
        next_job=None if ends else _next_job(stream, platform, position % len(stream), scale),
        **part,
    )


def _next_job(stream: JobStream, platform: Platform, row: int, scale: float) -> Episode | None:
    """Return row `row` of the stream as an episode of one job; None if it fits no site."""
    part = {field: getattr(stream, field)[[row]] for field in ARRAYS if field != "arrival_s"}
    if part["cores"][0] > platform.cores.max():
        return None
    known = catalogue(stream, platform, False)
    part |= {field: part[field] * scale for field in ("workload_true", "workload_pred")}
    part["source"] = known.sites[part["source"]]
    return Episode(
        warmup=0,
        load=float("nan"),
        arrival_s=np.zeros(1),
        clock_s=0.0,
        replicas=known.replicas[part["dataset"]],
        noise=noise(part["noise_u"]),
        **part,
    )


def _start(
    stream: JobStream, start: int | None, count: int, load: float | None, rng: np.random.Generator
) -> int:
    """Return the first job of the window; at recorded times the window ends within the stream."""
    if load is not None:
        return int(rng.integers(len(stream))) if start is None else start
    last = len(stream) - count - (start or 0)
    if last < 0:
        raise StreamError(
            f"at most {len(stream) - (start or 0)} jobs, as stream {stream.name!r} has them at"
            " recorded times",
            f"{count} jobs with those of the warm-up",
            "pass jobs='all' (--jobs all), fewer jobs, or a load",
        )
    return int(rng.integers(last + 1)) if start is None else start


TAIL: Final = 1
"""Second number of the seed of the tail's draws, so that they change no draw before them."""


def _tail(
    stream: JobStream, hazard: np.ndarray, start: int, count: int, tail: int, seed: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The `tail` jobs of the stream behind a window, and their recorded times after its last."""
    _, arrival = stream.rows(start, count + tail)
    row, _ = stream.rows((start + count) % len(stream), tail)
    rng = np.random.default_rng([check_seed(seed), TAIL])
    part = {field: getattr(stream, field)[row] for field in ARRAYS if field != "arrival_s"}
    part["hazard"] = hazard[row]
    part |= dict(zip(UNIFORMS, rng.random((3, tail)), strict=True))
    return part, arrival[count:] - arrival[count - 1]


def noise(uniform: np.ndarray) -> np.ndarray:
    """Return factors on the run time from uniforms, float64[n]; see the module's docstring."""
    x = NOISE_SPREAD * (2.0 * uniform - 1.0)
    return (1.0 + x) / (1.0 - x)


def _with_residual_jobs(
    part: dict[str, np.ndarray], stream: JobStream, n: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return the arrays of a window with n residual jobs before it."""
    drawn = draw_residual_jobs(stream, n, rng)
    table = stream.table.take(drawn.row)
    begun = {field: table[field] for field in part if field != "hazard"}
    begun["hazard"] = np.zeros(n)  # they have run up to here
    begun |= dict(zip(UNIFORMS, rng.random((3, n)), strict=True))
    for field in ("workload_true", "workload_pred", "requested_s"):
        begun[field] = begun[field] * drawn.left
    begun["input_bytes"] = np.zeros(n)
    return {field: np.concatenate([begun[field], part[field]]) for field in part}


def _check(jobs: Any, warmup: Any, running: Any, load: Any, competing_mean: Any) -> int:
    """Refuse settings out of range; return the number of jobs that arrive."""
    for name, value, low in (("jobs", jobs, 1), ("warmup", warmup, 0), ("running", running, 0)):
        try:
            fine = not isinstance(value, bool) and operator.index(value) >= low
        except TypeError:
            fine = False
        if not fine:
            raise StreamError(f"{name} as a whole number >= {low}", repr(value), f"pass {name}=100")
    if load is not None and not 0.0 < load < np.inf:
        raise StreamError("a load above 0, or None", repr(load), "pass for example load=0.95")
    if not 0.0 <= competing_mean < 1.0:
        came = repr(competing_mean)
        raise StreamError("competing_mean in [0, 1)", came, "pass for example competing_mean=0.3")
    return int(jobs) + int(warmup)


def _check_fit(cores: np.ndarray, platform: Platform) -> None:
    most, largest = int(cores.max()), int(platform.cores.max())
    if most > largest:
        needed = f"jobs of at most {largest} cores, the largest site of {platform.name!r}"
        raise StreamError(needed, f"one of {most}", "raise scale=, or drop such jobs")


def _stretch(work: np.ndarray, arrival: np.ndarray, rate: float) -> float:
    """Return the factor on times at which work arrives at `rate` Gflop/s; 1 for one job."""
    if len(work) == 1:
        return 1.0
    span, total = float(arrival[-1] - arrival[0]), float(work.sum())
    if span <= 0.0 or total <= 0.0:
        came = "all at once" if span <= 0.0 else "no work at all"
        raise StreamError(f"{len(work)} jobs with work, spread in time", came, "pass load=None")
    return total / (rate * span)


def _time_of_week(epoch: str, arrival_s: float) -> float:
    since = (np.datetime64(epoch, "s") - MONDAY).astype(np.float64) + arrival_s
    return float(since % SECONDS_PER_WEEK)
