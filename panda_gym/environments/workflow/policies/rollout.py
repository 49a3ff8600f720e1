"""One-step rollout of a fitted policy: try its best sites, and play on by that policy.

policy = SiteRollout(fit_workflow_sites(settings))
policy.attach(env.unwrapped.batch)
"""

from __future__ import annotations

from typing import Any, final

import numpy as np

from panda_gym.environments.workflow.observation import WorkflowView
from panda_gym.environments.workflow.policies.base import WorkflowPolicy
from panda_gym.environments.workflow.policies.fitted import FittedSites
from panda_gym.errors import PolicyError

Array = np.ndarray


@final
class SiteRollout(WorkflowPolicy):
    """Rollout of a base policy (Bertsekas and Castanon 1999) on forks that foretell nothing.

    The ready set that the base would place is tried at each of its `candidates` sites of least
    cost. The base then plays each fork (`WorkflowBatch.fork`) to its end, and the site of the least
    makespan is taken. It needs the batch whose observations it is given (`attach`).
    """

    def __init__(self, base: FittedSites, candidates: int = 3) -> None:
        if isinstance(candidates, bool) or not isinstance(candidates, int) or candidates < 1:
            needed = "a whole number of candidates of at least 1"
            raise PolicyError(needed, repr(candidates), "raise candidates=")
        self.base, self.candidates = base, candidates
        self.batch: Any = None

    def attach(self, batch: Any) -> None:
        """Take the `WorkflowBatch` whose observations follow."""
        self.batch = batch

    def choose(self, view: WorkflowView, rng: np.random.Generator) -> Array:
        """Return the best action of every execution; PolicyError without its batch."""
        if self.batch is None or len(self.batch) != len(view):
            raise PolicyError("the batch of these observations", "another or none", "call attach()")
        first = self.base.choose(view, rng)
        tried = self._candidates(view, first)
        running = np.repeat(~self.batch.done, tried.shape[1])
        aside = self.batch.fork(tried.shape[1])
        if running.any():
            aside.step(tried.ravel(), running)
        while not aside.done.all():
            aside.step(self.base(aside.seen(), rng), ~aside.done)
        end = aside.report()["clock_s"].reshape(tried.shape)
        return np.take_along_axis(tried, end.argmin(axis=1)[:, None], axis=1)[:, 0]

    def _candidates(self, view: WorkflowView, first: Array) -> Array:
        """Return the base's action and the next ones of its set, by cost, int64[E, candidates].

        A row repeats its first action where fewer are legal, and where the base holds.
        """
        rows = np.arange(len(view))
        slot = np.minimum(first // view.sites, view.slots - 1)
        cost = np.where(view.legal[rows, slot], self.base.cost(view)[rows, slot], np.inf)
        order = np.argsort(cost, axis=1, kind="stable")[:, : self.candidates]
        legal = np.isfinite(np.take_along_axis(cost, order, axis=1))
        legal &= (first < view.slots * view.sites)[:, None]
        return np.where(legal, slot[:, None] * view.sites + order, first[:, None])
