"""What a law is: a distribution of positive numbers that is sampled, and saved as plain data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, final

import numpy as np

from panda_gym.errors import LawError

Array = np.ndarray


class Law(ABC):
    """A distribution of positive numbers (durations or gaps in s, sizes)."""

    kind: ClassVar[str]
    """Name in a saved file and in the registry."""

    @abstractmethod
    def quantile(self, u: Array) -> Array:
        """Inverse of the distribution function, float64 of u's shape, u in [0, 1)."""

    @abstractmethod
    def cdf(self, x: Array) -> Array:
        """Distribution function, float64 of x's shape."""

    @property
    @abstractmethod
    def mean(self) -> float:
        """Expectation; infinity where there is none."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Parameters as plain data, without the kind."""

    @classmethod
    @abstractmethod
    def from_dict(cls, given: dict[str, Any]) -> Law:
        """The law of those parameters; LawError if they make none."""

    @final
    def sample(self, rng: np.random.Generator, n: int) -> Array:
        """n independent draws by inverse of the distribution function, float64[n]."""
        return self.quantile(rng.random(n))


def numbers(kind: str, given: dict[str, Any], *names: str, least: float = 0.0) -> list[float]:
    """Parameters of a law by name, each finite and above `least`."""
    found = []
    for name in names:
        value = given.get(name)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not least < float(value) < np.inf:  # type: ignore[arg-type]
            needed = f"{name} of law {kind!r} finite and above {least:g}"
            raise LawError(needed, repr(value), "correct the parameter or fit the law again")
        found.append(float(value))  # type: ignore[arg-type]
    return found
