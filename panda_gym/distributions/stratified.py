"""One law a kind of task (or a framework of it), with a pooled one for what was seldom seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np

from panda_gym.distributions.base import Law
from panda_gym.distributions.mixture import LogMixture
from panda_gym.distributions.samples import usable
from panda_gym.errors import LawError

FEW: Final = 50
"""Strata with fewer samples take the pooled law."""


@dataclass(frozen=True, eq=False)
class Stratified:
    """Durations by stratum."""

    kind: ClassVar[str] = "stratified"
    strata: Mapping[str, Law]
    """Law by name of the stratum."""
    pooled: Law
    """Law of all samples together, for every other name."""

    def law(self, name: str) -> Law:
        """The law of a stratum."""
        return self.strata.get(name, self.pooled)

    def to_dict(self) -> dict[str, Any]:
        """Laws as plain data."""
        from panda_gym.distributions.saved import plain

        strata = {name: plain(law) for name, law in sorted(self.strata.items())}
        return {"strata": strata, "pooled": plain(self.pooled)}

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> Stratified:
        """The laws of plain data."""
        from panda_gym.distributions.saved import from_plain

        if set(given) != {"strata", "pooled"} or not isinstance(given["strata"], dict):
            raise LawError("strata and a pooled law", str(sorted(given)), "fit them again")
        strata = {str(name): from_plain(law) for name, law in given["strata"].items()}
        return cls(strata, from_plain(given["pooled"]))

    @classmethod
    def fit(cls, samples: Any, names: Any) -> Stratified:
        """Log-Gaussian mixtures of the samples of each name; few or like ones are pooled."""
        values, labels = usable(samples, "durations"), np.asarray(names).astype(str)
        if labels.shape != values.shape:
            raise LawError(f"{len(values)} names, one a sample", f"{labels.shape}", "pass as many")
        strata = {}
        for name in np.unique(labels):
            mine = values[labels == name]
            if len(mine) >= FEW and mine.min() < mine.max():
                strata[str(name)] = LogMixture.fit(mine)
        return cls(strata, LogMixture.fit(values))
