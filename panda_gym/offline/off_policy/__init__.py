"""Off-policy evaluation: estimate the return of a policy from episodes of others.

from panda_gym.offline import off_policy

found = off_policy.evaluate(data, "earliest_completion", gamma=0.9, horizon=20)
found.estimates["doubly_robust"].value, found.effective_episodes
"""

from __future__ import annotations

from panda_gym.deprecated import old_names
from panda_gym.offline.off_policy.estimators import ESTIMATORS, LoggedEpisodes, estimate, interval
from panda_gym.offline.off_policy.evaluate import Evaluation, evaluate

__all__ = ["ESTIMATORS", "Evaluation", "LoggedEpisodes", "estimate", "evaluate", "interval"]

__getattr__ = old_names(__name__)
