"""The measures of an episode, computed from its log: one table entry each.

Judged jobs are those that the policy placed; jobs of the warm start and the further jobs of
`Scenario.tail_jobs` are not judged. A retried job counts once, from the arrival of its first
attempt to the end of the last one that was placed. The window is the time from the first to the
last arrival of a judged job. The bounded slowdown of a job is max(1, (end - arrival) /
max(ideal, bound)), where the ideal is its run on the fastest core; see `panda_gym.simulator.log`.
Feitelson's divides by the run itself, with a bound of 10 s; it takes slow sites for good ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from panda_gym.units import BYTES_PER_TB, SECONDS_PER_HOUR

Array = np.ndarray

FEITELSON_BOUND_S: Final = 10.0
"""Bound of Feitelson's bounded slowdown, s."""


@dataclass(frozen=True, eq=False)
class Outcomes:
    """The n attempts of a finished episode; values of a job are at its first attempt's row."""

    judged: Array
    """Whether the row is the first attempt of a job that the policy placed, bool[n]."""
    arrival_s: Array
    """Arrival, float64[n], s."""
    start_s: Array
    """Start of the run, float64[n], s; nan if it never started."""
    end_s: Array
    """End in any state, float64[n], s; nan if it was never placed."""
    ideal_s: Array
    """Run time on the fastest core, float64[n], s."""
    cores: Array
    """Cores held while running, int[n]."""
    project: Array
    """Project code, int[n]."""
    size: Array
    """Quarter of the judged jobs' true workloads, int[n], 0 .. 3."""
    input_bytes: Array
    """Size of the input, float64[n]."""
    moved_bytes: Array
    """Bytes that the attempt's transfers have moved between sites, float64[n]."""
    remote: Array
    """Whether its input came from another site, by its own transfer or a joined one, bool[n]."""
    of_judged: Array
    """Whether the row is an attempt of a judged job, bool[n]."""
    placed: Array
    """Whether the row's attempt was placed at a site, bool[n]."""
    at_black_hole: Array
    """Whether it was placed at a site that fails nearly every attempt, bool[n]."""
    reward_pred: Array
    """Predicted reward of each judged job, float64[m]."""
    reward_true: Array
    """The same from true workloads, float64[m]."""
    cost: Array
    """Cost of each step, float64[m]."""
    total_cores: float
    """Cores of the platform, those of the competing load included."""
    bound_s: float
    """Bound of the bounded slowdown, s."""
    last_end_s: Array
    """End of the last attempt of the row's job, float64[n], s, at its first attempt."""
    finished: Array
    """Whether that attempt finished, bool[n]; False at the rows of retries."""
    wasted_s: Array
    """Core seconds held by an attempt that did not finish, float64[n]."""
    work: Array
    """True work, Gflop, float64[n]."""
    run_s: Array
    """Run time of the last attempt of the row's job, float64[n], s; 0 if it never ran."""
    energy_kwh: Array
    """Energy of the cores that the attempt held, float64[n], kWh."""
    carbon_kg: Array
    """Emissions of that energy, float64[n], kg CO2e."""

    def wait(self) -> Array:
        """Return the time from arrival to start of each judged job's first attempt, float64[m], s.

        Stage-in is included. For an attempt that never started it is the time to its end.
        """
        return (np.fmin(self.start_s, self.end_s) - self.arrival_s)[self.judged]

    def turnaround(self) -> Array:
        """Return the time from arrival to end of last attempt of each judged job, float64[m], s."""
        return (self.last_end_s - self.arrival_s)[self.judged]

    def weighted_turnaround(self) -> float:
        """Return the mean of the judged jobs' turnarounds weighted by their work, s."""
        return float(np.average(self.turnaround(), weights=self.work[self.judged]))

    def slowdown(self) -> Array:
        """Return the bounded slowdown of each judged job, float64[m]."""
        ideal = np.maximum(self.ideal_s[self.judged], self.bound_s)
        return np.maximum(1.0, self.turnaround() / ideal)

    def feitelson_slowdown(self) -> Array:
        """Return the bounded slowdown against the job's own run time, float64[m].

        max(1, turnaround / max(run of the last attempt, 10 s)): Feitelson et al. (JSSPP 1997).
        """
        own = np.maximum(self.run_s[self.judged], FEITELSON_BOUND_S)
        return np.maximum(1.0, self.turnaround() / own)

    def window(self) -> tuple[float, float]:
        """Return the first and the last arrival of a judged job, s."""
        arrivals = self.arrival_s[self.judged]
        return float(arrivals.min()), float(arrivals.max())


@dataclass(frozen=True)
class Measure:
    """One column of a benchmark."""

    name: str
    unit: str
    better: Literal["low", "high", "neither"]
    meaning: str
    of: Callable[[Outcomes], float]


def throughput(run: Outcomes) -> float:
    """Return the jobs that finish within the window per hour, jobs of the warm start included."""
    first, last = run.window()
    ended = np.count_nonzero(run.finished & (run.last_end_s >= first) & (run.last_end_s <= last))
    return float(ended / max((last - first) / SECONDS_PER_HOUR, 1e-9))


def utilisation(run: Outcomes) -> float:
    """Return the share of the platform's core seconds within the window that jobs hold."""
    first, last = run.window()
    held = np.clip(run.end_s, first, last) - np.clip(run.start_s, first, last)
    return float(np.nansum(held * run.cores) / max(run.total_cores * (last - first), 1e-9))


def remote_share(run: Outcomes) -> float:
    """Return the share of judged jobs with input whose input came from another site."""
    has_input = run.judged & (run.input_bytes > 0)
    return float(np.mean(run.remote[has_input])) if has_input.any() else 0.0


def black_hole_share(run: Outcomes) -> float:
    """Return the share of the judged jobs' placed attempts that were placed at a black hole."""
    return float(run.at_black_hole[run.of_judged & run.placed].mean())


def fairness(run: Outcomes, group: Array) -> float:
    """Return Jain's index of the groups' mean bounded slowdowns: 1 is even, 1 / groups the least.

    Jain, Chiu and Hawe, "A quantitative measure of fairness", DEC-TR-301 (1984). group: int[n].
    """
    _, group = np.unique(group[run.judged], return_inverse=True)
    means = np.bincount(group, weights=run.slowdown()) / np.bincount(group)
    return float(means.sum() ** 2 / (len(means) * (means**2).sum()))


MEASURES: Final = (
    Measure(
        "mean_slowdown", "1", "low", "mean bounded slowdown", lambda r: float(r.slowdown().mean())
    ),
    Measure(
        "geometric_slowdown",
        "1",
        "low",
        "geometric mean of the bounded slowdown: few very late jobs do not drown the others",
        lambda r: float(np.exp(np.log(r.slowdown()).mean())),
    ),
    Measure(
        "ln_slowdown",
        "1",
        "low",
        "mean ln of the bounded slowdown against the run on the fastest core (bound: 600 s)",
        lambda r: float(np.log(r.slowdown()).mean()),
    ),
    Measure(
        "ln_slowdown_feitelson",
        "1",
        "low",
        "the same as Feitelson et al. define it: against the job's own run (bound: 10 s)",
        lambda r: float(np.log(r.feitelson_slowdown()).mean()),
    ),
    Measure(
        "p95_slowdown",
        "1",
        "low",
        "95th percentile of the bounded slowdown",
        lambda r: float(np.quantile(r.slowdown(), 0.95)),
    ),
    Measure(
        "p99_slowdown",
        "1",
        "low",
        "99th percentile of the bounded slowdown",
        lambda r: float(np.quantile(r.slowdown(), 0.99)),
    ),
    Measure(
        "mean_turnaround",
        "s",
        "low",
        "mean time from arrival to end",
        lambda r: float(r.turnaround().mean()),
    ),
    Measure(
        "weighted_turnaround",
        "s",
        "low",
        "mean time from arrival to end, weighted by work",
        Outcomes.weighted_turnaround,
    ),
    Measure(
        "p99_turnaround",
        "s",
        "low",
        "99th percentile of the time from arrival to end",
        lambda r: float(np.quantile(r.turnaround(), 0.99)),
    ),
    Measure(
        "drain_time",
        "s",
        "low",
        "time from the last arrival of a judged job until all of them have ended",
        lambda r: float(r.last_end_s[r.judged].max() - r.window()[1]),
    ),
    Measure(
        "mean_wait",
        "s",
        "low",
        "mean time from arrival to start, stage-in included",
        lambda r: float(r.wait().mean()),
    ),
    Measure(
        "p50_wait",
        "s",
        "low",
        "median time from arrival to start",
        lambda r: float(np.median(r.wait())),
    ),
    Measure(
        "p95_wait",
        "s",
        "low",
        "95th percentile of the time from arrival to start",
        lambda r: float(np.quantile(r.wait(), 0.95)),
    ),
    Measure("throughput", "jobs/h", "high", "jobs ended within the window per hour", throughput),
    Measure(
        "utilisation",
        "1",
        "neither",
        "share of all cores that the broker's jobs hold within the window",
        utilisation,
    ),
    Measure(
        "wan",
        "TB",
        "low",
        "bytes that moved between sites for judged jobs, all attempts and replications",
        lambda r: float(r.moved_bytes[r.of_judged].sum() / BYTES_PER_TB),
    ),
    Measure(
        "remote_share",
        "1",
        "neither",
        "share of judged jobs with input whose input came from another site",
        remote_share,
    ),
    Measure(
        "fairness_projects",
        "1",
        "high",
        "Jain's index of the projects' mean slowdowns",
        lambda r: fairness(r, r.project),
    ),
    Measure(
        "fairness_sizes",
        "1",
        "high",
        "Jain's index of the mean slowdowns of four classes of jobs, quarters by true workload",
        lambda r: fairness(r, r.size),
    ),
    Measure(
        "reward_pred",
        "1",
        "high",
        "mean reward a step, from predicted workloads",
        lambda r: float(r.reward_pred.mean()),
    ),
    Measure(
        "reward_true",
        "1",
        "high",
        "the same from true workloads",
        lambda r: float(r.reward_true.mean()),
    ),
    Measure(
        "reward_gap",
        "1",
        "neither",
        "reward_pred - reward_true: what is gained from the predictor's errors alone",
        lambda r: float(r.reward_pred.mean() - r.reward_true.mean()),
    ),
    Measure(
        "unfinished",
        "1",
        "low",
        "share of judged jobs whose last attempt did not finish",
        lambda r: float(1.0 - r.finished[r.judged].mean()),
    ),
    Measure(
        "wasted",
        "core h",
        "low",
        "cores held by attempts that did not finish",
        lambda r: float(r.wasted_s.sum() / SECONDS_PER_HOUR),
    ),
    Measure(
        "energy",
        "kWh",
        "low",
        "energy of the cores that judged jobs hold, all attempts; stand-in watts a core",
        lambda r: float(r.energy_kwh[r.of_judged].sum()),
    ),
    Measure(
        "carbon",
        "kg CO2e",
        "low",
        "emissions of that energy by country and hour of the day; stand-in figures",
        lambda r: float(r.carbon_kg[r.of_judged].sum()),
    ),
    Measure(
        "black_hole",
        "1",
        "low",
        "share of the decisions about judged jobs that name the black hole, a site that fails "
        "nearly every attempt; 0 where there is none",
        black_hole_share,
    ),
    Measure("cost", "1", "low", "mean cost a step", lambda r: float(r.cost.mean())),
)
"""The columns of a benchmark: a new measure is one entry."""

MEASURE: Final = {measure.name: measure for measure in MEASURES}
"""The same by name."""


def measure(run: Outcomes) -> dict[str, float]:
    """Return every measure of an episode by name."""
    return {column.name: column.of(run) for column in MEASURES}
