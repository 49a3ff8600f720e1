"""Gaussian mixtures over logarithms, of one number or of the three sizes of a data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from scipy import special

from panda_gym.distributions.base import Distribution
from panda_gym.distributions.samples import usable
from panda_gym.errors import DistributionError

Array = np.ndarray

SIZES: Final = (1, 2, 3, 5, 8, 12)
"""Numbers of components that are tried; the one of least BIC is kept."""
SPREAD: Final = 1e-4
"""Least variance of a component in logarithms, since values in whole seconds repeat."""


@dataclass(frozen=True, eq=False)
class LogMixture(Distribution):
    """Distribution of x whose logarithm is a mixture of k normal distributions."""

    kind: ClassVar[str] = "log_mixture"
    weights: Array
    """float64[k], summing to 1."""
    means: Array
    """float64[k], of ln(x)."""
    deviations: Array
    """float64[k], of ln(x), above 0."""

    def __post_init__(self) -> None:
        for name in ("weights", "means", "deviations"):
            object.__setattr__(self, name, _vector(self.kind, name, getattr(self, name)))
        sizes = {len(self.weights), len(self.means), len(self.deviations)}
        fine = len(sizes) == 1 and (self.weights >= 0).all() and (self.deviations > 0).all()
        if not fine or abs(self.weights.sum() - 1.0) > 1e-6:
            needed = "a mixture of weights that sum to 1 and deviations above 0"
            raise DistributionError(needed, f"weights {self.weights.tolist()[:5]}", "fit it again")

    def cdf(self, x: Array) -> Array:
        logs = np.log(np.maximum(np.asarray(x, dtype=np.float64), np.finfo(np.float64).tiny))
        z = (logs[..., None] - self.means) / self.deviations
        return special.ndtr(z) @ self.weights

    def quantile(self, u: Array) -> Array:
        """Interpolate the inverse of the distribution function at 4,001 points of ln(x)."""
        wide = 8.0 * self.deviations
        grid = np.linspace((self.means - wide).min(), (self.means + wide).max(), 4001)
        # Points near every component, so that a narrow one is resolved.
        near = self.means[:, None] + self.deviations[:, None] * np.linspace(-4.0, 4.0, 81)
        grid = np.unique(np.concatenate([grid, near.ravel()]))
        return np.exp(np.interp(np.asarray(u), self.cdf(np.exp(grid)), grid))

    @property
    def mean(self) -> float:
        return float(self.weights @ np.exp(self.means + 0.5 * self.deviations**2))

    def to_dict(self) -> dict[str, Any]:
        names = ("weights", "means", "deviations")
        return {name: getattr(self, name).tolist() for name in names}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> LogMixture:
        if set(data) != {"weights", "means", "deviations"}:
            raise DistributionError(
                "weights, means and deviations", str(sorted(data)), "fit it again"
            )
        return cls(**data)

    @classmethod
    def fit(cls, samples: Any, sizes: tuple[int, ...] = SIZES) -> LogMixture:
        """Fit by expectation maximisation; the number of components is chosen by BIC."""
        logs = np.log(usable(samples, "a mixture's samples"))[:, None]
        found = _best_mixture(logs, sizes)
        return cls(found.weights_, found.means_[:, 0], np.sqrt(found.covariances_[:, 0, 0]))


@dataclass(frozen=True, eq=False)
class Assets:
    """Sizes of data sets: (ln rows, ln columns, ln bytes) follows a mixture of normals."""

    kind: ClassVar[str] = "assets"
    COLUMNS: ClassVar[tuple[str, ...]] = ("rows", "columns", "bytes")
    weights: Array
    """float64[k], summing to 1."""
    means: Array
    """float64[k, 3]."""
    covariances: Array
    """float64[k, 3, 3], positive definite."""

    def __post_init__(self) -> None:
        k = np.size(self.weights)
        shapes = {"weights": (k,), "means": (k, 3), "covariances": (k, 3, 3)}
        for name, shape in shapes.items():
            value = _vector(self.kind, name, getattr(self, name))
            if value.shape != shape:
                raise DistributionError(
                    f"{name} of assets of shape {shape}", f"{value.shape}", "fit again"
                )
            object.__setattr__(self, name, value)
        if (self.weights < 0).any() or abs(self.weights.sum() - 1.0) > 1e-6:
            raise DistributionError(
                "weights that sum to 1", f"{self.weights.sum():g}", "fit it again"
            )
        if (np.linalg.eigvalsh(self.covariances) <= 0.0).any():
            raise DistributionError("positive definite covariances", "others", "fit it again")

    def sample(self, rng: np.random.Generator, n: int) -> Array:
        """Draw n assets, float64[n, 3]: rows, columns, bytes."""
        which = rng.choice(len(self.weights), size=n, p=self.weights / self.weights.sum())
        roots = np.linalg.cholesky(self.covariances)
        noise = np.einsum("nij,nj->ni", roots[which], rng.standard_normal((n, 3)))
        return np.exp(self.means[which] + noise)

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as JSON data."""
        return {name: getattr(self, name).tolist() for name in ("weights", "means", "covariances")}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Assets:
        """Return the distribution of these parameters; DistributionError if they are invalid."""
        if set(data) != {"weights", "means", "covariances"}:
            raise DistributionError(
                "weights, means and covariances", str(sorted(data)), "fit it again"
            )
        return cls(**data)

    @classmethod
    def fit(cls, samples: Any, sizes: tuple[int, ...] = SIZES) -> Assets:
        """Fit to rows, columns and bytes of data sets, float64[n, 3], all above 0."""
        table = np.asarray(samples, dtype=np.float64)
        if table.ndim != 2 or table.shape[1] != 3:
            raise DistributionError(
                "rows, columns and bytes, [n, 3]", f"{table.shape}", "pass three columns"
            )
        logs = np.log(
            np.stack(
                [usable(table[:, j], f"the assets' {c}") for j, c in enumerate(cls.COLUMNS)], 1
            )
        )
        found = _best_mixture(logs, sizes)
        return cls(found.weights_, found.means_, found.covariances_)


def _best_mixture(logs: Array, sizes: tuple[int, ...]) -> Any:
    """Return the Gaussian mixture of least BIC."""
    from sklearn.mixture import GaussianMixture

    distinct = len(np.unique(logs, axis=0))
    tried = [
        GaussianMixture(k, reg_covar=SPREAD, max_iter=2000, random_state=0).fit(logs)
        for k in sizes
        if k == 1 or (k <= distinct and 10 * k <= len(logs))
    ]
    return min(tried, key=lambda model: model.bic(logs))


def _vector(kind: str, name: str, data: Any) -> Array:
    try:
        value = np.array(data, dtype=np.float64)
    except (TypeError, ValueError):
        raise DistributionError(
            f"numbers as {name} of {kind!r}", repr(data)[:60], "fit again"
        ) from None
    if value.size == 0 or not np.isfinite(value).all():
        raise DistributionError(
            f"finite {name} of distribution {kind!r}", repr(data)[:60], "fit it again"
        )
    value.setflags(write=False)
    return value
