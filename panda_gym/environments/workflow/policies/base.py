"""Base class of workflow policies: observation and generator in, one action an execution out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import final

import numpy as np

from panda_gym.environments.workflow.observation import WorkflowView
from panda_gym.errors import PolicyError

Array = np.ndarray


class WorkflowPolicy(ABC):
    """Names a ready set and a site, or hold, in each of E executions; remembers nothing."""

    @abstractmethod
    def choose(self, view: WorkflowView, rng: np.random.Generator) -> Array:
        """Return a legal action for every execution, int64[E]."""

    @final
    def __call__(self, observation: Mapping[str, Array], rng: np.random.Generator) -> Array:
        """Return a legal action for every execution, int64[E]: slot x sites + site, or hold.

        PolicyError if an execution allows nothing.
        """
        view = WorkflowView(observation)
        if not view.mask.any(axis=1).all():
            raise PolicyError("at least one legal action", "a mask of zeros", "reset first")
        return np.asarray(self.choose(view, rng), dtype=np.int64)


def actions_of(view: WorkflowView, allowed: Array, score: Array, cost: Array) -> Array:
    """Allowed slot of the highest score, at its site of least cost; hold where none is allowed.

    Shape: allowed bool[E, K], score float64[E, K], cost float64[E, K, P]; returns int64[E]. Ties
    go to the first slot and the first site. Where nothing is allowed and hold is illegal, the
    first legal action is taken.
    """
    legal = view.legal
    allowed = allowed & legal.any(axis=2)
    rows = np.arange(len(view))
    slot = np.argmax(np.where(allowed, score, -np.inf), axis=1)
    site = np.argmin(np.where(legal[rows, slot], cost[rows, slot], np.inf), axis=1)
    placed = slot * view.sites + site
    hold = np.where(view.may_hold, view.slots * view.sites, np.argmax(view.mask, axis=1))
    return np.where(allowed.any(axis=1), placed, hold)


def earliest_finish(view: WorkflowView) -> Array:
    """Expected time until a task of a slot would end at a site, float64[E, K, P]."""
    return view.pair("delay") + view.pair("run")
