"""One-step rollout: try the best sites of a rule and play on by that rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.environments.placement.policies.fork_planner import ForkPlanner


@dataclass
class Rollout(ForkPlanner):
    """Rollout of a base rule (Bertsekas and Castanon 1999), on forks that foretell nothing.

    Each of the base rule's `candidates` best sites is taken for the job at hand, then the rule
    places the next `horizon` jobs. The settings are those of `ForkPlanner`.
    """

    def plans(self, rng: np.random.Generator) -> np.ndarray:
        plans = np.zeros((self.candidates, self.horizon + 1), dtype=np.int64)
        plans[:, 0] = np.arange(self.candidates)
        return plans
