"""Draw a few sites by capacity and place the job where its predicted completion is earliest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.base import Memoryless
from panda_gym.environments.placement.policies.settings import at_least
from panda_gym.errors import PolicyError


@dataclass(frozen=True)
class LeastWorkOfFew(Memoryless):
    """JSQ(d) with predicted work, LL(d): the earliest completion among d sites drawn by cores.

    The power of d choices (Mitzenmacher 2001) by work left instead of jobs, with servers drawn in
    proportion to their capacity, as they must be where they differ (Gardner, Jaleel, Wickeham and
    Doroudi 2021). Sites are drawn with replacement. Unlike `shortest_of_few` it counts the wait,
    stage-in and run time of this job.

    few: d, how many sites are asked.
    """

    few: int = 2

    def __post_init__(self) -> None:
        at_least("few", self.few, 1)
        if not isinstance(self.few, int):
            raise PolicyError("few as a whole number", repr(self.few), "pass for example few=2")

    def choose(self, view: PlacementView, rng: np.random.Generator) -> np.ndarray:
        # One uniform draws which of the ranks is the best of d draws.
        order, chance = self._ranked(view)
        edges = np.cumsum(chance, axis=1)
        ticket = rng.random(view.mask.shape).sum(axis=1) % 1.0  # whatever the order of the sites
        place = (edges <= (ticket * edges[:, -1])[:, None]).sum(axis=1)
        return order[np.arange(len(order)), place]

    def distribution(self, view: PlacementView) -> np.ndarray:
        """The probability that none of d draws is better, less that none is as good."""
        order, chance = self._ranked(view)
        found = np.empty_like(chance)
        np.put_along_axis(found, order, chance, axis=1)
        return found / found.sum(axis=1, keepdims=True)

    def _ranked(self, view: PlacementView) -> tuple[np.ndarray, np.ndarray]:
        """Sites by predicted completion, int64[E, S], and the probability of each, float64."""
        completion = view.site("transfer") + view.site("wait") + view.site("run")
        cores = np.where(view.mask, view.site("cores"), 0.0)
        order = np.argsort(np.where(view.mask, completion, np.inf), axis=1, kind="stable")
        share = np.take_along_axis(cores / cores.sum(axis=1, keepdims=True), order, axis=1)
        worse = np.clip(1.0 - np.cumsum(share, axis=1), 0.0, 1.0)
        chance = (worse + share) ** self.few - worse**self.few
        return order, np.where(share > 0.0, chance, 0.0)
