"""An episode as its log file holds it: jobs, what the steps paid, and what the world was.

Knows no file format and no environment.
"""

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
"""How much of an episode is kept."""

ORIGIN_UNKNOWN: Final = "not said"


@dataclass(frozen=True, eq=False)
class Steps:
    """What the decisions paid, each array float64[n] over the rows of the log.

    A step counts for the job that it decided; several steps on one job add up.
    """

    count: Array
    """Steps that decided the job, int32[n]; 0 for jobs of the warm start."""
    reward: Array
    """What the environment paid."""
    reward_pred: Array
    """Predicted reward."""
    reward_true: Array
    """The same from true workloads."""
    cost: Array
    """Sum of the costs."""
    costs: Mapping[str, Array]
    """Every cost by name."""

    def columns(self) -> dict[str, Array]:
        """As columns of a table."""
        rewards = {name: getattr(self, name) for name in PAID}
        named = {f"{COST_PREFIX}{name}": values for name, values in self.costs.items()}
        return {"steps": self.count, **rewards, **named}


PAID: Final = ("reward", "reward_pred", "reward_true", "cost")
"""What a step pays, as `PlacementBatch.report` and `PlacementBatch.rewards` name it."""
COST_PREFIX: Final = "cost_"


@dataclass(frozen=True, eq=False)
class LoggedEpisode:
    """One episode: who did what, when, and in which world."""

    log: EpisodeLog
    """The jobs."""
    steps: Steps | None = None
    """What the steps paid; None where nobody recorded them."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """What the world was: see `about`."""
    events: Array | None = None
    """EVENT[m] in order of time, see `panda_gym.simulator.log`; None below that level."""

    @property
    def level(self) -> str:
        """Which of LEVELS this is."""
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
    """What stands beside the rows of a log, as plain data.

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
    """Return `level` if it is one of LEVELS; SettingError else."""
    if level not in LEVELS:
        raise SettingError(f"log_level in {LEVELS}", repr(level), nearest(str(level), LEVELS))
    return str(level)
