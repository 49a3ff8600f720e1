"""Draw a few sites at random and place the job at the shortest queue among them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.base import Memoryless
from panda_gym.environments.placement.policies.choice import greedy_by
from panda_gym.environments.placement.policies.settings import at_least
from panda_gym.errors import PolicyError


@dataclass(frozen=True)
class ShortestOfFew(Memoryless):
    """JSQ(d), the power of d choices (Mitzenmacher 2001): the best of d legal sites.

    Sites are drawn without replacement, each as likely, and compared by predicted queued work a
    core; among equals each is as likely. All legal ones are compared where fewer than d are.

    few: d, how many sites are asked.
    """

    few: int = 2

    def __post_init__(self) -> None:
        at_least("few", self.few, 1)
        if not isinstance(self.few, int):
            raise PolicyError("few as a whole number", repr(self.few), "pass for example few=2")

    def choose(self, view: PlacementView, rng: np.random.Generator) -> np.ndarray:
        tickets = rng.random((len(view), 2, view.mask.shape[1]))
        asked = _lowest(np.where(view.mask, tickets[:, 0], np.inf), self.few) & view.mask
        return greedy_by(-_queue(view), asked, tickets[:, 1])

    def distribution(self, view: PlacementView) -> np.ndarray:
        """The shortest asked has rank r of n with probability C(n - r, d - 1) / C(n, d).

        Equals share the probability of their ranks.
        """
        queue = np.where(view.mask, _queue(view), np.inf)
        return np.stack([self._probabilities(*row) for row in zip(queue, view.mask, strict=True)])

    def _probabilities(self, queue: np.ndarray, mask: np.ndarray) -> np.ndarray:
        legal = int(mask.sum())
        few = min(self.few, legal)
        # C(n - r, d - 1) / C(n, d) by recurrence over r, which never forms a large number.
        chance = np.zeros(legal)
        chance[0] = few / legal
        for r in range(1, legal - few + 1):
            chance[r] = chance[r - 1] * (legal - r - few + 1) / (legal - r)
        probabilities = np.zeros(len(queue))
        probabilities[np.argsort(queue, kind="stable")[:legal]] = chance
        _, level = np.unique(queue, return_inverse=True)
        shared = np.bincount(level, probabilities) / np.bincount(level, mask).clip(1)
        return np.where(mask, shared[level], 0.0)


def _queue(view: PlacementView) -> np.ndarray:
    return view.site("queued_work") / view.site("cores")


def _lowest(ticket: np.ndarray, few: int) -> np.ndarray:
    """The `few` smallest of every row, bool."""
    few = min(few, ticket.shape[1])
    chosen = np.zeros(ticket.shape, dtype=bool)
    np.put_along_axis(chosen, np.argpartition(ticket, few - 1, axis=1)[:, :few], True, axis=1)
    return chosen
