"""Interface of a distribution of positive numbers, and the check of its parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, final

import numpy as np

from panda_gym.errors import DistributionError

Array = np.ndarray


class Distribution(ABC):
    """Distribution of positive numbers: durations or gaps in s, or sizes."""

    kind: ClassVar[str]
    """Name in a saved file and in the registry."""

    @abstractmethod
    def quantile(self, u: Array) -> Array:
        """Return the inverse of the distribution function at u in [0, 1), float64 of u's shape."""

    @abstractmethod
    def cdf(self, x: Array) -> Array:
        """Return the distribution function at x, float64 of x's shape."""

    @property
    @abstractmethod
    def mean(self) -> float:
        """Expectation; infinity where there is none."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as JSON data, without the kind."""

    @classmethod
    @abstractmethod
    def from_dict(cls, data: dict[str, Any]) -> Distribution:
        """Return the distribution of these parameters; DistributionError if they are invalid."""

    @final
    def sample(self, rng: np.random.Generator, n: int) -> Array:
        """Draw n independent values by inverse transform sampling, float64[n]."""
        return self.quantile(rng.random(n))


def numbers(kind: str, data: dict[str, Any], *names: str, least: float = 0.0) -> list[float]:
    """Return parameters by name; DistributionError unless each is finite and above `least`."""
    found = []
    for name in names:
        value = data.get(name)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not least < float(value) < np.inf:  # type: ignore[arg-type]
            needed = f"{name} of distribution {kind!r} finite and above {least:g}"
            raise DistributionError(needed, repr(value), "correct it or fit the distribution again")
        found.append(float(value))  # type: ignore[arg-type]
    return found
