"""An episode as a log file holds it: jobs, rewards and costs of the steps, and the setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from panda_gym.errors import SettingError, nearest
from panda_gym.provenance import plain
from panda_gym.simulator import EpisodeLog

if TYPE_CHECKING:
    from panda_gym.jobs import JobStream
    from panda_gym.sites import Platform

Array = np.ndarray

LEVELS: Final = ("none", "jobs", "events")
"""Levels of detail of a log."""

ORIGIN_UNKNOWN: Final = "not said"


@dataclass(frozen=True, eq=False)
class Steps:
    """Rewards and costs of the steps, each array float64[n] over the rows of the log.

    A step belongs to the row that it decided; several steps on one row add up.
    """

    count: Array
    """Steps that decided the job, int32[n]; 0 for jobs of the warm start."""
    reward: Array
    """The reward of the environment."""
    reward_pred: Array
    """Predicted reward."""
    reward_true: Array
    """The same from true workloads."""
    cost: Array
    """Sum of the costs."""
    costs: Mapping[str, Array]
    """Every cost by name."""

    def columns(self) -> dict[str, Array]:
        """Return the columns of a table."""
        rewards = {name: getattr(self, name) for name in REWARDS}
        named = {f"{COST_PREFIX}{name}": values for name, values in self.costs.items()}
        return {"steps": self.count, **rewards, **named}


REWARDS: Final = ("reward", "reward_pred", "reward_true", "cost")
"""Names of rewards and costs, as in `PlacementBatch.report`."""
COST_PREFIX: Final = "cost_"


@dataclass(frozen=True, eq=False)
class LoggedEpisode:
    """One episode: its jobs, its steps, its events and its setting."""

    log: EpisodeLog
    """The jobs, one row per attempt."""
    steps: Steps | None = None
    """Rewards and costs of the steps; None if they were not recorded."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """Platform, stream, seed, policy and settings, see `about`."""
    events: Array | None = None
    """EVENT[m] in order of time, see `panda_gym.simulator.log`; None below that level."""

    @property
    def level(self) -> str:
        """The level of detail, one of LEVELS."""
        return "jobs" if self.events is None else "events"

    @property
    def site_names(self) -> tuple[str, ...]:
        """Names of the sites that `log.site` indexes."""
        return tuple(self.about["platform"]["sites"])

    @property
    def site_cores(self) -> Array:
        """Cores of each site, int64[S]."""
        return np.asarray(self.about["platform"]["cores"], dtype=np.int64)


def about(
    platform: Platform,
    stream: JobStream,
    *,
    clock_s: float = 0.0,
    seed: int | None = None,
    policy: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return platform, stream, seed, policy and settings of an episode as plain data.

    clock_s: seconds since Monday 00:00 UTC at time 0. settings: the scenario's.
    """
    return {
        "platform": {
            "name": platform.name,
            "sites": list(platform.names),
            "region": list(platform.region),
            "cores": platform.cores.tolist(),
            "power": platform.power.tolist(),
        },
        "stream": {"name": stream.name, "origin": stream.origin or ORIGIN_UNKNOWN},
        "clock_s": float(clock_s),
        "seed": seed,
        "policy": policy,
        "settings": plain(dict(settings or {})),
    }


def check_level(level: Any) -> str:
    """Return `level` if it is one of LEVELS, else raise SettingError."""
    if level not in LEVELS:
        raise SettingError(f"log_level in {LEVELS}", repr(level), nearest(str(level), LEVELS))
    return str(level)
