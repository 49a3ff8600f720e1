"""Upward rank at the site of least fitted cost; its weights come from a search."""

from __future__ import annotations

from typing import Final, final

import numpy as np

from panda_gym.environments.workflow.observation import WorkflowView
from panda_gym.environments.workflow.policies.base import WorkflowPolicy, actions_of
from panda_gym.errors import PolicyError

Array = np.ndarray

TERMS: Final = (
    "delay", "run", "free", "backlog", "slack delay", "slack slowness", "slack threads",
    "slack free",
)  # fmt: skip
"""Names of the weights before those of the sites."""
PLAN_TERMS: Final = ("planned", "slack planned", "onward", "slack onward")
"""Names of the weights that follow where observations show a plan."""
FACTOR: Final = 0.2
"""Change of the logarithm of a factor by a weight of 1."""
SECONDS: Final = 10.0
"""Cost of a site by a weight of 1, s."""


def fitted_size(planned: bool, sites: int) -> int:
    """Return the number of weights for so many sites, with a plan or without."""
    return len(TERMS) + sites + len(PLAN_TERMS) * planned


@final
class FittedSites(WorkflowPolicy):
    """Places the ready set of the highest upward rank at the site of least cost, in s.

    The cost is a factor times the expected delay, another times the expected run time, a time of
    each site, and times for its free threads and backlog; and, times the share of slack
    x / (x + 600 s) of the set, for delay, slowness, threads and free threads. With weights of 0 it
    is the earliest expected finish. Where observations show a plan (`plan=` of the environment),
    the planned site costs less by a time, and every site costs more by a factor times `onward`.
    Both have a part for the share of slack too. The weights belong to a platform:
    `panda_gym.training.fit_workflow_sites` finds them.

    weights: float64[8 + P] for P sites, [12 + P] with a plan; or one such row for each execution of
    a batch.
    """

    def __init__(self, weights: Array) -> None:
        self.weights = np.atleast_2d(np.asarray(weights, dtype=np.float64))

    def choose(self, view: WorkflowView, rng: np.random.Generator) -> Array:
        """Return the action of every execution; PolicyError for weights of another size."""
        needed = fitted_size(view.planned, view.sites)
        if self.weights.shape[1] != needed:
            came = f"{self.weights.shape[1]}"
            raise PolicyError(f"{needed} weights", came, "fit them on this platform")
        every = np.ones((len(view), view.slots), dtype=bool)
        return actions_of(view, every, view.set("rank"), self.cost(view))

    def cost(self, view: WorkflowView) -> Array:
        """Return the cost of every slot at every site, float64[E, K, P], s."""
        weight = dict(zip(TERMS, self.weights[:, : len(TERMS), None].swapaxes(0, 1), strict=True))
        delay, run = view.pair("delay"), view.pair("run")
        slack = _share_of_slack(view)
        threads, slowness = view.site("threads"), view.site("slowness")
        backlog, free = view.site("backlog"), view.site("free")
        fixed = self.weights[:, len(TERMS) : len(TERMS) + view.sites] + 2.0 * weight["free"] * free
        fixed = fixed + 8.0 * weight["backlog"] * backlog / (backlog + 600.0)
        slacked = 8.0 * weight["slack slowness"] * slowness / (slowness + 1.0)
        slacked = slacked + 8.0 * weight["slack threads"] * threads / (threads + 1000.0)
        slacked = slacked + 2.0 * weight["slack free"] * free
        own = _factor(weight["delay"]) * delay + _factor(weight["run"]) * run
        own = own + weight["slack delay"][:, :, None] * slack * delay
        cost: Array = own + SECONDS * (fixed[:, None] + slack * slacked[:, None])
        return cost - self._gain_by_plan(view, slack) if view.planned else cost

    def _gain_by_plan(self, view: WorkflowView, slack: Array) -> Array:
        """Return by how much the plan lowers the cost of every slot at every site, s."""
        planned, early, onward, later = self.weights[:, -len(PLAN_TERMS) :].T[:, :, None, None]
        gain: Array = SECONDS * view.pair("planned") * (planned + 2.0 * early * slack)
        return gain - FACTOR * view.pair("onward") * (onward + later * slack)


def _share_of_slack(view: WorkflowView) -> Array:
    slack = view.set("slack")
    share: Array = (slack / (slack + 600.0))[:, :, None]
    return share


def _factor(weight: Array) -> Array:
    factor: Array = np.exp(FACTOR * weight)[:, :, None]
    return factor
