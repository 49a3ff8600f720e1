"""Failures of attempts, early or late, and the delay of pilots.

An attempt of job j at site s fails with probability min(most, hazard of j x risk of s). The
hazard comes from the jobstatus of the records of the job's class, the risk from those of the
site (`panda_gym.jobs.failure`). An early failure has used its cores for at most `early_s` (the
pilot finds the software or the input broken); a late one has done a uniform share of its run.

A black hole is a site where nearly every attempt fails at once. Its cores are free again soon, so
that to a broker that looks at queues it seems the fastest of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from panda_gym.errors import SettingError
from panda_gym.jit.compiled import inline
from panda_gym.jit.counter_rng import FAILS, PILOT, WHEN, job_draw
from panda_gym.simulator.ranges import check_ranges
from panda_gym.simulator.run_times import requested_run
from panda_gym.simulator.state import (
    BLACK_HOLE,
    EARLY,
    LATE,
    NO_CAUSE,
    REQUESTED_LIMIT,
    RUNNING_LIMIT,
)


@dataclass(frozen=True)
class Failures:
    """How often and when attempts fail."""

    scale: float = 1.0
    """Factor on every probability to fail."""
    most: float = 0.95
    """Greatest probability to fail."""
    early: float = 0.4
    """Share of the failures that come early."""
    early_s: float = 300.0
    """Run time until an early failure, s."""
    black_hole: int = 0
    """Site that fails nearly every attempt, by its rank in cores (1: the largest); 0: none."""
    black_hole_share: float = 0.95
    """Share of the attempts at the black hole that fail; the others do not."""
    black_hole_s: float = 60.0
    """Run time until they fail, s."""

    def __post_init__(self) -> None:
        shares = dict.fromkeys(("most", "early", "black_hole_share"), (0.0, 1.0))
        times = dict.fromkeys(("early_s", "black_hole_s"), (0.0, 1e6))
        ranks = {"black_hole": (0.0, 1e6)}
        check_ranges(self, "failures", {"scale": (0.0, 100.0), **shares, **times, **ranks})
        if int(self.black_hole) != self.black_hole:
            raise SettingError("a whole failures black_hole", repr(self.black_hole), "pass 1")

    def black_hole_site(self, cores: np.ndarray) -> int:
        """Return the site that is the black hole, -1 for none; of as many cores the first.

        cores: of every site, int[S]. SettingError if there are fewer sites than its rank.
        """
        if self.black_hole > len(cores):
            raise SettingError(
                f"failures black_hole of at most {len(cores)}, the sites of the platform",
                repr(self.black_hole),
                "lower it",
            )
        if self.black_hole == 0:
            return -1
        return int(np.argsort(-cores, kind="stable")[int(self.black_hole) - 1])


@dataclass(frozen=True)
class Retries:
    """New attempts after one that failed or was closed."""

    attempts: int = 3
    """Most attempts of a job."""
    delay_s: float = 600.0
    """From the failure to the arrival of the next attempt, s; at least the counters' age."""

    def __post_init__(self) -> None:
        check_ranges(self, "retries", {"attempts": (1, 10), "delay_s": (0.0, 1e7)})
        if int(self.attempts) != self.attempts:
            raise SettingError("whole retries attempts", repr(self.attempts), "pass 3")


@inline
def pilot_delay(w: Any, e: int, j: int) -> float:
    """Delay of the pilot of attempt j, from its cores to its run, s: uniform on [0, 2 pilot_s)."""
    mean = w.rules[0]["pilot_s"]
    if mean == 0.0:
        return 0.0
    one = w.attempts[e, j]
    return 2.0 * mean * job_draw(one["key"], one["attempt"], PILOT)


@inline
def failure_chance(w: Any, e: int, s: int, j: int) -> float:
    """Probability that attempt j fails at site s."""
    rules = w.rules[0]
    if rules["black_hole"] == s + 1:
        return rules["black_hole_share"]
    return min(rules["most"], w.attempts[e, j]["hazard"] * w.site_status[e, s]["risk"])


@inline
def draw_failure(w: Any, e: int, s: int, j: int, run: float) -> tuple[float, int]:
    """Draw how long attempt j runs at site s, s, and why it ends: `run` unless it fails."""
    rules, one = w.rules[0], w.attempts[e, j]
    cause = NO_CAUSE
    fails = job_draw(one["key"], one["attempt"], FAILS)
    if rules["failing"] > 0 and fails < failure_chance(w, e, s, j):
        when, early = job_draw(one["key"], one["attempt"], WHEN), rules["early"]
        if rules["black_hole"] == s + 1:
            run, cause = min(run, rules["black_hole_s"]), BLACK_HOLE
        elif when < early:
            run, cause = min(run, rules["early_s"]), EARLY
        else:
            run, cause = run * ((when - early) / (1.0 - early)), LATE
    if rules["limits"] > 0 and run > rules["running_s"]:
        run, cause = rules["running_s"], RUNNING_LIMIT
    if rules["kill"] > 0:
        requested = requested_run(w, e, s, j)
        if run > requested:
            run, cause = requested, REQUESTED_LIMIT
    return run, cause
