"""Off-policy evaluation: what a policy would earn, told from what others did.

    from panda_gym.offline import off_policy

    found = off_policy.evaluate(data, "earliest_completion", gamma=0.9, horizon=20)
    found.estimates["doubly_robust"].value, found.effective_episodes

Knows data sets and policies, never an environment and never how a policy was learned.
"""

from __future__ import annotations

from panda_gym.offline.off_policy.estimators import ESTIMATORS, Logged, estimate, interval
from panda_gym.offline.off_policy.evaluate import Evaluation, evaluate

__all__ = ["ESTIMATORS", "Evaluation", "Logged", "estimate", "evaluate", "interval"]
