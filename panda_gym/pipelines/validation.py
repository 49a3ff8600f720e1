"""Validate distributions: fit them to the first days of a trace, compare them with the rest.

The rest is simulated once per seed. Compared are the hourly profile, the Fano factor of hourly
counts (variance over mean), gaps and durations (quantiles, KS distance), and the waits of recorded
and simulated jobs in one first-come first-served queue.
"""

from __future__ import annotations

import heapq
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from scipy import stats

from panda_gym.distributions import Arrivals, Stratified, fit_arrivals
from panda_gym.distributions.samples import rising
from panda_gym.errors import DistributionError, check_seed
from panda_gym.files import whole_file
from panda_gym.pipelines.validation_page import validation_page
from panda_gym.units import SECONDS_PER_DAY, SECONDS_PER_HOUR

Array = np.ndarray

LEVELS: Final = tuple(np.round(np.linspace(0.05, 0.95, 19), 2).tolist())
"""Probabilities of the quantiles that are compared."""
LOAD: Final = 0.9
"""Load of the queue where the number of processors is unknown: work over processors and time."""
LEAST_JOBS: Final = 100
"""Fewest jobs before and after the cut."""
WAIT_LEVELS: Final = (0.5, 0.75, 0.9, 0.95, 0.99)
"""Probabilities of the quantiles of waits."""


@dataclass(frozen=True)
class Validation:
    """Result of a validation; lists of simulated figures have one entry per seed."""

    origin: str
    """Name of the trace."""
    model: str
    """Model of arrivals."""
    fitted_jobs: int
    """Jobs before the cut."""
    fitted_days: float
    """Days before the cut."""
    rest_jobs: int
    """Jobs after the cut."""
    rest_days: float
    """Days after the cut."""
    profile: dict[str, list[float]]
    """Jobs in every whole hour of the rest: recorded, and the mean simulated."""
    profile_correlation: float
    """Correlation of recorded and mean simulated hourly counts."""
    baseline_correlation: float
    """Correlation of recorded counts and those of the same hour a week before."""
    total: dict[str, Any]
    """Jobs of the rest: recorded, simulated."""
    fano: dict[str, Any]
    """Variance over mean of hourly counts: recorded in the fitted part and the rest, simulated."""
    gaps: dict[str, Any]
    """Quantiles of gaps at LEVELS and KS distance of the rest from the simulated."""
    durations: dict[str, Any]
    """Quantiles of durations at LEVELS, KS, and the largest deviation between 5 and 95 %."""
    fitted_durations: dict[str, Any]
    """The same against the fitted part: whether the distribution describes its own sample."""
    waits: dict[str, Any]
    """Processors, load, and quantiles of waits: recorded, simulated."""

    def write(self, folder: str | Path) -> Path:
        """Write validation.json and validation.html; return the path of the page."""
        folder = Path(folder)
        with whole_file(folder / "validation.json") as aside:
            aside.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        with whole_file(folder / "validation.html") as aside:
            aside.write_text(validation_page(asdict(self)), encoding="utf-8")
        return folder / "validation.html"


class Jobs(NamedTuple):
    """Recorded or simulated jobs in order of arrival."""

    time: Array
    """float64[n]: arrivals, s."""
    duration: Array
    """float64[n], s."""
    cores: Array
    """int64[n]: processors that a job holds."""


def validate(
    arrival_s: Array,
    duration_s: Array,
    strata: Array,
    *,
    cores: Array | None = None,
    processors: int | None = None,
    days: float = 8.0,
    start_s: float = 0.0,
    model: str = "hour_of_week",
    seeds: int = 5,
    origin: str = "a trace",
) -> Validation:
    """Fit distributions to the first days of a trace and compare them with the rest.

    Args:
        arrival_s: float64[n], s from the trace's start.
        duration_s: float64[n], s; durations of 0 are read as half a second.
        strata: labels [n] by which durations are fitted.
        cores: int64[n], processors that a job holds; None: 1.
        processors: processors of the recorded system, for the queue; None: as many as give LOAD.
        days: days before the cut.
        start_s: time of the week (s since Monday 00:00 UTC) at time 0.
        model: model of arrivals, one of `arrivals.MODELS`.
        seeds: number of simulations of the rest.
        origin: name of the trace.

    Raises:
        DistributionError: too few jobs on one side of the cut, samples that cannot be fitted, or
            a job that holds more processors than there are.
    """
    check_seed(seeds)
    jobs, label = _ordered(arrival_s, duration_s, strata, cores)
    cut = days * SECONDS_PER_DAY
    early, late = jobs.time < cut, jobs.time >= cut
    if min(early.sum(), late.sum()) < LEAST_JOBS:
        needed = f"{LEAST_JOBS} jobs before and after the cut"
        raise DistributionError(needed, f"{early.sum()} and {late.sum()}", "change days")
    arrivals = fit_arrivals(jobs.time[early], model, start_s)
    durations = Stratified.fit(jobs.duration[early], label[early])
    fitted = Jobs(*(column[early] for column in jobs))
    rest = Jobs(rising(jobs.time[late]) - cut, jobs.duration[late], jobs.cores[late])
    span = float(jobs.time[-1] - cut)
    simulated = [
        _simulated(arrivals, durations, label[early], fitted.cores, span, start_s + cut, seed)
        for seed in range(seeds)
    ]
    rng = np.random.default_rng([0, 7])
    own = _durations(durations, label[early][_rows(label[early], 50_000, rng)], rng)
    return Validation(
        origin=origin,
        model=model,
        fitted_jobs=int(early.sum()),
        fitted_days=days,
        rest_jobs=int(late.sum()),
        rest_days=span / SECONDS_PER_DAY,
        **_arrival_figures(fitted, rest, simulated, cut, span),
        durations=_compared(rest.duration, np.concatenate([one.duration for one in simulated])),
        fitted_durations=_compared(fitted.duration, own),
        waits=_wait_figures(rest, simulated, span, processors),
    )


def _ordered(
    arrival_s: Array, duration_s: Array, strata: Array, cores: Array | None
) -> tuple[Jobs, Array]:
    """Return jobs and their strata in order of arrival."""
    order = np.argsort(arrival_s, kind="stable")
    held = np.ones(len(order), dtype=np.int64) if cores is None else np.asarray(cores)
    jobs = Jobs(
        np.asarray(arrival_s, dtype=np.float64)[order],
        np.maximum(np.asarray(duration_s, dtype=np.float64)[order], 0.5),
        held.astype(np.int64)[order],
    )
    return jobs, np.asarray(strata).astype(str)[order]


def _rows(label: Array, n: int, rng: np.random.Generator) -> Array:
    """Draw n rows of the fitted part, whose stratum and cores simulated jobs take."""
    return rng.integers(len(label), size=n)


def _simulated(
    arrivals: Arrivals,
    durations: Stratified,
    label: Array,
    cores: Array,
    span: float,
    start_s: float,
    seed: int,
) -> Jobs:
    """Draw the jobs of the rest."""
    rng = np.random.default_rng([seed, 6])
    times = arrivals.until(rng, span, start_s)
    row = _rows(label, len(times), rng)
    return Jobs(times, _durations(durations, label[row], rng), cores[row])


def _durations(durations: Stratified, label: Array, rng: np.random.Generator) -> Array:
    """Draw the durations of jobs of these strata."""
    found = np.zeros(len(label))
    for name in np.unique(label):
        mine = label == name
        found[mine] = durations.of(str(name)).sample(rng, int(mine.sum()))
    return found


def _arrival_figures(
    fitted: Jobs, rest: Jobs, simulated: list[Jobs], cut: float, span: float
) -> dict[str, Any]:
    """Return the figures of a Validation that concern arrivals."""
    counts = np.array([_hourly(one.time, span) for one in simulated])
    recorded, before = _hourly(rest.time, span), _hourly(fitted.time, cut)
    week = _week_before(before, len(recorded), int(cut // SECONDS_PER_HOUR))
    mean = counts.mean(axis=0)
    return {
        "profile": {"recorded": recorded.tolist(), "simulated": mean.tolist()},
        "profile_correlation": _correlation(recorded, mean),
        "baseline_correlation": _correlation(recorded, week),
        "total": {"recorded": len(rest.time), "simulated": [len(one.time) for one in simulated]},
        "fano": {
            "fitted part": _fano(before),
            "recorded": _fano(recorded),
            "simulated": [_fano(row) for row in counts],
        },
        "gaps": _compared(
            np.diff(rest.time), np.concatenate([np.diff(one.time) for one in simulated])
        ),
    }


def _hourly(times: Array, span: float) -> Array:
    """Return the jobs in every whole hour of a span."""
    hours = max(int(span // SECONDS_PER_HOUR), 1)
    return np.histogram(times, bins=hours, range=(0.0, hours * SECONDS_PER_HOUR))[0].astype(float)


def _week_before(before: Array, hours: int, cut: int) -> Array:
    return before[[(cut + h) % 168 for h in range(hours)]] if cut >= 168 else np.full(hours, np.nan)


def _correlation(a: Array, b: Array) -> float:
    if not (np.isfinite(b).all() and a.std() > 0 and b.std() > 0):
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def _fano(counts: Array) -> float:
    return float(counts.var(ddof=1) / counts.mean())


def _compared(recorded: Array, simulated: Array) -> dict[str, Any]:
    a, b = (np.quantile(x, LEVELS) for x in (recorded, simulated))
    return {
        "recorded": a.tolist(),
        "simulated": b.tolist(),
        "ks": float(stats.ks_2samp(recorded, simulated).statistic),
        "largest_deviation": float(np.abs(b / np.maximum(a, 1e-9) - 1.0).max()),
    }


def _wait_figures(
    rest: Jobs, simulated: list[Jobs], span: float, processors: int | None
) -> dict[str, Any]:
    """Return the waits of recorded and simulated jobs in one queue."""
    work = float((rest.duration * rest.cores).sum())
    widest = int(max(jobs.cores.max(initial=1) for jobs in (rest, *simulated)))
    count = max(int(np.ceil(work / (span * LOAD))), widest) if processors is None else processors
    return {
        "processors": count,
        "load": work / (span * count),
        "recorded": _waits_of(rest, count),
        "simulated": [_waits_of(one, count) for one in simulated],
    }


def _waits_of(jobs: Jobs, processors: int) -> dict[str, float]:
    wait = queue_waits(jobs.time, jobs.duration, processors, jobs.cores)
    found = {f"q{round(100 * q)}": float(np.quantile(wait, q)) for q in WAIT_LEVELS}
    return {"mean": float(wait.mean()), "waiting": float((wait > 0).mean()), **found}


def queue_waits(
    times: Array, durations: Array, processors: int, cores: Array | None = None
) -> Array:
    """Return the waits in a first-come first-served queue of identical processors, float64[n], s.

    A job holds `cores` processors at once (1 if None) and no job overtakes another; for one
    processor per job this is the queue of Kiefer and Wolfowitz (1955). Raises DistributionError
    if a job holds more processors than there are.
    """
    held = np.ones(len(times), dtype=np.int64) if cores is None else np.asarray(cores)
    if len(held) and held.max() > processors:
        needed = f"jobs of at most {processors} processors"
        raise DistributionError(needed, f"one of {held.max()}", "raise the number of processors")
    free, last = [0.0] * processors, 0.0
    waits = np.zeros(len(times))
    jobs = zip(times.tolist(), durations.tolist(), held.tolist(), strict=True)
    for i, (time, duration, count) in enumerate(jobs):
        freed = [heapq.heappop(free) for _ in range(count)]
        last = max(time, last, freed[-1])
        waits[i] = last - time
        for _ in range(count):
            heapq.heappush(free, last + duration)
    return waits
