"""Credit: what each decision cost in the end, its own job and others.

    from panda_gym.credit import OBJECTIVES, difference_rewards

    rewards = difference_rewards(batch.simulator, e, batch.log(e))    # one for every attempt

One table of objectives (`OBJECTIVES`) says what a policy minimises; training, relabelling, data
sets and benchmarks share it.
"""

from __future__ import annotations

from panda_gym.credit.difference_reward import difference_rewards
from panda_gym.credit.external_cost import external_costs, own_costs
from panda_gym.credit.objectives import OBJECTIVES, TERMS, Objective, Term, find_objective
from panda_gym.credit.recorder import CreditRecorder, Settled

__all__ = [
    "OBJECTIVES",
    "TERMS",
    "CreditRecorder",
    "Objective",
    "Settled",
    "Term",
    "difference_rewards",
    "external_costs",
    "find_objective",
    "own_costs",
]
