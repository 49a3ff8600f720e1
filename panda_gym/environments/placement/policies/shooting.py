"""Short-horizon planner: try random plans of the next decisions and take the best one's first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.environments.placement.policies.fork_planner import ForkPlanner
from panda_gym.environments.placement.policies.settings import at_least


@dataclass
class Shooting(ForkPlanner):
    """Model-predictive control by random shooting (Richards 2005; Nagabandi et al. 2018).

    Plans over `horizon` + 1 decisions are drawn: each decision takes the base rule's first choice,
    or with probability `deviate` another of its `candidates` best sites. The first plan is the
    rule's own. The other settings are those of `ForkPlanner`.

    tried: plans that are tried.
    deviate: probability of another site than the rule's first.
    """

    tried: int = 6
    deviate: float = 0.4

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("tried", self.tried, 1)
        at_least("deviate", self.deviate, 0.0)

    def plans(self, rng: np.random.Generator) -> np.ndarray:
        shape = (int(self.tried), self.horizon + 1)
        others = rng.integers(1, max(self.candidates, 2), shape)
        ranks = np.where(rng.random(shape) < self.deviate, others, 0)
        ranks[0] = 0
        return ranks if self.candidates > 1 else np.zeros(shape, dtype=np.int64)
