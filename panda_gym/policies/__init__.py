"""Placement policies by name: the registry and its door; knows no environment.

policy = create("earliest_completion")
sites = policy(observation, np.random.default_rng(0))     # int64[E]
"""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any, Final

from panda_gym.errors import PolicyError, nearest
from panda_gym.policies.base import Policy

__all__ = ["REGISTRY", "Policy", "create", "names"]

REGISTRY: Final = {
    "assignment": "panda_gym.policies.assignment:Assignment",
    "capacity_random": "panda_gym.policies.capacity_random:CapacityRandom",
    "data_locality": "panda_gym.policies.data_locality:DataLocality",
    "earliest_completion": "panda_gym.policies.earliest_completion:EarliestCompletion",
    "fastest": "panda_gym.policies.fastest:Fastest",
    "heft": "panda_gym.policies.heft:Heft",
    "hindsight-scorer": "panda_gym.policies.zoo_agents:HindsightScorer",
    "learned": "panda_gym.policies.learned:Learned",
    "least_loaded": "panda_gym.policies.least_loaded:LeastLoaded",
    "least_queued": "panda_gym.policies.least_queued:LeastQueued",
    "least_queued_per_slot": "panda_gym.policies.least_queued_per_slot:LeastQueuedPerSlot",
    "max_min": "panda_gym.policies.max_min:MaxMin",
    "min_min": "panda_gym.policies.min_min:MinMin",
    "panda_analysis": "panda_gym.policies.panda_analysis:PandaAnalysis",
    "panda_analysis_original": ("panda_gym.policies.panda_analysis_original:PandaAnalysisOriginal"),
    "panda_production": "panda_gym.policies.panda_production:PandaProduction",
    "panda_production_draw": "panda_gym.policies.panda_production_draw:PandaProductionDraw",
    "ppo-scorer": "panda_gym.policies.zoo_agents:PPOScorer",
    "random": "panda_gym.policies.random:Random",
    "round_robin": "panda_gym.policies.round_robin:RoundRobin",
    "shortest_of_few": "panda_gym.policies.shortest_of_few:ShortestOfFew",
    "tuned": "panda_gym.policies.tuned:Tuned",
}
"""Name to "module:Class": a new policy is one file and one line."""

ORACLES: Final = "use panda_gym.oracles.create, or name it in a benchmark"


def names() -> tuple[str, ...]:
    """Return the names that `create` knows, in alphabetical order."""
    return tuple(sorted(REGISTRY))


def create(name: str, **config: Any) -> Policy:
    """Return the policy of that name; `config` are the fields of its dataclass.

    PolicyError for an unknown name or field (nearest names suggested) or a bad value.
    """
    if str(name).startswith("oracle:"):
        raise PolicyError("a policy", f"{name!r}, which sees what no policy may", ORACLES)
    if name not in REGISTRY:
        raise PolicyError("the name of a policy", repr(name), nearest(str(name), REGISTRY))
    module, _, attribute = REGISTRY[name].partition(":")
    kind = getattr(importlib.import_module(module), attribute)
    fields = [field for field in dataclasses.fields(kind) if field.init]
    _check_fields(name, config, fields)
    return kind(**config)


def _check_fields(name: str, config: dict[str, Any], fields: list[dataclasses.Field[Any]]) -> None:
    known = [field.name for field in fields]
    for key in config:
        if key not in known:
            hint = nearest(key, known) if known else "this policy has no settings"
            raise PolicyError(f"a setting of policy {name!r}", repr(key), hint)
    for field in fields:
        if field.default is dataclasses.MISSING and field.name not in config:
            raise PolicyError(
                f"the setting {field.name!r} of policy {name!r}",
                "nothing",
                f"pass create({name!r}, {field.name}=...)",
            )
