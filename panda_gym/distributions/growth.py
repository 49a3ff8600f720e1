"""Durations that grow with the data: f(x) = a b^x + c, with lognormal noise."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from scipy import optimize

from panda_gym.distributions.base import numbers
from panda_gym.distributions.samples import usable
from panda_gym.errors import DistributionError

Array = np.ndarray


@dataclass(frozen=True)
class Growth:
    """Duration in s with median a b^x + c at x = ln(rows x columns) and lognormal noise `sigma`."""

    kind: ClassVar[str] = "growth"
    a: float
    b: float
    c: float
    sigma: float

    def __post_init__(self) -> None:
        data = asdict(self)
        numbers(self.kind, data, "a", "b")
        numbers(self.kind, data, "c", "sigma", least=-1e-300)

    def median(self, x: Array) -> Array:
        """Return the median duration at x, float64 of x's shape, s."""
        return self.a * self.b ** np.asarray(x, dtype=np.float64) + self.c

    def draw(self, rng: np.random.Generator, assets: Array) -> Array:
        """Draw durations float64[n], s, of assets float64[n, 3] (rows, columns, bytes)."""
        x = np.log(assets[:, 0] * assets[:, 1])
        return self.median(x) * np.exp(self.sigma * rng.standard_normal(len(x)))

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters by name."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Growth:
        """Return the distribution of these parameters; DistributionError if one is missing."""
        if set(data) != {"a", "b", "c", "sigma"}:
            raise DistributionError("a, b, c and sigma", str(sorted(data)), "fit it again")
        return cls(**{name: data[name] for name in ("a", "b", "c", "sigma")})

    @classmethod
    def fit(cls, x: Any, durations: Any) -> Growth:
        """Fit by least squares of logarithms: maximum likelihood under lognormal noise.

        `x` is float64[n] of ln(rows x columns), `durations` float64[n] in s. Raises
        DistributionError if there are too few samples, or `x` does not vary.
        """
        y = usable(durations, "durations that grow")
        x = np.asarray(x, dtype=np.float64)
        if x.shape != y.shape or not np.isfinite(x).all() or np.ptp(x) == 0.0:
            raise DistributionError(
                f"{len(y)} finite x that vary", f"{x.shape}", "pass ln(rows x columns) of each"
            )
        logs = np.log(y)

        def residual(p: Array) -> Array:
            # In logarithms of a and c, so that both stay above 0.
            return np.logaddexp(p[0] + p[1] * (x - x.mean()), p[2]) - logs

        starts = [
            np.array([logs.mean() - 1.0, slope / max(float(x.std()), 1e-9), np.log(y.min())])
            for slope in (0.2, 0.5, 1.0)
        ]
        found = min((optimize.least_squares(residual, s) for s in starts), key=lambda r: r.cost)
        slope = float(found.x[1])
        a = float(np.exp(found.x[0] - slope * x.mean()))
        noise = float(np.sqrt(2.0 * found.cost / len(y)))
        return cls(a, float(np.exp(slope)), float(np.exp(found.x[2])), noise)
