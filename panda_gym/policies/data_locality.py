"""The job goes to its data; knows where the input lies, and the queue only among equals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.observation import View
from panda_gym.policies.base import Memoryless
from panda_gym.policies.choice import best


@dataclass(frozen=True)
class DataLocality(Memoryless):
    """Largest local share of the input; among equals the shortest transfer plus wait."""

    def choose(self, view: View, rng: np.random.Generator) -> np.ndarray:
        local = np.where(view.mask, view.site("local_share"), -1.0)
        nearest = view.mask & (local >= local.max(axis=1, keepdims=True))
        return best(-(view.site("transfer") + view.site("wait")), nearest, rng)
