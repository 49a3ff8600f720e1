"""Base class of pipeline policies: observation and generator in, one action a fleet out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import final

import numpy as np

from panda_gym.environments.pipeline.observation import PipelineView

Array = np.ndarray


class PipelinePolicy(ABC):
    """Names a model and a place, or defers, in each of E fleets; remembers nothing."""

    @abstractmethod
    def choose(self, view: PipelineView, rng: np.random.Generator) -> Array:
        """Return a legal action for every fleet, int64[E]."""

    @final
    def __call__(self, observation: Mapping[str, Array], rng: np.random.Generator) -> Array:
        """Return a legal action for every fleet, int64[E]: model x places + place, or defer."""
        return np.asarray(self.choose(PipelineView(observation), rng), dtype=np.int64)


def actions_of(view: PipelineView, wanted: Array, score: Array, place: Array) -> Array:
    """The wanted model of the highest score at a place; defer where none is wanted and legal.

    Shape: wanted bool[E, M], score float64[E, M], place int64[E]; ties to the first model.
    """
    allowed = wanted & view.legal.any(axis=2)
    model = np.argmax(np.where(allowed, score, -np.inf), axis=1)
    hold = view.mask.shape[1] - 1
    return np.where(allowed.any(axis=1), model * view.places + place, hold)
