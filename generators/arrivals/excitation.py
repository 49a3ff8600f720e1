"""Self-exciting events: a Hawkes process whose kernel is a mixture of exponentials.

Each event triggers others after delays that follow a mixture of exponentials of fixed mean delays
(Hawkes, Biometrika 58, 1971). The weights of the mixture are learnt by expectation-maximisation
(Marsan and Lengliné, Science 319, 2008; there with steps for exponentials): which event triggered
which is the hidden part. Delays end at half an hour; slower dependence belongs to the rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DELAYS_S = (1.0, 15.0, 120.0, 900.0)
"""Mean delays of the mixture, s."""
MOST = 20_000
"""Events looked at, the last ones where there are more."""
LEAST = 0.01
"""Weights below this are taken for noise."""
MOST_OFFSPRING = 0.95
"""Largest mean number of offspring; at 1 a process would never end."""
ROUNDS = 200
"""Most rounds of expectation-maximisation."""


@dataclass(frozen=True)
class Excitation:
    """How many events an event triggers, and when."""

    weights: np.ndarray
    """float64[delays], mean number of direct offspring by delay; their sum is below 1."""

    @property
    def branching(self) -> float:
        """Mean number of direct offspring."""
        return float(self.weights.sum())

    def offspring(
        self, parents: np.ndarray, rng: np.random.Generator, until: float = np.inf
    ) -> np.ndarray:
        """Return the times of all descendants of events at `parents` that come before `until`."""
        found = [np.empty(0)]
        while len(parents) and self.branching:
            number = rng.poisson(self.branching, len(parents))
            scale = rng.choice(np.array(DELAYS_S), number.sum(), p=self.weights / self.branching)
            parents = np.repeat(parents, number) + rng.exponential(scale)
            parents = parents[parents < until]
            found.append(parents)
        return np.concatenate(found)


def learn(seconds: np.ndarray, rate: np.ndarray) -> tuple[Excitation, np.ndarray]:
    """Return the excitation of events, and each one's chance of having been triggered, [n].

    Args:
        seconds: times of the events, sorted, [n].
        rate: rate of background events per second at each of them, [n].
    """
    late = slice(max(len(seconds) - MOST, 0), None)
    times, base = seconds[late], np.maximum(rate[late], 1e-12)
    pull = _pulls(times)
    weights = np.full(len(DELAYS_S), 0.02)
    for _ in range(ROUNDS):
        share = pull * weights
        share /= ((1.0 - weights.sum()) * base + share.sum(axis=1))[:, None]
        new = share.mean(axis=0)
        new *= min(1.0, MOST_OFFSPRING / max(float(new.sum()), 1e-12))
        if np.abs(new - weights).max() < 1e-5:
            break
        weights = new
    weights = np.where(weights < LEAST, 0.0, weights)
    share = (pull * weights).sum(axis=1)
    triggered = share / ((1.0 - weights.sum()) * base + share)
    gain = float(np.log((1.0 - weights.sum()) + share / base).sum())
    # Each delay in use must pay for itself (Bayesian information criterion).
    if gain < 0.5 * np.count_nonzero(weights) * np.log(max(len(times), 2)):
        return Excitation(np.zeros(len(DELAYS_S))), np.zeros(len(seconds))
    chance = np.full(len(seconds), float(triggered.mean()))
    chance[late] = triggered
    return Excitation(weights), chance


def _pulls(times: np.ndarray) -> np.ndarray:
    """Return the density at each event that those before it lend to each delay, [n, delays]."""
    decay, gaps = 1.0 / np.array(DELAYS_S), np.diff(times)
    out, level = np.zeros((len(times), len(DELAYS_S))), np.zeros(len(DELAYS_S))
    faded = np.exp(-np.minimum(gaps[:, None] * decay, 700.0))
    for i in range(1, len(times)):
        level = (level + 1.0) * faded[i - 1]
        out[i] = level
    return out * decay
