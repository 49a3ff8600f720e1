"""Environments by id as stable-baselines3 VecEnvs, each a batch on one kernel."""

from __future__ import annotations

import importlib
from typing import Any, Final

from panda_gym.environments.base.sb3 import BatchVecEnv
from panda_gym.errors import SettingError, nearest

VEC_ENVS: Final = {
    "PandaGrid/DataPlacement-v0": "panda_gym.environments.placement.sb3:DataPlacementVecEnv",
    "PandaGrid/Pipelines-v0": "panda_gym.environments.pipeline.sb3:PipelineVecEnv",
    "PandaGrid/Placement-v0": "panda_gym.environments.placement.sb3:PlacementVecEnv",
    "PandaGrid/Workflow-v0": "panda_gym.environments.workflow.sb3:WorkflowVecEnv",
}
"""Id of an environment to "module:Class"."""


def sb3_vec_env(
    num_envs: int = 1, env_id: str = "PandaGrid/Placement-v0", **settings: Any
) -> BatchVecEnv:
    """Return a stable-baselines3 VecEnv of `num_envs` episodes of an environment.

    Args:
        env_id: id of the environment.
        settings: keywords of the environment, and `copy`, `info` and `seed` of `BatchVecEnv`.

    Raises:
        SettingError: an unknown id or setting.
    """
    if env_id not in VEC_ENVS:
        hint = nearest(str(env_id), VEC_ENVS)
        raise SettingError(f"env_id in {list(VEC_ENVS)}", repr(env_id), hint)
    module, _, name = VEC_ENVS[env_id].partition(":")
    made: BatchVecEnv = getattr(importlib.import_module(module), name)(num_envs, **settings)
    return made
