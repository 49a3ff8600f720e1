"""Policies of `PandaGrid/Workflow-v0` by name.

policy = create("upward_rank")
actions = policy(observation, np.random.default_rng(0))     # int64[E]
"""

from __future__ import annotations

import importlib
from typing import Final

from panda_gym.deprecated import renamed_value
from panda_gym.environments.workflow.policies.base import WorkflowPolicy
from panda_gym.errors import PolicyError, nearest

__all__ = ["REGISTRY", "WorkflowPolicy", "create", "names"]

REGISTRY: Final = {
    "fifo": "panda_gym.environments.workflow.policies.orders:Fifo",
    "longest_first": "panda_gym.environments.workflow.policies.orders:LongestFirst",
    "masking_aware": "panda_gym.environments.workflow.policies.masking_aware:MaskingAware",
    "random": "panda_gym.environments.workflow.policies.random:Random",
    "sequential": "panda_gym.environments.workflow.policies.sequential:Sequential",
    "upward_rank": "panda_gym.environments.workflow.policies.orders:UpwardRank",
    "upward_rank_earliest_finish": (
        "panda_gym.environments.workflow.policies.orders:UpwardRankEarliestFinish"
    ),
}
"""Name to "module:Class": a new policy is one file and one line."""


def names() -> tuple[str, ...]:
    """Return the names that `create` knows, in alphabetical order."""
    return tuple(sorted(REGISTRY))


def create(name: str) -> WorkflowPolicy:
    """Return the policy of a name; an old name warns, an unknown one raises PolicyError."""
    name = renamed_value("workflow policy", name)
    if name not in REGISTRY:
        raise PolicyError("the name of a workflow policy", repr(name), nearest(str(name), REGISTRY))
    module, _, attribute = REGISTRY[name].partition(":")
    policy: WorkflowPolicy = getattr(importlib.import_module(module), attribute)()
    return policy
