"""Plan on forks of the environment: try sites and play on under fresh draws of all that is unseen.

`PlacementBatch.fork(seed)` keeps what a broker has seen and draws the rest anew, so that no plan
foretells. A planner must be given the batch that its decisions are about (`Policy.attach`), which
benchmarks do; without one it answers as its base rule.

A plan says which rank of the base rule's order each of the next decisions takes, so that it means
something for jobs that are not known yet. All plans of a decision meet the same forks.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from panda_gym.environments.placement import policies
from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.base import Policy, Ranking
from panda_gym.errors import PolicyError

Array = np.ndarray


@dataclass
class ForkPlanner(Policy):
    """Take the first decision of the plan of least sum of ln slowdowns over the forks.

    base: name of the rule that ranks the sites, and that plays on.
    candidates: how many of its best legal sites are tried.
    horizon: decisions that are played after the one at hand.
    forks: draws of the unseen over which a plan is averaged.
    """

    base: str = "earliest_completion"
    candidates: int = 3
    horizon: int = 5
    forks: int = 2
    rule: Ranking = field(init=False, repr=False, compare=False)
    batch: Any = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, low in (("candidates", 1), ("horizon", 0), ("forks", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < low:
                needed = f"a whole number {name} >= {low}"
                raise PolicyError(needed, repr(value), f"pass for example {name}=3")
        rule = policies.create(self.base)
        if not isinstance(rule, Ranking):
            do = "take for example earliest_completion"
            raise PolicyError("a base rule that scores every site", repr(self.base), do)
        self.rule = rule

    @abstractmethod
    def plans(self, rng: np.random.Generator) -> Array:
        """Return ranks of the base rule, int64[plans, horizon + 1]; 0 is its own choice."""

    def reset(self, envs: int) -> None:
        """Forget the batch."""
        self.batch = None

    def attach(self, batch: Any) -> None:
        """Take the `PlacementBatch` that is to be forked; PolicyError unless jobs come singly."""
        if batch.scenario.decisions > 1 or batch.scenario.data_actions:
            do = "take an environment without them, or another policy"
            raise PolicyError("one placement at a time, for a planner", "several", do)
        self.batch = batch

    def choose(self, view: PlacementView, rng: np.random.Generator) -> Array:
        """Return the first site of the best plan, or the base rule's choice without a batch."""
        if self.batch is None or len(self.batch) != len(view):
            return self.rule.choose(view, rng)
        plans, seeds = self.plans(rng), rng.integers(2**31, size=self.forks).tolist()
        costs = np.zeros((len(plans), len(view)))
        for seed in seeds:
            fork = self.batch.fork(seed)
            costs += [self._cost(copy.deepcopy(fork), plan) for plan in plans]
        return self._sites(view, plans[costs.argmin(axis=0), 0])

    def _sites(self, view: PlacementView, ranks: Array) -> Array:
        """The legal sites at ranks of the base rule, int64[E]; the last one if there are fewer."""
        score = np.where(view.mask, self.rule.score(view), -np.inf)
        order = np.argsort(-score, axis=1, kind="stable")
        place = np.minimum(ranks, view.mask.sum(axis=1) - 1)
        return np.take_along_axis(order, place[:, None], axis=1)[:, 0]

    def _cost(self, aside: Any, plan: Array) -> Array:
        """Sum of ln slowdowns of the jobs that a plan places on a copy of a fork, float64[E].

        They count the true work ahead on the fork; before queues in order of arrival no later job
        delays them.
        """
        total = np.zeros(len(aside))
        for rank in plan:
            done = aside.simulator.done
            if done.all():
                break
            view = PlacementView(aside.observe(copy=False))
            sites = self._sites(view, np.full(len(view), rank))
            aside.step(sites, ~done if done.any() else None)
            total -= np.where(done, 0.0, aside.report()["reward_true"])
        return total
