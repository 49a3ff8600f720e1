"""Algorithms, wrappers and callbacks of stable-baselines3 work with every environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.wrappers import FlattenObservation

import panda_gym
from tests.panda_gym.placements import small

pytestmark = pytest.mark.long

SETTINGS: dict[str, dict[str, Any]] = {
    "PandaGrid/Placement-v0": small(jobs=12),
    "PandaGrid/DataPlacement-v0": small(jobs=12, storage=True),
    "PandaGrid/Pipelines-v0": {"days": 2.0},
}
"""Keywords that make episodes short; {} by default."""

STEPS = {"n_steps": 16, "batch_size": 32, "n_epochs": 2, "seed": 0, "device": "cpu"}


@pytest.fixture(params=sorted(panda_gym.ENVIRONMENTS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def several(name: str, n: int = 2) -> Any:
    """A VecEnv by the id, with Monitor around each environment."""
    from stable_baselines3.common.env_util import make_vec_env

    return make_vec_env(name, n_envs=n, seed=0, env_kwargs=SETTINGS.get(name, {}))


def box_parts(name: str) -> list[str]:
    """Names of the parts of an observation that can be normalised: all but the mask."""
    space = gymnasium.make(name, **SETTINGS.get(name, {})).observation_space
    return [part for part, one in space.spaces.items() if isinstance(one, spaces.Box)]


def test_the_checker_of_the_library_passes(name: str) -> None:
    from stable_baselines3.common.env_checker import check_env

    check_env(gymnasium.make(name, **SETTINGS.get(name, {})).unwrapped, warn=False)


def test_ppo_normalises_evaluates_saves_and_loads(name: str, tmp_path: Path) -> None:
    from stable_baselines3 import PPO
    from stable_baselines3.common.callbacks import EvalCallback
    from stable_baselines3.common.vec_env import VecNormalize

    train, held = (VecNormalize(several(name, n), norm_obs_keys=box_parts(name)) for n in (2, 1))
    held.training, held.norm_reward = False, False
    evaluation = EvalCallback(
        held, n_eval_episodes=2, eval_freq=32, best_model_save_path=str(tmp_path), verbose=0
    )
    agent = PPO("MultiInputPolicy", train, **STEPS)
    agent.learn(96, callback=evaluation)
    assert evaluation.n_calls == 48
    assert (tmp_path / "best_model.zip").is_file()
    agent.save(tmp_path / "agent")
    train.save(str(tmp_path / "normal.pkl"))
    env = VecNormalize.load(str(tmp_path / "normal.pkl"), several(name))
    env.training = False
    again, seen = PPO.load(tmp_path / "agent", env=env), env.reset()
    for _ in range(5):
        action, _ = again.predict(seen, deterministic=True)
        np.testing.assert_array_equal(action, agent.predict(seen, deterministic=True)[0])
        seen, _, _, infos = env.step(action)
    assert set(infos[0]) >= {"cost", "costs"}


def test_maskable_ppo_takes_legal_actions_alone(name: str) -> None:
    from sb3_contrib import MaskablePPO
    from sb3_contrib.common.maskable.callbacks import MaskableEvalCallback
    from sb3_contrib.common.maskable.utils import get_action_masks

    env = several(name)
    agent = MaskablePPO("MultiInputPolicy", env, **STEPS)
    agent.learn(64, callback=MaskableEvalCallback(several(name, 1), eval_freq=32, verbose=0))
    seen = env.reset()
    for _ in range(20):
        action, _ = agent.predict(seen, action_masks=get_action_masks(env))
        seen, _, _, infos = env.step(action)
        assert all(info["costs"]["illegal_action"] == 0.0 for info in infos)


def test_dqn_learns_from_flat_observations(name: str) -> None:
    from stable_baselines3 import DQN
    from stable_baselines3.common.monitor import Monitor

    env = gymnasium.make(name, **SETTINGS.get(name, {}))
    if not isinstance(env.action_space, spaces.Discrete):
        pytest.skip("DQN knows one choice a step")
    agent = DQN(
        "MlpPolicy",
        Monitor(FlattenObservation(env)),
        learning_starts=20,
        buffer_size=500,
        train_freq=4,
        seed=0,
        device="cpu",
    )
    agent.learn(100)
    episodes = agent.ep_info_buffer
    assert episodes is not None
    assert len(episodes) > 0


def test_the_vector_environment_of_placement_takes_the_librarys_wrappers(tmp_path: Path) -> None:
    from sb3_contrib import MaskablePPO
    from stable_baselines3.common.vec_env import VecMonitor, VecNormalize

    env = panda_gym.sb3_vec_env(2, seed=0, **SETTINGS["PandaGrid/Placement-v0"])
    env = VecNormalize(VecMonitor(env), norm_obs=False)
    agent = MaskablePPO("MultiInputPolicy", env, **STEPS)
    agent.learn(96)
    assert agent.ep_info_buffer
    assert agent.ep_info_buffer[0]["l"] == 12
    agent.save(tmp_path / "agent")
    MaskablePPO.load(tmp_path / "agent", env=env).learn(32)
