"""Build learners of stable-baselines3 and sb3-contrib, and drive all of them in the same way.

`Loop` collects a rollout with a learner, lets it learn, and reads what it logged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from sb3_contrib import MaskablePPO
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.type_aliases import TrainFreq, TrainFrequencyUnit

from panda_gym.environments.placement.policies.scorer import ScorerShape
from panda_gym.errors import PolicyError
from panda_gym.training.config import TrainConfig
from panda_gym.training.ppo_lagrangian import PPOLagrangian
from panda_gym.training.sb3_policy import (
    SiteDQN,
    SiteQPolicy,
    SiteScorerPolicy,
    UnmaskedScorerPolicy,
)
from panda_gym.training.settled_replay import SettledDictReplayBuffer


def build(env: Any, config: TrainConfig) -> Any:
    """Return the learner of a configuration over a stable-baselines3 VecEnv."""
    return BUILDERS[config.algo](env, config)


def collect(model: Any, config: TrainConfig, callback: BaseCallback) -> None:
    """Collect one rollout: `rollout_steps` decisions in each environment."""
    if isinstance(model, SiteDQN):
        often = TrainFreq(config.rollout_steps, TrainFrequencyUnit.STEP)
        model.collect_rollouts(model.env, callback, often, model.replay_buffer, learning_starts=0)
        return
    model.collect_rollouts(model.env, callback, model.rollout_buffer, config.rollout_steps)


def learn(model: Any, config: TrainConfig) -> None:
    """Learn from the last rollout; DQN learns from as many decisions of its replay buffer.

    With an objective DQN learns nothing before the first episodes have ended.
    """
    if isinstance(model, SiteDQN):
        if config.objective and not len(model.replay_buffer.rows()):  # type: ignore[union-attr]
            return
        steps = config.epochs * config.rollout // min(config.batch_size, config.rollout)
        model.train(max(1, steps), min(config.batch_size, config.rollout))
    else:
        model.train()


def seen(model: Any) -> dict[str, float | None]:
    """Return what the learner logged of its last update, as fields of CurvePoint."""
    logged = model.logger.name_to_value

    def find(*names: str) -> float | None:
        return next((float(logged[name]) for name in names if name in logged), None)

    entropy = find("train/entropy_loss")
    return {
        "entropy": None if entropy is None else -entropy,
        "value_loss": find("train/value_loss", "train/loss"),
        "explained_variance": find("train/explained_variance"),
        "kl": find("train/approx_kl"),
        "multiplier": find("rollout/multiplier"),
    }


def _shared(config: TrainConfig) -> dict[str, Any]:
    start, end = config.learning_rate, config.learning_rate_end
    return {
        "learning_rate": lambda left: end + (start - end) * left,
        "gamma": config.gamma,
        "max_grad_norm": config.max_grad_norm,
        "policy_kwargs": {"shape": ScorerShape(config.hidden, config.critic)},
        "device": config.device,
    }


def _actor_critic(config: TrainConfig) -> dict[str, Any]:
    names = ("gae_lambda", "ent_coef", "vf_coef")
    given = {name: value for name, value in asdict(config).items() if name in names}
    return {**_shared(config), **given, "n_steps": config.rollout_steps}


def _proximal(config: TrainConfig) -> dict[str, Any]:
    return {
        **_actor_critic(config),
        "batch_size": min(config.batch_size, config.rollout),
        "n_epochs": config.epochs,
        "clip_range": config.clip_range,
    }


def _lagrangian(env: Any, config: TrainConfig) -> PPOLagrangian:
    if config.cost_limit is None:
        raise PolicyError("a cost limit for ppo_lagrangian", "none", "pass --cost-limit")
    return PPOLagrangian(SiteScorerPolicy, env, cost_limit=config.cost_limit, **_proximal(config))


def _dqn(env: Any, config: TrainConfig) -> SiteDQN:
    settled = {"replay_buffer_class": SettledDictReplayBuffer} if config.objective else {}
    if config.objective:
        _check_episode(env.unwrapped.batch.scenario.jobs, config)
    return SiteDQN(
        SiteQPolicy,
        env,
        buffer_size=max(config.memory_steps, config.rollout),
        learning_starts=0,
        target_update_interval=config.rollout,
        exploration_fraction=0.5,
        **settled,
        **_shared(config),
    )


def _check_episode(jobs: int, config: TrainConfig) -> None:
    """Raise PolicyError unless memory and run hold more than one episode of each environment.

    DQN learns a difference reward when its episode has ended.
    """
    episode = jobs * config.num_envs
    if config.memory_steps < episode or config.total_steps <= episode:
        raise PolicyError(
            f"memory_steps and more steps than an episode of each environment, {episode}",
            f"memory_steps={config.memory_steps}, steps={config.total_steps}",
            "lower --num-envs or --jobs, or raise --steps",
        )


BUILDERS: Final[dict[str, Callable[[Any, TrainConfig], Any]]] = {
    "maskable_ppo": lambda env, c: MaskablePPO(SiteScorerPolicy, env, **_proximal(c)),
    "ppo": lambda env, c: PPO(UnmaskedScorerPolicy, env, **_proximal(c)),
    "a2c": lambda env, c: A2C(UnmaskedScorerPolicy, env, use_rms_prop=False, **_actor_critic(c)),
    "dqn": _dqn,
    "ppo_lagrangian": _lagrangian,
}
"""Learners by name, as `panda_gym.training.config.ALGORITHMS` lists them."""
