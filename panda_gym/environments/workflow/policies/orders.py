"""Policies that differ in the order of ready sets alone; the site is that of earliest finish."""

from __future__ import annotations

from abc import abstractmethod
from typing import final

import numpy as np

from panda_gym.environments.workflow.observation import WorkflowView
from panda_gym.environments.workflow.policies.base import (
    WorkflowPolicy,
    actions_of,
    earliest_finish,
)

Array = np.ndarray


class Ordering(WorkflowPolicy):
    """Places whatever may be placed, the highest score first; never holds."""

    @abstractmethod
    def score(self, view: WorkflowView) -> Array:
        """How soon every slot should be placed, float64[E, K], higher is sooner."""

    @final
    def choose(self, view: WorkflowView, rng: np.random.Generator) -> Array:
        every = np.ones((len(view), view.slots), dtype=bool)
        return actions_of(view, every, self.score(view), earliest_finish(view))


class Fifo(Ordering):
    """First come first served, passing over what does not fit (first fit)."""

    def score(self, view: WorkflowView) -> Array:
        return np.zeros((len(view), view.slots))


class LongestFirst(Ordering):
    """The longest expected duration first."""

    def score(self, view: WorkflowView) -> Array:
        return view.set("duration")


class UpwardRank(Ordering):
    """The longest way to an exit first: the critical path rule."""

    def score(self, view: WorkflowView) -> Array:
        return view.set("rank")


class UpwardRankEarliestFinish(Ordering):
    """Upward rank first, at the site of the earliest expected finish.

    It is not HEFT (Topcuoglu et al. 2002), see `panda_gym.workflows.static_scheduling`: decisions
    are taken when a set is ready, and a site's queue is first in first out, so that there is no
    insertion into earlier gaps. On equal ranks the set that finishes earliest comes first. In one
    pool it differs from `upward_rank` only on such ties.
    """

    def score(self, view: WorkflowView) -> Array:
        never = np.finfo(np.float64).max
        finish = np.where(view.legal, earliest_finish(view), never).min(axis=2)
        return view.set("rank") - 1e-6 * finish / (1.0 + finish)
