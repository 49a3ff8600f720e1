"""Policies that run what asks for it, and differ in the place alone; one that never does."""

from __future__ import annotations

from abc import abstractmethod
from typing import final

import numpy as np

from panda_gym.environments.pipeline.observation import PipelineView
from panda_gym.environments.pipeline.policies.base import PipelinePolicy, actions_of
from panda_gym.environments.pipeline.worth import backlog

Array = np.ndarray


class Accepting(PipelinePolicy):
    """Runs the model that has waited longest since it asked."""

    @abstractmethod
    def place(self, view: PipelineView) -> Array:
        """Where, int64[E]."""

    @final
    def choose(self, view: PipelineView, rng: np.random.Generator) -> Array:
        asked = view.model("asked") > 0.5
        return actions_of(view, asked, view.model("waiting"), self.place(view))


class Accept(Accepting):
    """Always at the training cluster: what happens without an agent."""

    def place(self, view: PipelineView) -> Array:
        return np.zeros(len(view), dtype=np.int64)


class Soonest(Accepting):
    """Where the work at hand is least for the slots and their speed."""

    def place(self, view: PipelineView) -> Array:
        return np.argmin(backlog(view), axis=1)


class Cheapest(Accepting):
    """Where the price for the work done is least; ties to the place with less work at hand."""

    def place(self, view: PipelineView) -> Array:
        price = view.place("price") / np.maximum(view.place("speed"), 1e-6)
        return np.argmin(price + 1e-3 * backlog(view), axis=1)


class Defer(PipelinePolicy):
    """Never runs anything: models drift."""

    def choose(self, view: PipelineView, rng: np.random.Generator) -> Array:
        return np.full(len(view), view.mask.shape[1] - 1)
