"""Train an agent with stable-baselines3 and write it to a folder, with checkpoints.

    out/agent/                     agent.json, agent.safetensors: see
                                   `panda_gym.environments.placement.policies.learned`
    out/curve.csv                  learning curve
    out/checkpoint.safetensors     state from which an interrupted run is resumed

A resumed run gives the same agent bit for bit, on one machine with the same versions and one
thread: weights, optimiser, generators and counters come from the checkpoint, and the episodes are
restored by repeating the actions since they started. Only CPU times differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from stable_baselines3.common.logger import configure

from panda_gym.environments.placement.policies.learned import Learned, save_agent
from panda_gym.environments.sb3 import sb3_vec_env
from panda_gym.errors import PolicyError
from panda_gym.extras import import_extra
from panda_gym.provenance import plain, versions
from panda_gym.training.checkpoint import FILE, Checkpoint
from panda_gym.training.config import TrainConfig, check_device, renamed_fields
from panda_gym.training.curve import CurvePoint, write_curve
from panda_gym.training.evaluation import HeldOut
from panda_gym.training.learners import build
from panda_gym.training.loop import Loop
from panda_gym.training.randomness import own_generators
from panda_gym.training.stopwatch import Stopwatch

Progress = Callable[[int, int, str], None]

PACKAGES: Final = ("panda-grid-gym", "torch", "stable-baselines3", "sb3-contrib", "numpy")
"""Packages whose versions are stored with an agent."""


@dataclass(frozen=True)
class Training:
    """Result of a run."""

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
    """Train an agent; a folder with a checkpoint of the same run is resumed.

    Args:
        out: folder of the run.
        config: learner, sizes and rates; the defaults of `TrainConfig` if none.
        scenario: settings of the environment (`surrogate`, `platform`, `scale`, `jobs`, ...).
        command: command line, stored in agent.json.
        tensorboard: also log to out/tensorboard (needs the package `tensorboard`).
        progress: called as progress(decisions done, in all, message).

    Raises:
        PolicyError: `out` holds a checkpoint of other settings, or a cost limit was not reached.
    """
    config, out, scenario = config or TrainConfig(), Path(out), dict(scenario or {})
    settings = plain({"config": asdict(config), "scenario": scenario})
    saved = _saved(out / FILE, settings)
    check_device(config.device)
    env = _environment(config, scenario)
    try:
        with own_generators(config.seed, config.threads):
            model = _log(build(env, config), out if tensorboard else None)
            loop = Loop(model, env, config, _held_out(config, scenario))
            if saved is not None:
                loop.restore(saved)
            _learn(loop, out, settings, progress)
    finally:
        env.close()
    provenance = {**settings, "command": command, "versions": versions(PACKAGES)}
    provenance["curve"] = [[point.steps, point.reward] for point in loop.points]
    save_agent(out / "agent", loop.scorer(), provenance)
    _check_cost_limit(loop)
    return Training(out / "agent", tuple(loop.points), loop.seconds())


def _learn(loop: Loop, out: Path, settings: dict[str, Any], progress: Progress | None) -> None:
    while not loop.done:
        point = loop.advance()
        if loop.rollouts % loop.config.checkpoint_every == 0 or loop.done:
            loop.checkpoint(settings).write(out / FILE)
            write_curve(loop.points, out / "curve.csv")
        if progress is not None:
            progress(point.steps, loop.config.total_steps, f"reward {point.reward:.3f}")


def _log(model: Any, tensorboard: Path | None) -> Any:
    if tensorboard is not None:
        import_extra("tensorboard", "tensorboard")
    board = None if tensorboard is None else str(tensorboard / "tensorboard")
    model.set_logger(configure(board, ["tensorboard"] if board else []))
    return model


def _environment(config: TrainConfig, scenario: Mapping[str, Any]) -> Stopwatch:
    """Return environments with capacity for the highest load; their info holds the cost alone."""
    load = {"load": max(config.loads)} if config.loads else {}
    return Stopwatch(sb3_vec_env(num_envs=config.num_envs, info="cost", **{**scenario, **load}))


def _held_out(config: TrainConfig, scenario: Mapping[str, Any]) -> HeldOut | None:
    """Return the held-out episodes, of the last load if there are several; None if not wanted."""
    if config.evaluate_every == 0:
        return None
    load = {"load": config.loads[-1]} if config.loads else {}
    return HeldOut(
        [{**scenario, **load}],
        config.evaluate_envs,
        seed=config.seed,
        device=config.device,
        objective=config.objective or "ln_slowdown",
    )


def _check_cost_limit(loop: Loop) -> None:
    """Raise PolicyError if training ended above its cost limit."""
    multiplier = getattr(loop.model, "multiplier", None)
    if multiplier is not None and multiplier.excess > multiplier.tolerance:
        reached = multiplier.limit * (1.0 + multiplier.excess)
        raise PolicyError(
            f"a cost limit that training comes to (it ended at {reached:.4g} a decision)",
            f"{multiplier.limit:g}",
            "raise --cost-limit, or --steps if the cost was still falling; the agent is kept",
        )


def _saved(path: Path, settings: dict[str, Any]) -> Checkpoint | None:
    """Return the checkpoint to resume from, if any; PolicyError if it is of another run."""
    if not path.is_file():
        return None
    saved = Checkpoint.read(path)
    theirs = renamed_fields(saved.state["settings"], {"objective": ""})
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
