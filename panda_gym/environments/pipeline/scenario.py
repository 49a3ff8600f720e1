"""Settings of `PandaGrid/Pipelines-v0`."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Final

import numpy as np

from panda_gym.environments.pipeline.reward import REWARDS
from panda_gym.errors import KeywordError, PipelineError, SettingError, nearest
from panda_gym.pipelines.fleet import Fleet
from panda_gym.pipelines.operations import Cluster, Operations
from panda_gym.sites import Platform, load_platform

FLEET: Final = {"models": 12, "arrivals_per_day": 2.0, "age_days": 4.0, "drift_per_day": 0.04}
"""Settings of the fleet that differ from `Fleet`'s own."""


@dataclass(frozen=True, kw_only=True)
class PipelineScenario:
    """Settings of the environment; all fields of `panda_gym.pipelines.fleet.Fleet` are too."""

    days: float = 14.0
    """Length of an episode."""
    review_hours: float = 6.0
    """Time between occasions to retrain a model unasked."""
    platform: str | Platform = "small15"
    """Grid whose sites can train: a shipped name, a file or folder, or a Platform."""
    sites: int = 3
    """How many of its sites, the largest ones beside the home site; 0: none."""
    site_share: float = 0.03
    """Share of a site's cores that are slots for training."""
    site_cost: float = 0.2
    """Cost of a slot of a site in use, an hour."""
    home: str | None = None
    """Site where the data store is; None: the largest."""
    reward: str = "lost"
    """`lost`: minus the quality hours lost and minus the price, over the weights; `net`: quality
    hours minus price; `quality`: quality hours alone."""
    fleet: Fleet = field(default_factory=lambda: Fleet(**FLEET))  # type: ignore[arg-type]
    """The models and their pipelines."""

    def __post_init__(self) -> None:
        if self.reward not in REWARDS:
            close = nearest(str(self.reward), REWARDS)
            raise SettingError(f"reward as one of {tuple(REWARDS)}", repr(self.reward), close)
        for name in ("days", "review_hours", "site_share"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0.0 < value < float("inf"):
                raise SettingError(f"{name} above 0", repr(value), f"change {name}=")
        if isinstance(self.sites, bool) or not isinstance(self.sites, int) or self.sites < 0:
            raise SettingError("sites as a whole number >= 0", repr(self.sites), "change sites=")

    @classmethod
    def of(cls, **settings: Any) -> PipelineScenario:
        """The scenario of keyword settings; SettingError names the nearest for a mistyped one."""
        own = {one.name for one in fields(cls)}
        of_fleet = {one.name for one in fields(Fleet)}
        for key in settings:
            if key not in own | of_fleet:
                raise KeywordError.of("PipelineEnv", key, nearest(key, own | of_fleet))
        mine = {key: value for key, value in settings.items() if key in own}
        rest = {key: value for key, value in settings.items() if key not in own}
        try:
            given = mine.get("fleet")
            mine["fleet"] = given.but(**rest) if given else Fleet(**{**FLEET, **rest})
        except PipelineError as error:
            raise SettingError(error.needed, error.came, error.do) from error
        return cls(**mine)

    def open(self) -> Operations:
        """The operations: the training cluster, then sites, then the generic cluster."""
        whole = self.fleet.open()
        training, generic = whole.clusters
        return whole.replace(clusters=[training, *self.open_sites(), generic])

    def open_sites(self) -> list[Cluster]:
        """The grid sites that can train."""
        if self.sites == 0:
            return []
        platform = self.platform
        if not isinstance(platform, Platform):
            platform = load_platform(platform)
        order = np.argsort(-platform.cores, kind="stable")
        home = int(order[0]) if self.home is None else platform.index(self.home)
        chosen = [int(k) for k in order if k != home][: self.sites]
        if len(chosen) < self.sites:
            came = f"{len(chosen)} beside the home site"
            raise SettingError(f"{self.sites} sites of {platform.name!r}", came, "lower sites=")
        speed = platform.power / float(np.average(platform.power, weights=platform.cores))
        return [
            Cluster(
                platform.names[k],
                max(1, round(float(platform.cores[k]) * self.site_share)),
                speed=float(speed[k]),
                read_mbps=float(platform.bandwidth_mbps[home, k]),
                write_mbps=float(platform.bandwidth_mbps[k, home]),
                latency_s=float(platform.latency_s[home, k]),
                cost_per_hour=self.site_cost,
            )
            for k in chosen
        ]
