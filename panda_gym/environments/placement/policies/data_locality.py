"""Place the job where its input lies; among equals, where the queue is shortest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.base import Memoryless
from panda_gym.environments.placement.policies.choice import greedy, greedy_probabilities


@dataclass(frozen=True)
class DataLocality(Memoryless):
    """Largest local share of the input; among equals the shortest transfer plus wait."""

    def choose(self, view: PlacementView, rng: np.random.Generator) -> np.ndarray:
        return greedy(_sooner(view), _nearest(view), rng)

    def distribution(self, view: PlacementView) -> np.ndarray:
        return greedy_probabilities(_sooner(view), _nearest(view))


def _nearest(view: PlacementView) -> np.ndarray:
    """Legal sites with the largest local share of the input, bool[E, S]."""
    local = np.where(view.mask, view.site("local_share"), -1.0)
    return view.mask & (local >= local.max(axis=1, keepdims=True))


def _sooner(view: PlacementView) -> np.ndarray:
    return -(view.site("transfer") + view.site("wait"))
