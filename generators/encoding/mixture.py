"""A mixture of Gaussians with full covariances, fitted by expectation-maximisation.

Shapes: n points, d dimensions, K components.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import logsumexp

BLOCK = 8192
"""Points whose densities are computed at once."""
RIDGE = 1e-4
"""Variance added to every direction, so that no component shrinks to a point."""


@dataclass(frozen=True)
class Mixture:
    """A density of points."""

    weights: np.ndarray
    """float64[K], positive, of sum 1."""
    means: np.ndarray
    """float64[K, d]"""
    factors: np.ndarray
    """float64[K, d, d], lower triangular; factor times its transpose is the covariance."""

    @classmethod
    def fit(
        cls, points: np.ndarray, components: int, iterations: int, rng: np.random.Generator
    ) -> Mixture:
        """Return a mixture of at most `components` for points [n, d], n >= 1.

        Starts at points drawn far apart (k-means++), each of which owns those nearest to it.
        """
        from sklearn.cluster import kmeans_plusplus

        count = min(components, len(points))
        state = np.random.RandomState(int(rng.integers(2**32)))
        starts, _ = kmeans_plusplus(points, count, random_state=state)
        square = (starts**2).sum(axis=1)
        owner = [(square - 2 * b @ starts.T).argmin(axis=1) for b in _blocks(points)]
        sums = _Sums.of_owners(points, np.concatenate(owner), count)
        for _ in range(iterations):
            mixture = sums.mixture()
            sums = _Sums.empty(*mixture.means.shape)
            for block in _blocks(points):
                joint = mixture._joint(block)
                sums.add(block, np.exp(joint - logsumexp(joint, axis=1, keepdims=True)))
        return sums.mixture()

    def log_density(self, points: np.ndarray) -> np.ndarray:
        """Return the logarithm of the density at points [n, d], float64[n]."""
        return np.concatenate([logsumexp(self._joint(block), axis=1) for block in _blocks(points)])

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return n points, float64[n, d]."""
        level = np.cumsum(self.weights)
        chosen = np.minimum(
            np.searchsorted(level, rng.random(n) * level[-1], "right"), len(level) - 1
        )
        noise = rng.standard_normal((n, self.means.shape[1], 1))
        return self.means[chosen] + (self.factors[chosen] @ noise)[:, :, 0]

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what `restore` needs."""
        return {"weights": self.weights, "means": self.means, "factors": self.factors}

    @classmethod
    def restore(cls, arrays: dict[str, Any]) -> Mixture:
        """Return the mixture that `arrays` described."""
        return cls(arrays["weights"], arrays["means"], arrays["factors"])

    def _joint(self, points: np.ndarray) -> np.ndarray:
        """Return log(weight x density) of each component at each point, float64[n, K]."""
        size = points.shape[1]
        out = np.empty((len(points), len(self.weights)))
        for k, (mean, factor) in enumerate(zip(self.means, self.factors, strict=True)):
            inverse = solve_triangular(factor, np.eye(size), lower=True)
            away = (points - mean) @ inverse.T
            out[:, k] = -0.5 * np.einsum("ij,ij->i", away, away) - np.log(np.diag(factor)).sum()
        return out + np.log(self.weights) - 0.5 * size * np.log(2 * np.pi)


@dataclass
class _Sums:
    """Weighted counts, sums and sums of outer products by component."""

    count: np.ndarray
    first: np.ndarray
    second: np.ndarray

    @classmethod
    def empty(cls, components: int, size: int) -> _Sums:
        shape = (components, size)
        return cls(np.zeros(components), np.zeros(shape), np.zeros((*shape, size)))

    @classmethod
    def of_owners(cls, points: np.ndarray, owner: np.ndarray, components: int) -> _Sums:
        sums = cls.empty(components, points.shape[1])
        for block, mine in zip(_blocks(points), _blocks(owner), strict=True):
            sums.add(block, (mine[:, None] == np.arange(components)).astype(np.float64))
        return sums

    def add(self, points: np.ndarray, share: np.ndarray) -> None:
        """Add points [m, d] of which each component owns a share [m, K]."""
        self.count += share.sum(axis=0)
        self.first += share.T @ points
        for k in range(share.shape[1]):
            some = share[:, k] > 1e-6
            own = points[some]
            self.second[k] += (own * share[some, k : k + 1]).T @ own

    def mixture(self) -> Mixture:
        """Return the mixture of greatest likelihood; components without points are left out."""
        alive = self.count > 1e-3
        count, first, second = self.count[alive], self.first[alive], self.second[alive]
        means = first / count[:, None]
        covariances = second / count[:, None, None] - means[:, :, None] * means[:, None, :]
        size = means.shape[1]
        factors = np.stack([_factor(c + RIDGE * np.eye(size)) for c in covariances])
        return Mixture(count / count.sum(), means, factors)


def _factor(covariance: np.ndarray) -> np.ndarray:
    """Return the Cholesky factor of what rounding may have left slightly indefinite."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    repaired = (vectors * np.maximum(values, RIDGE)) @ vectors.T
    return np.linalg.cholesky((repaired + repaired.T) / 2)


def _blocks(points: np.ndarray) -> list[np.ndarray]:
    return [points[i : i + BLOCK] for i in range(0, len(points), BLOCK)]
