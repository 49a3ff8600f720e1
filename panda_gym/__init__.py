"""PandaGrid: the placement of grid jobs on about 150 sites, as a Gymnasium environment.

Importing this package registers the environments and loads gymnasium and numpy only; everything
else (pandas, torch, catboost, numba, stable-baselines3) loads when a name that needs it is used.
"""

from __future__ import annotations

import importlib
from typing import Any

import gymnasium

from panda_gym.deprecated import install

__version__ = "0.2.0"

_LAZY = {
    "JobStream": "panda_gym.jobs:JobStream",
    "Platform": "panda_gym.sites:Platform",
    "Surrogate": "panda_gym.surrogate:Surrogate",
    "benchmark": "panda_gym.benchmarking:benchmark",
    "load_platform": "panda_gym.sites:load_platform",
    "load_records": "panda_gym.records:load_records",
    "policies": "panda_gym.environments.placement.policies:",
    "reference_records": "panda_gym.records:reference_records",
    "sb3_vec_env": "panda_gym.environments.sb3:sb3_vec_env",
}

__all__ = ["__version__", *sorted(_LAZY)]

ENVIRONMENTS: dict[str, dict[str, Any]] = {
    "PandaGrid/Pipelines-v0": {
        "entry_point": "panda_gym.environments.pipeline.env:PipelineEnv",
        "vector_entry_point": "panda_gym.environments.pipeline.vector_env:PipelineVectorEnv",
    },
    "PandaGrid/Placement-v0": {
        "entry_point": "panda_gym.environments.placement.env:PlacementEnv",
        "vector_entry_point": "panda_gym.environments.placement.vector_env:PlacementVectorEnv",
    },
    "PandaGrid/DataPlacement-v0": {
        "entry_point": "panda_gym.environments.placement.data_env:DataPlacementEnv",
        "vector_entry_point": "panda_gym.environments.placement.data_env:DataPlacementVectorEnv",
    },
    "PandaGrid/Workflow-v0": {
        "entry_point": "panda_gym.environments.workflow.env:WorkflowEnv",
        "vector_entry_point": "panda_gym.environments.workflow.vector_env:WorkflowVectorEnv",
    },
}
"""Registered environments: one line a member."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'panda_gym' has no attribute {name!r}")
    module, _, attribute = _LAZY[name].partition(":")
    found = importlib.import_module(module)
    globals()[name] = getattr(found, attribute) if attribute else found
    return globals()[name]


def __dir__() -> list[str]:
    return sorted(__all__)


install()

for _id, _entry in ENVIRONMENTS.items():
    if _id not in gymnasium.registry:
        gymnasium.register(id=_id, **_entry)
