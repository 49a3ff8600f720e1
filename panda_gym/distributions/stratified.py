"""Durations by stratum (kind of task or framework), with a pooled distribution for rare strata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np

from panda_gym.distributions.base import Distribution
from panda_gym.distributions.mixture import LogMixture
from panda_gym.distributions.samples import usable
from panda_gym.errors import DistributionError

FEW: Final = 50
"""Strata with fewer samples take the pooled distribution."""


@dataclass(frozen=True, eq=False)
class Stratified:
    """Distributions of durations, s, by stratum."""

    kind: ClassVar[str] = "stratified"
    strata: Mapping[str, Distribution]
    """Distribution of every stratum by its name."""
    pooled: Distribution
    """Distribution of all samples together, for every other stratum."""

    def of(self, name: str) -> Distribution:
        """Return the distribution of a stratum."""
        return self.strata.get(name, self.pooled)

    def to_dict(self) -> dict[str, Any]:
        """Return the distributions as JSON data."""
        from panda_gym.distributions.saved import plain

        strata = {name: plain(distribution) for name, distribution in sorted(self.strata.items())}
        return {"strata": strata, "pooled": plain(self.pooled)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Stratified:
        """Return the strata of JSON data; DistributionError if they are not strata."""
        from panda_gym.distributions.saved import from_plain

        if set(data) != {"strata", "pooled"} or not isinstance(data["strata"], dict):
            raise DistributionError(
                "strata and a pooled distribution", str(sorted(data)), "fit them again"
            )
        strata = {
            str(name): from_plain(distribution) for name, distribution in data["strata"].items()
        }
        return cls(strata, from_plain(data["pooled"]))

    @classmethod
    def fit(cls, samples: Any, names: Any) -> Stratified:
        """Fit a log-Gaussian mixture to the samples of every name.

        Strata of fewer than `FEW` samples, or of equal ones, take the pooled distribution.
        """
        values, labels = usable(samples, "durations"), np.asarray(names).astype(str)
        if labels.shape != values.shape:
            raise DistributionError(
                f"{len(values)} names, one a sample", f"{labels.shape}", "pass as many"
            )
        strata = {}
        for name in np.unique(labels):
            mine = values[labels == name]
            if len(mine) >= FEW and mine.min() < mine.max():
                strata[str(name)] = LogMixture.fit(mine)
        return cls(strata, LogMixture.fit(values))
