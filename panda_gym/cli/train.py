"""`panda-grid train`: an agent learns to place the jobs of a stream."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from panda_gym.cli.console import AllowUncertified, Json, Seed, progress_bar, show
from panda_gym.cli.source import (
    Competing,
    Load,
    Named,
    Platform,
    Scale,
    Stream,
    job_stream,
    scenario,
)


def train(
    out: Annotated[Path, typer.Option(help="Folder of the run; goes on where it stopped.")] = Path(
        "runs/training"
    ),
    algo: Annotated[str, typer.Option(help="Learner.")] = "maskable_ppo",
    steps: Annotated[int, typer.Option(min=1, help="Decisions to learn from.")] = 200_000,
    num_envs: Annotated[int, typer.Option(min=1, help="Environments side by side.")] = 64,
    stream: Stream = "default",
    platform: Platform = "atlas150",
    scale: Scale = 0.01,
    jobs: Annotated[int, typer.Option(min=1, help="Decisions of an episode.")] = 2_000,
    named: Named = "default",
    load: Load = None,
    competing: Competing = None,
    reward: Annotated[str, typer.Option(help="Name of the reward.")] = "predicted",
    tensorboard: Annotated[bool, typer.Option(help="Also log for TensorBoard.")] = False,
    seed: Seed = 0,
    json: Json = False,
    allow_uncertified: AllowUncertified = False,
) -> None:
    """Train, with checkpoints; the agent is safetensors and JSON, and sees no true workload."""
    from panda_gym.training import TrainConfig
    from panda_gym.training import train as learn

    settings = scenario(platform, scale, load, competing, named=named, jobs=jobs, reward=reward)
    with progress_bar(f"train {algo}") as progress:
        done = learn(
            out,
            TrainConfig(algo=algo, steps=steps, num_envs=num_envs, seed=seed),
            scenario={**settings, **job_stream(stream, allow_uncertified)},
            command=shlex.join(["panda-grid", *sys.argv[1:]]),
            tensorboard=tensorboard,
            progress=progress,
        )
    shares = {f"share of {part}": f"{share:.1%}" for part, share in done.share.items()}
    last = done.curve[-1]
    show({"agent": str(done.agent), "steps": last.steps, "reward": last.reward, **shares}, json)
