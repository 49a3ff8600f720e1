"""Choices among sites by number: greedy, sampled, sampled among the best.

Shapes: score, weight float64[E, S]; mask bool[E, S] with a legal site in every row; the answer is
int64[E] and always legal. Each choice takes a fixed count of uniform numbers for each environment,
in order. Beside each choice stands the function of its action probabilities, float64[E, S], by
which off-policy estimates divide.
"""

from __future__ import annotations

import numpy as np

from panda_gym.deprecated import old_names

Array = np.ndarray


def greedy(score: Array, mask: Array, rng: np.random.Generator) -> Array:
    """Return the legal site of the highest score; among equals each is as likely.

    A score of NaN counts as the lowest.
    """
    return greedy_by(score, mask, rng.random(mask.shape))


def greedy_by(score: Array, mask: Array, ticket: Array) -> Array:
    """Return the legal site of the highest score; among equals that of the highest ticket."""
    return np.where(_leads(score, mask), ticket, -1.0).argmax(axis=1)


def greedy_probabilities(score: Array, mask: Array) -> Array:
    """Return the probability of every site under `greedy`."""
    leads = _leads(score, mask)
    return leads / leads.sum(axis=1, keepdims=True)


def sample(weight: Array, mask: Array, rng: np.random.Generator) -> Array:
    """Return a legal site with probability proportional to its weight; uniform if all are 0.

    An exponential race: the minimum of Exp(1) / weight falls to each in proportion to weight.
    """
    return _race(np.where(mask, weight, 0.0), mask, rng.random(mask.shape))


def sample_probabilities(weight: Array, mask: Array) -> Array:
    """Return the probability of every site under `sample`."""
    rate = _rates(np.where(mask, weight, 0.0), mask)
    rate = rate / rate.max(axis=1, keepdims=True)  # so that the sum of huge weights is finite
    return rate / rate.sum(axis=1, keepdims=True)


def sample_among_best(
    weight: Array, mask: Array, rng: np.random.Generator, keep: int = 10
) -> Array:
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


def sample_among_best_probabilities(weight: Array, mask: Array, keep: int = 10) -> Array:
    """Return the probability of every site under `sample_among_best`.

    Of t equals at the edge, k of which are kept, each is kept with probability k / t; whichever
    are, the weights kept add up to the same.
    """
    weight = np.where(mask, weight, -1.0)
    keep = min(keep, mask.shape[1])
    edge = -np.partition(-weight, keep - 1, axis=1)[:, keep - 1, None]
    above, level = mask & (weight > edge), mask & (weight == edge)
    room = keep - above.sum(axis=1, keepdims=True)
    chance = np.minimum(room / np.maximum(level.sum(axis=1, keepdims=True), 1), 1.0)
    return sample_probabilities(
        np.where(above, 1.0, chance * level) * np.maximum(weight, 0.0), above | level
    )


def _leads(score: Array, mask: Array) -> Array:
    """Legal sites of the highest score, bool[E, S]; NaN counts as the lowest."""
    score = np.where(mask, np.fmax(score, -np.inf), -np.inf)
    return mask & (score == score.max(axis=1, keepdims=True))


def _rates(weight: Array, legal: Array) -> Array:
    """Weights, or 1 for all the legal where none is positive."""
    idle = ~(weight > 0.0).any(axis=1, keepdims=True)
    return np.where(idle & legal, 1.0, weight)


def _race(weight: Array, legal: Array, uniform: Array) -> Array:
    """Index of the first arrival; where no weight is positive, all the legal run alike."""
    rate = _rates(weight, legal)
    with np.errstate(divide="ignore"):
        arrival = np.where(rate > 0.0, -np.log1p(-uniform) / rate, np.inf)
    return np.where(legal & (rate > 0.0), arrival, np.inf).argmin(axis=1)


__getattr__ = old_names(__name__)
