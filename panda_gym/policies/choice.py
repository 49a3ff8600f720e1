"""Choices among sites by number: the best, a draw, a draw among the best; knows no policy.

Shapes: score, weight float64[E, S]; mask bool[E, S] with a legal site in every row; the answer is
int64[E] and always legal. Each choice takes a fixed count of uniforms an environment, in order.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def best(score: Array, mask: Array, rng: np.random.Generator) -> Array:
    """Return the legal site of the highest score; among equals each is as likely.

    A score of NaN counts as the lowest.
    """
    score, ticket = np.broadcast_arrays(score, rng.random(mask.shape))
    score = np.where(mask, np.nan_to_num(score, nan=-np.inf), -np.inf)
    leads = mask & (score == score.max(axis=1, keepdims=True))
    return np.where(leads, ticket, -1.0).argmax(axis=1)


def draw(weight: Array, mask: Array, rng: np.random.Generator) -> Array:
    """Return a legal site with probability proportional to its weight; uniform if all are 0.

    An exponential race: the minimum of Exp(1) / weight falls to each in proportion to weight.
    """
    return _race(np.where(mask, weight, 0.0), mask, rng.random(mask.shape))


def draw_among_best(weight: Array, mask: Array, rng: np.random.Generator, keep: int = 10) -> Array:
    """Return a site drawn in proportion to weight among the `keep` legal ones of highest weight.

    Equals at the edge of the `keep` are admitted at random.
    """
    tickets = rng.random((len(mask), 2, mask.shape[1]))
    weight = np.where(mask, weight, -1.0)
    order = np.lexsort((tickets[:, 0], -weight), axis=-1)[:, :keep]
    kept = np.zeros_like(mask)
    np.put_along_axis(kept, order, True, axis=1)
    kept &= mask
    return _race(np.where(kept, weight, 0.0), kept, tickets[:, 1])


def _race(weight: Array, legal: Array, uniform: Array) -> Array:
    """Index of the first arrival; where no weight is positive, all the legal run alike."""
    idle = ~(weight > 0.0).any(axis=1, keepdims=True)
    rate = np.where(idle & legal, 1.0, weight)
    with np.errstate(divide="ignore"):
        arrival = np.where(rate > 0.0, -np.log1p(-uniform) / rate, np.inf)
    return np.where(legal & (rate > 0.0), arrival, np.inf).argmin(axis=1)
