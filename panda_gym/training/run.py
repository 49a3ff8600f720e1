"""A training run from settings to an agent's folder; knows the SB3 face of the environment.

    out/agent/                     agent.json, agent.safetensors: see `panda_gym.policies.learned`
    out/curve.csv                  learning curve
    out/checkpoint.safetensors     where a killed run goes on

What a resumed run repeats exactly: weights, optimiser, generators and counters are those of the
checkpoint, and the worlds are brought back by repeating the actions taken since they began, so on
one machine with the same versions and one thread the agent is the same bit for bit. Only CPU
times differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from sb3_contrib import MaskablePPO
from stable_baselines3.common.logger import configure

from panda_gym.errors import PolicyError
from panda_gym.policies.learned import Learned, save_agent
from panda_gym.policies.scorer import ScorerShape
from panda_gym.provenance import plain, versions
from panda_gym.sb3 import sb3_vec_env
from panda_gym.training.checkpoint import FILE, Checkpoint
from panda_gym.training.config import TrainConfig
from panda_gym.training.curve import CurvePoint, write_curve
from panda_gym.training.loop import Loop
from panda_gym.training.randomness import own_generators
from panda_gym.training.sb3_policy import SiteScorerPolicy
from panda_gym.training.stopwatch import Stopwatch

Progress = Callable[[int, int, str], None]

PACKAGES: Final = ("panda-grid-gym", "torch", "stable-baselines3", "sb3-contrib", "numpy")
"""Packages whose versions are kept with an agent."""


@dataclass(frozen=True)
class Training:
    """What a run left behind."""

    agent: Path
    """Folder of the agent."""
    curve: tuple[CurvePoint, ...]
    """Learning curve, one point a rollout."""
    seconds: Mapping[str, float]
    """CPU seconds by part: environment, choosing, learning."""

    @property
    def share(self) -> dict[str, float]:
        """Share of the CPU time by part."""
        total = max(sum(self.seconds.values()), 1e-9)
        return {part: spent / total for part, spent in self.seconds.items()}

    def policy(self) -> Learned:
        """Return the agent, greedy."""
        return Learned(self.agent)


def train(
    out: str | Path,
    config: TrainConfig | None = None,
    *,
    scenario: Mapping[str, Any] | None = None,
    command: str = "",
    tensorboard: bool = False,
    progress: Progress | None = None,
) -> Training:
    """Train an agent; a folder with a checkpoint of the same run goes on from there.

    scenario: settings of the environment (`surrogate`, `platform`, `scale`, `jobs`, ...).
    command: the command line, kept in agent.json.
    tensorboard: also log to out/tensorboard (needs the package `tensorboard`).
    PolicyError if `out` holds a checkpoint of other settings.
    """
    config, out, scenario = config or TrainConfig(), Path(out), dict(scenario or {})
    settings = plain({"config": asdict(config), "scenario": scenario})
    saved = _saved(out / FILE, settings)
    env = Stopwatch(sb3_vec_env(num_envs=config.num_envs, **scenario))
    try:
        with own_generators(config.seed, config.threads):
            loop = Loop(_model(env, config, out if tensorboard else None), env, config)
            if saved is not None:
                loop.restore(saved)
            _learn(loop, out, settings, progress)
    finally:
        env.close()
    provenance = {**settings, "command": command, "versions": versions(PACKAGES)}
    provenance["curve"] = [[point.steps, point.reward] for point in loop.points]
    save_agent(out / "agent", loop.model.policy.scorer, provenance)
    return Training(out / "agent", tuple(loop.points), loop.seconds())


def _learn(loop: Loop, out: Path, settings: dict[str, Any], progress: Progress | None) -> None:
    while not loop.done:
        point = loop.advance()
        if loop.rollouts % loop.config.checkpoint_every == 0 or loop.done:
            loop.checkpoint(settings).write(out / FILE)
            write_curve(loop.points, out / "curve.csv")
        if progress is not None:
            progress(point.steps, loop.config.total_steps, f"reward {point.reward:.3f}")


def _model(env: Stopwatch, config: TrainConfig, tensorboard: Path | None) -> MaskablePPO:
    start, end = config.learning_rate, config.learning_rate_end
    model = MaskablePPO(
        SiteScorerPolicy,
        env,
        learning_rate=lambda left: end + (start - end) * left,
        n_steps=config.rollout_steps,
        batch_size=min(config.batch_size, config.rollout),
        n_epochs=config.epochs,
        gamma=config.gamma,
        gae_lambda=config.gae_lambda,
        clip_range=config.clip_range,
        ent_coef=config.ent_coef,
        vf_coef=config.vf_coef,
        max_grad_norm=config.max_grad_norm,
        policy_kwargs={"shape": ScorerShape(config.hidden, config.critic)},
        device="cpu",
    )
    board = None if tensorboard is None else str(tensorboard / "tensorboard")
    model.set_logger(configure(board, ["tensorboard"] if board else []))
    return model


def _saved(path: Path, settings: dict[str, Any]) -> Checkpoint | None:
    """The checkpoint to go on from, if there is one; PolicyError if it is of another run."""
    if not path.is_file():
        return None
    saved = Checkpoint.read(path)
    theirs = saved.state["settings"]
    if theirs != settings:
        differ = [
            f"{part}.{name}"
            for part in ("config", "scenario")
            for name in sorted({*settings[part], *theirs[part]})
            if settings[part].get(name) != theirs[part].get(name)
        ]
        raise PolicyError(
            f"the settings of the run in {path.parent}",
            f"others for {', '.join(differ)}",
            "train into another folder, or remove this one",
        )
    return saved
