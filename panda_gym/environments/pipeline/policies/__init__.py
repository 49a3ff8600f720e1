"""Policies of `PandaGrid/Pipelines-v0` by name."""

from __future__ import annotations

import importlib
from typing import Final

from panda_gym.environments.pipeline.policies.base import PipelinePolicy
from panda_gym.errors import PolicyError, nearest

__all__ = ["REGISTRY", "PipelinePolicy", "create", "names"]

REGISTRY: Final = {
    "accept": "panda_gym.environments.pipeline.policies.accepting:Accept",
    "cheapest": "panda_gym.environments.pipeline.policies.accepting:Cheapest",
    "defer": "panda_gym.environments.pipeline.policies.accepting:Defer",
    "improvement": "panda_gym.environments.pipeline.policies.improvement:Improvement",
    "random": "panda_gym.environments.pipeline.policies.random:Random",
    "soonest": "panda_gym.environments.pipeline.policies.accepting:Soonest",
}
"""Name to "module:Class": a new policy is one file and one line."""


def names() -> tuple[str, ...]:
    """Return the names that `create` knows, in alphabetical order."""
    return tuple(sorted(REGISTRY))


def create(name: str) -> PipelinePolicy:
    """Return the policy of that name; PolicyError names the nearest if there is none."""
    if name not in REGISTRY:
        raise PolicyError("the name of a pipeline policy", repr(name), nearest(str(name), REGISTRY))
    module, _, attribute = REGISTRY[name].partition(":")
    policy: PipelinePolicy = getattr(importlib.import_module(module), attribute)()
    return policy
