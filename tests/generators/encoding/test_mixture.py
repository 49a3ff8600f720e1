"""The mixture of Gaussians against scikit-learn's density and against a known law."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

from generators.encoding.mixture import Mixture


def points(n: int, seed: int = 0) -> np.ndarray:
    """Two clouds, one of them a thin line."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    line = np.stack([3 + x[:, 0], -3 + 0.9 * x[:, 0] + 0.1 * x[:, 1]], axis=1)
    return np.where(rng.random((n, 1)) < 0.3, line, x)


def test_density_is_that_of_scikit_learn() -> None:
    ours = Mixture.fit(points(2000), 5, 4, np.random.default_rng(0))
    theirs = GaussianMixture(5)
    theirs.weights_, theirs.means_ = ours.weights, ours.means
    theirs.covariances_ = ours.factors @ ours.factors.transpose(0, 2, 1)
    theirs.precisions_cholesky_ = np.linalg.inv(ours.factors).transpose(0, 2, 1)
    x = points(500, seed=1)
    assert ours.log_density(x) == pytest.approx(theirs.score_samples(x))


def test_the_fit_is_as_good_as_scikit_learns() -> None:
    x, fresh = points(4000), points(4000, seed=1)
    ours = Mixture.fit(x, 2, 30, np.random.default_rng(0))
    theirs = GaussianMixture(2, random_state=0).fit(x)
    assert ours.log_density(fresh).mean() > theirs.score(fresh) - 0.01
    assert sorted(ours.weights) == pytest.approx([0.3, 0.7], abs=0.03)


def test_likelihood_never_falls() -> None:
    x = points(1500)
    fits = [Mixture.fit(x, 6, i, np.random.default_rng(3)) for i in range(8)]
    means = [f.log_density(x).mean() for f in fits]
    assert all(b > a - 1e-3 for a, b in itertools.pairwise(means))


def test_draws_follow_the_density() -> None:
    fitted = Mixture.fit(points(3000), 2, 20, np.random.default_rng(0))
    drawn = fitted.draw(20_000, np.random.default_rng(1))
    assert drawn.mean(axis=0) == pytest.approx(points(20_000).mean(axis=0), abs=0.1)
    assert np.cov(drawn.T) == pytest.approx(np.cov(points(20_000).T), abs=0.15)


@pytest.mark.parametrize("x", [np.zeros((1, 3)), np.zeros((50, 3)), np.ones((4, 1)) * 1e6])
def test_few_or_equal_points_give_a_narrow_mixture(x: np.ndarray) -> None:
    fitted = Mixture.fit(x, 5, 5, np.random.default_rng(0))
    drawn = fitted.draw(100, np.random.default_rng(0))
    assert np.abs(drawn - x[0]).max() < 0.1
    again = Mixture.restore(fitted.arrays())
    assert np.array_equal(
        again.draw(10, np.random.default_rng(1)), fitted.draw(10, np.random.default_rng(1))
    )
