"""Evaluate a policy online in the environment of a data set, as offline learners are scored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from panda_gym.environments.placement.policies import Policy
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.offline.datasets.behaviour import Behaviour
from panda_gym.offline.datasets.dataset import OfflineDataset
from panda_gym.offline.datasets.play import score

Array = np.ndarray
SEEDS = range(3_000_000, 3_000_016)
"""Seeds of a trial; no data set, training or reference uses them."""


@dataclass(frozen=True)
class Trial:
    """Returns and costs of one episode a seed.

    returns, costs: float64[seeds], undiscounted sums over an episode's decisions about judged jobs.
    """

    returns: Array
    costs: Array

    def normalized(self, data: OfflineDataset, limit: float) -> tuple[float, float]:
        """Return normalised mean reward and cost, see `Reference.normalized`."""
        return data.get_normalized_score(
            float(self.returns.mean()), float(self.costs.mean()), limit
        )


def trial(
    data: OfflineDataset, policy: Policy, seeds: Iterable[int] = SEEDS, side_by_side: int = 16
) -> Trial:
    """Play a policy in the data set's environment; the data set must come from named jobs.

    The policy decides until all judged jobs have ended, as the reference policies did.
    PolicyError for an illegal answer; SettingError where the settings cannot be told from the
    data set, for it was collected from objects.
    """
    scenario = Scenario.of(**data.document["environment"]["settings"])
    given, behaviour = list(seeds), Behaviour(type(policy).__name__, policy)
    to_end = data.reference.to_end
    sums = [
        score(scenario, behaviour, given[start : start + side_by_side], to_end)
        for start in range(0, len(given), side_by_side)
    ]
    returns, costs = (np.concatenate(series) for series in zip(*sums, strict=True))
    return Trial(returns, costs)
