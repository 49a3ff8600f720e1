"""Reference returns and costs of known policies in an environment, which normalise scores.

All data sets of an environment share it, so that scores of learners on them can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from panda_gym.environments.placement.scenario import Scenario
from panda_gym.errors import RecordsError, SettingError
from panda_gym.offline.datasets.behaviour import find_behaviours
from panda_gym.offline.datasets.play import score

POLICIES: Final = ("random", "data_locality", "panda_production_draw@scaled", "earliest_completion")
"""Policies whose means span the scores."""

SEED: Final = 2_000_000
"""Episode i of the reference has this seed + i."""

EPISODES: Final = 8
"""Episodes of each reference policy."""

QUARTERS: Final = (0.25, 0.5, 0.75)
"""Where the cost limits lie between the cheapest and the best policy."""


@dataclass(frozen=True)
class Reference:
    """Mean return and mean cost of an episode under the reference policies.

    returns, costs: by policy; undiscounted sums over an episode's decisions about judged jobs,
    mean over the episodes.
    episodes: number of episodes of each policy.
    to_end: whether the policies decided until all judged jobs had ended, as benchmarks do; False
    in data sets of release 0.1.
    """

    returns: Mapping[str, float]
    costs: Mapping[str, float]
    episodes: int
    to_end: bool = False

    @property
    def min_episode_reward(self) -> float:
        """Mean return of the worst policy, where the normalised reward is 0."""
        return min(self.returns.values())

    @property
    def max_episode_reward(self) -> float:
        """Mean return of the best policy, where the normalised reward is 1."""
        return max(self.returns.values())

    @property
    def min_episode_cost(self) -> float:
        """Mean cost of the cheapest policy."""
        return min(self.costs.values())

    @property
    def max_episode_cost(self) -> float:
        """Mean cost of the dearest policy."""
        return max(self.costs.values())

    @property
    def ends(self) -> dict[str, float]:
        """The four numbers above by the names that DSRL gives them."""
        return {
            "min_episode_reward": self.min_episode_reward,
            "max_episode_reward": self.max_episode_reward,
            "min_episode_cost": self.min_episode_cost,
            "max_episode_cost": self.max_episode_cost,
        }

    @property
    def cost_limits(self) -> tuple[float, ...]:
        """Three limits: a quarter, half and three quarters of the way from least to most.

        Least is the cheapest policy's cost, most that of the one with the highest return: a limit
        above it binds nobody. Where the best is the cheapest, the dearest takes its place.
        """
        best = max(self.returns, key=lambda label: self.returns[label])
        low, high = self.min_episode_cost, self.costs[best]
        if high == low:
            high = self.max_episode_cost
        return tuple(low + part * (high - low) for part in QUARTERS)

    def normalized(self, reward: float, cost: float, limit: float) -> tuple[float, float]:
        """Return normalised reward and cost as DSRL does (arXiv 2306.09303).

        (reward - least) / (greatest - least), and (cost + e) / (limit + e), e = 1 where the limit
        is 0: a cost above 1 breaks it.

        NOTE[DIFF] least and greatest are means of known policies, as in D4RL (arXiv 2004.07219),
        not the extremes of one data set's episodes, so that data sets can be compared.
        """
        low, high = self.min_episode_reward, self.max_episode_reward
        if high == low:
            raise RecordsError(
                "reference policies whose returns differ", f"all {low:g}", "play longer episodes"
            )
        if not limit >= 0.0:
            raise SettingError("a cost limit of at least 0", repr(limit), "see cost_limits")
        spare = 1.0 if limit == 0.0 else 0.0
        return (reward - low) / (high - low), (cost + spare) / (limit + spare)


def measure(scenario: Scenario, episodes: int = EPISODES) -> Reference:
    """Play the reference policies on the reference seeds; same scenario, same result.

    A policy decides until all judged jobs have ended, so that nobody else places one.
    """
    seeds = range(SEED, SEED + episodes)
    returns, costs = {}, {}
    for one in find_behaviours(POLICIES, 0.0, scenario.scale):
        sums = score(scenario, one, seeds)
        returns[one.label], costs[one.label] = (float(series.mean()) for series in sums)
    return Reference(returns, costs, episodes, to_end=True)
