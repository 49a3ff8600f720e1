"""Registry of placement policies: create a policy by its name.

policy = create("earliest_completion")
sites = policy(observation, np.random.default_rng(0))     # int64[E]
"""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any, Final

from panda_gym.deprecated import renamed_value
from panda_gym.environments.placement.policies.base import Policy
from panda_gym.errors import PolicyError, nearest

__all__ = ["REGISTRY", "Policy", "create", "current_name", "names"]

REGISTRY: Final = {
    "assignment": "assignment:Assignment",
    "capacity_random": "capacity_random:CapacityRandom",
    "data_locality": "data_locality:DataLocality",
    "difference-reward-scorer": "zoo_agents:DifferenceRewardScorer",
    "dispatching_index": "dispatching_index:DispatchingIndex",
    "earliest_completion": "earliest_completion:EarliestCompletion",
    "fastest": "fastest:Fastest",
    "heft": "heft:Heft",
    "learned": "learned:Learned",
    "least_loaded": "least_loaded:LeastLoaded",
    "least_queued": "least_queued:LeastQueued",
    "least_queued_per_slot": "least_queued_per_slot:LeastQueuedPerSlot",
    "least_work_of_few": "least_work_of_few:LeastWorkOfFew",
    "max_min": "max_min:MaxMin",
    "min_min": "min_min:MinMin",
    "panda_analysis": "panda_analysis:PandaAnalysis",
    "panda_analysis_original": "panda_analysis_original:PandaAnalysisOriginal",
    "panda_production": "panda_production:PandaProduction",
    "panda_production_draw": "panda_production_draw:PandaProductionDraw",
    "ppo-scorer": "zoo_agents:PPOScorer",
    "random": "random:Random",
    "rollout": "rollout:Rollout",
    "round_robin": "round_robin:RoundRobin",
    "scale-free-scorer": "zoo_agents:ScaleFreeScorer",
    "shooting": "shooting:Shooting",
    "shortest_of_few": "shortest_of_few:ShortestOfFew",
    "sita": "sita:Sita",
    "tuned": "tuned:Tuned",
}
"""Name to "module:Class" in this package: a new policy is one file and one line."""

ORACLES: Final = "use panda_gym.oracles.create, or name it in a benchmark"


def names() -> tuple[str, ...]:
    """Return the names that `create` knows, in alphabetical order."""
    return tuple(sorted(REGISTRY))


def current_name(name: str) -> str:
    """Return today's name of a policy; an old name warns."""
    return renamed_value("policy", name)


def create(name: str, **config: Any) -> Policy:
    """Return the policy of that name; `config` are the fields of its dataclass.

    PolicyError for an unknown name or field (nearest names suggested) or a bad value.
    """
    if str(name).startswith("oracle:"):
        raise PolicyError("a policy", f"{name!r}, which sees what no policy may", ORACLES)
    name = current_name(name)
    if name not in REGISTRY:
        raise PolicyError("the name of a policy", repr(name), nearest(str(name), REGISTRY))
    module, _, attribute = REGISTRY[name].partition(":")
    kind = getattr(importlib.import_module(f"{__name__}.{module}"), attribute)
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
