"""Distributions of up to three parameters, fitted by maximum likelihood and chosen by KS distance.

All start at 0, the Pareto distribution at its scale.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Final, Self

import numpy as np
from scipy import optimize, special, stats

from panda_gym.distributions.base import Distribution, numbers
from panda_gym.distributions.samples import usable
from panda_gym.errors import DistributionError

Array = np.ndarray


class Parametric(Distribution):
    """Distribution whose dataclass fields are its parameters."""

    def __post_init__(self) -> None:
        data = asdict(self)  # type: ignore[call-overload]
        for name, value in zip(data, numbers(self.kind, data, *data), strict=True):
            object.__setattr__(self, name, value)

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters by name."""
        return asdict(self)  # type: ignore[call-overload]

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Return the distribution; DistributionError if a parameter is missing or unknown."""
        names = tuple(field.name for field in fields(cls))  # type: ignore[arg-type]
        if set(data) != set(names):
            raise DistributionError(
                f"{', '.join(names)} of distribution {cls.kind!r}", str(sorted(data)), "fit it"
            )
        return cls(*numbers(cls.kind, data, *names))


@dataclass(frozen=True)
class Constant(Parametric):
    """Distribution of one value."""

    kind: ClassVar[str] = "constant"
    value: float

    def quantile(self, u: Array) -> Array:
        return np.full(np.shape(u), self.value)

    def cdf(self, x: Array) -> Array:
        return (np.asarray(x) >= self.value).astype(np.float64)

    @property
    def mean(self) -> float:
        return self.value


@dataclass(frozen=True)
class Exponential(Parametric):
    """Exponential distribution of mean `scale`."""

    kind: ClassVar[str] = "exponential"
    scale: float

    def quantile(self, u: Array) -> Array:
        return -self.scale * np.log1p(-np.asarray(u))

    def cdf(self, x: Array) -> Array:
        return -np.expm1(-np.maximum(x, 0.0) / self.scale)

    @property
    def mean(self) -> float:
        return self.scale

    @classmethod
    def fit(cls, samples: Any) -> Exponential:
        """Fit by maximum likelihood."""
        return cls(float(usable(samples, "an exponential distribution's samples").mean()))


@dataclass(frozen=True)
class Lognormal(Parametric):
    """Lognormal distribution: exp(ln(median) + sigma Z), Z standard normal."""

    kind: ClassVar[str] = "lognormal"
    median: float
    sigma: float

    def quantile(self, u: Array) -> Array:
        return self.median * np.exp(self.sigma * special.ndtri(np.asarray(u)))

    def cdf(self, x: Array) -> Array:
        x = np.maximum(np.asarray(x, dtype=np.float64), np.finfo(np.float64).tiny)
        return special.ndtr(np.log(x / self.median) / self.sigma)

    @property
    def mean(self) -> float:
        return self.median * float(np.exp(0.5 * self.sigma**2))

    @classmethod
    def fit(cls, samples: Any) -> Lognormal:
        """Fit by maximum likelihood."""
        logs = np.log(usable(samples, "a lognormal distribution's samples"))
        return cls(float(np.exp(logs.mean())), float(logs.std()))


@dataclass(frozen=True)
class ExponentiatedWeibull(Parametric):
    """Exponentiated Weibull distribution (Mudholkar and Srivastava 1993).

    F(x) = (1 - exp(-(x / s)^c))^a, so that x = s (-ln(1 - U^(1 / a)))^(1 / c) for uniform U.
    """

    kind: ClassVar[str] = "exponentiated_weibull"
    a: float
    c: float
    s: float

    def quantile(self, u: Array) -> Array:
        log_root = np.log(np.maximum(np.asarray(u), np.finfo(np.float64).tiny)) / self.a
        # -ln(1 - U^(1/a)) without cancellation in the tail; U = 0 gives the smallest draw.
        return self.s * (-np.log(-np.expm1(log_root))) ** (1.0 / self.c)

    def cdf(self, x: Array) -> Array:
        return (-np.expm1(-((np.maximum(x, 0.0) / self.s) ** self.c))) ** self.a

    @property
    def mean(self) -> float:
        return float(stats.exponweib.mean(self.a, self.c, scale=self.s))

    @classmethod
    def fit(cls, samples: Any) -> ExponentiatedWeibull:
        """Fit by maximum likelihood over the logarithms of the parameters."""
        x = usable(samples, "an exponentiated Weibull distribution's samples")
        logs = np.log(x)
        # Start at the Weibull distribution (a = 1) of the same mean and deviation of logarithms.
        c = np.pi / (np.sqrt(6.0) * max(float(logs.std()), 1e-3))
        start = np.array([0.0, np.log(c), float(logs.mean()) + np.euler_gamma / c])
        bounds = [(-5.0, 5.0), (-5.0, 5.0), (start[2] - 20.0, start[2] + 20.0)]
        found = optimize.minimize(
            _exponweib_loss, start, (logs,), method="L-BFGS-B", jac=True, bounds=bounds
        )
        return cls(*(float(v) for v in np.exp(found.x)))


def _exponweib_loss(parameters: Array, logs: Array) -> tuple[float, Array]:
    """Return the mean negative log likelihood and its gradient at (ln a, ln c, ln s)."""
    a, c = np.exp(parameters[:2])
    y = np.minimum(c * (logs - parameters[2]), 600.0)
    z = np.exp(y)
    # ln(1 - exp(-z)); for tiny z it is y.
    inside = np.where(z > 1e-10, np.log(-np.expm1(-np.maximum(z, 1e-10))), y)
    density = parameters[0] + parameters[1] - logs + y - z + (a - 1.0) * inside
    # d inside / dz = 1 / (e^z - 1), and dz/dy = z.
    slope = 1.0 - z + (a - 1.0) * np.where(z > 1e-10, z / np.expm1(np.clip(z, 1e-10, 700.0)), 1.0)
    gradient = np.array([1.0 + a * inside.mean(), 1.0 + (slope * y).mean(), -(slope * c).mean()])
    return -float(density.mean()), -gradient


@dataclass(frozen=True)
class Pareto(Parametric):
    """Pareto distribution: F(x) = 1 - (scale / x)^b for x >= scale."""

    kind: ClassVar[str] = "pareto"
    b: float
    scale: float

    def quantile(self, u: Array) -> Array:
        return self.scale * np.exp(-np.log1p(-np.asarray(u)) / self.b)

    def cdf(self, x: Array) -> Array:
        return -np.expm1(-self.b * np.log(np.maximum(x, self.scale) / self.scale))

    @property
    def mean(self) -> float:
        return self.scale * self.b / (self.b - 1.0) if self.b > 1.0 else float("inf")

    @classmethod
    def fit(cls, samples: Any) -> Pareto:
        """Fit by maximum likelihood."""
        x = usable(samples, "a Pareto distribution's samples")
        return cls(float(len(x) / np.log(x / x.min()).sum()), float(x.min()))


CANDIDATES: Final = (Lognormal, ExponentiatedWeibull, Pareto)
"""Families that `best_fit` tries."""


def ks_distance(distribution: Distribution, samples: Any) -> float:
    """Return the Kolmogorov-Smirnov distance of samples float64[n] from a distribution."""
    return float(stats.kstest(np.asarray(samples, dtype=np.float64), distribution.cdf).statistic)


def best_fit(samples: Any, candidates: tuple[Any, ...] = CANDIDATES) -> Distribution:
    """Return the candidate of least KS distance, each fitted by maximum likelihood."""
    fitted: list[Distribution] = [candidate.fit(samples) for candidate in candidates]
    return min(fitted, key=lambda distribution: ks_distance(distribution, samples))
