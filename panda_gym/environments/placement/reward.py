"""Rewards: functions of the outcome of a decision.

Each takes the outcomes of E decisions (a structured array, see `panda_gym.simulator.state`:
OUTCOME) and the bound of the bounded slowdown in seconds, and returns float64[E], to be
maximised. A new reward is one function and one line in REWARDS.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Final

import numpy as np

from panda_gym.errors import SettingError, nearest

Array = np.ndarray
Reward = Callable[[Array, float], Array]

REWARDS: Final = {
    "predicted": "panda_gym.environments.placement.reward:predicted",
    "true": "panda_gym.environments.placement.reward:true",
    "jobs_in_system": "panda_gym.environments.placement.reward:jobs_in_system",
    "slowdown": "panda_gym.environments.placement.reward:slowdown",
    "shaped_slowdown": "panda_gym.environments.placement.reward:shaped_slowdown",
    "throughput": "panda_gym.environments.placement.reward:throughput",
}

SECONDS_PER_UNIT: Final = 3600.0
"""`jobs_in_system` is in job hours."""
GFLOP_PER_UNIT: Final = 1e5
"""`throughput` is in units of this work."""


def create(name: str) -> Reward:
    """The reward of a name; SettingError names the nearest if there is none."""
    if name not in REWARDS:
        raise SettingError("the name of a reward", repr(name), nearest(str(name), REWARDS))
    module, _, function = REWARDS[name].partition(":")
    reward: Reward = getattr(importlib.import_module(module), function)
    return reward


def functions() -> dict[str, Reward]:
    """All rewards by name."""
    return {name: create(name) for name in REWARDS}


def bounded_slowdown(wait_s: Array, run_s: Array, ideal_s: Array, bound_s: float) -> Array:
    """max(1, (wait + run) / max(ideal, bound)), after Feitelson et al. (JSSPP 1997).

    `ideal_s` is the run on the platform's fastest core: divided by the run at the chosen site, a
    slow site would look as good as a fast one.
    """
    return np.maximum(1.0, (wait_s + run_s) / np.maximum(ideal_s, bound_s))


def predicted(outcome: Array, bound_s: float) -> Array:
    """Minus ln of the bounded slowdown expected from the predicted workloads.

    The wait is the time since the job's first attempt arrived, plus the transfer, plus the work
    ahead at the site, as it truly stands at the decision (not as the stale counters show it),
    over the cores that others leave. A deferral pays nothing; the time it costs is paid for when
    the job is placed.
    """
    wait = outcome["age"] + outcome["transfer"] + outcome["wait_pred"]
    return 0.0 - np.log(bounded_slowdown(wait, outcome["run_pred"], outcome["ideal_pred"], bound_s))


def true(outcome: Array, bound_s: float) -> Array:
    """`predicted`, with true workloads and run noise: this job's, and those ahead of it."""
    wait = outcome["age"] + outcome["transfer"] + outcome["wait_true"]
    return 0.0 - np.log(bounded_slowdown(wait, outcome["run_true"], outcome["ideal_true"], bound_s))


def jobs_in_system(outcome: Array, bound_s: float) -> Array:
    """Minus the time integral of the unfinished jobs until the next decision, job hours."""
    return -outcome["area"] / SECONDS_PER_UNIT


def slowdown(outcome: Array, bound_s: float) -> Array:
    """Minus the sum of ln(bounded slowdown) of the jobs that ended until the next decision."""
    return -outcome["ended_ln"]


def shaped_slowdown(outcome: Array, bound_s: float) -> Array:
    """Minus the growth, until the next decision, of the sum of the judged jobs' expected ln(bounded
    slowdown).

    What is expected of a job is a forecast when it is placed, and its true value from when it
    starts. Over an episode that goes on until its judged jobs have ended (`tail_jobs=`), these
    rewards sum to minus the sum of ln(bounded slowdown) of the judged jobs, which benchmarks
    measure. It is a potential-based shaping (Ng, Harada and Russell, ICML 1999) of that objective.
    """
    return -outcome["expected_ln"]


def throughput(outcome: Array, bound_s: float) -> Array:
    """Work of the jobs that ended until the next decision, 1e5 Gflop."""
    return outcome["ended_gflop"] / GFLOP_PER_UNIT
