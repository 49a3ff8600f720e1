"""`panda-grid train`: train an agent that places the jobs of a stream."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from panda_gym.cli.console import (
    AllowUncertified,
    Json,
    Progress,
    Quantity,
    Seed,
    progress_bar,
    show,
)
from panda_gym.cli.source import Competing, Platform, Scale, Stream, job_stream, scenario

if TYPE_CHECKING:
    from panda_gym.training.curve import CurvePoint


def train(
    out: Annotated[
        Path, typer.Option(help="Folder of the run; a killed run resumes there.")
    ] = Path("runs/training"),
    algo: Annotated[
        str,
        typer.Option(help="maskable_ppo, ppo, a2c, dqn, ppo_lagrangian or difference_reward."),
    ] = "maskable_ppo",
    steps: Annotated[int, typer.Option(min=1, help="Decisions to learn from.")] = 200_000,
    num_envs: Annotated[
        int,
        typer.Option(min=1, help="Environments side by side; difference_reward: of each scenario."),
    ] = 64,
    stream: Stream = "default",
    until: Annotated[
        str | None,
        typer.Option(
            help="Train on the jobs before this time: ISO (UTC), or a share of the jobs.",
            show_default="all jobs",
        ),
    ] = None,
    platform: Platform = "atlas150",
    scale: Scale = None,
    jobs: Annotated[int, typer.Option(min=1, help="Decisions of an episode.")] = 2_000,
    named: Annotated[
        list[str] | None,
        typer.Option(
            "--scenario",
            help="Name of a scenario, or NAME@LOAD; difference_reward: several, by repeating it.",
            show_default="default",
        ),
    ] = None,
    load: Annotated[
        list[float] | None,
        typer.Option(
            help="Offered work / capacity; repeat it: a curriculum, each for as long "
            "(difference_reward: side by side).",
            show_default="scenario's",
        ),
    ] = None,
    competing: Competing = None,
    reward: Annotated[
        str | None, typer.Option(help="Name of the reward.", show_default="the environment's")
    ] = None,
    cost: Annotated[
        list[str] | None,
        typer.Option(
            help="Cost that counts, such as carbon_kg, energy_kwh or wan_tb; repeatable.",
            show_default="all but carbon_kg and energy_kwh",
        ),
    ] = None,
    cost_limit: Annotated[
        float | None,
        typer.Option(help="Mean cost a decision that ppo_lagrangian allows.", show_default="none"),
    ] = None,
    gamma: Annotated[
        float | None, typer.Option(help="Discount a decision.", show_default="the learner's")
    ] = None,
    evaluate_every: Annotated[
        int, typer.Option(min=0, help="Rollouts between evaluations on held-out seeds; 0: none.")
    ] = 0,
    members: Annotated[
        int, typer.Option(min=1, help="difference_reward: networks of the ensemble.")
    ] = 1,
    network: Annotated[
        str,
        typer.Option(help="difference_reward: site_value, or scale_free_value for every scale."),
    ] = "site_value",
    domain: Annotated[
        str,
        typer.Option(
            help="difference_reward: draw the grids of each round from a domain (scales).",
            show_default="none",
        ),
    ] = "",
    hidden: Annotated[
        int | None, typer.Option(help="Width of the network.", show_default="the learner's")
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(
            help="Objective of difference rewards: ln_slowdown, mean_turnaround, ... "
            "all learners can learn from them instead of the reward, with gamma 0.",
            show_default="difference_reward: ln_slowdown",
        ),
    ] = None,
    external_weight: Annotated[
        float, typer.Option(min=0.0, help="difference_reward: weight of the external cost.")
    ] = 1.0,
    price_wan_tb: Annotated[
        float, typer.Option(min=0.0, help="difference_reward: price of a TB moved between sites.")
    ] = 0.0,
    price_wasted_core_h: Annotated[
        float, typer.Option(min=0.0, help="difference_reward: price of a wasted core hour.")
    ] = 0.0,
    start: Annotated[
        str, typer.Option(help="difference_reward: agent to start from.", show_default="none")
    ] = "",
    temperature: Annotated[
        float | None,
        typer.Option(help="difference_reward: after the first round.", show_default="0.15"),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(help="difference_reward: stop after so many.", show_default="none"),
    ] = None,
    threads: Annotated[
        int, typer.Option(min=1, help="difference_reward: threads that step grids.")
    ] = 1,
    checkpoint: Annotated[bool, typer.Option(help="difference_reward: write checkpoints.")] = True,
    device: Annotated[str, typer.Option(help="Where the network is: cpu or cuda.")] = "cpu",
    tensorboard: Annotated[bool, typer.Option(help="Also log for TensorBoard.")] = False,
    seed: Seed = 0,
    json: Json = False,
    allow_uncertified: AllowUncertified = False,
) -> None:
    """Train, with checkpoints; the agent is safetensors and JSON, and sees no true workload."""
    from panda_gym.errors import PolicyError
    from panda_gym.training.config import check_algorithm

    algo = check_algorithm(algo)
    jobs_of = job_stream(stream, allow_uncertified) if until is None else _past(stream, until)
    shared: dict[str, Any] = {"jobs": jobs, **({} if reward is None else {"reward": reward})}
    shared |= {"costs": tuple(cost)} if cost else {}
    settings = [
        {**scenario(platform, scale, at, competing, named=name, **shared), **jobs_of}
        for name, at in _cells(named or ["default"], load or [], spread=algo == "difference_reward")
    ]
    if domain:
        if algo != "difference_reward":
            raise PolicyError("--algo difference_reward for --domain", algo, "choose it")
        fixed = {"--scenario": named, "--load": load, "--scale": scale, "--until": until}
        _refuse({**fixed, "--competing": competing}, f"--domain {domain}")
        settings = []
    given = {"steps": steps, "num_envs": num_envs, "seed": seed, "device": device}
    given |= {} if hidden is None else {"hidden": hidden}
    given |= {} if objective is None else {"objective": objective}
    command = shlex.join(["panda-grid", *sys.argv[1:]])
    with progress_bar(f"train {algo}") as progress:
        if algo == "difference_reward":
            given |= {"members": members, "external_weight": external_weight, "threads": threads}
            given |= {"evaluate_every": evaluate_every} if evaluate_every or domain else {}
            given |= {"checkpoints": checkpoint, "price_wan_tb": price_wan_tb}
            given |= {"price_wasted_core_h": price_wasted_core_h, "start": start}
            given |= {"network": network, "domain": domain}
            given |= {} if temperature is None else {"temperature": temperature}
            _refuse({"--cost-limit": cost_limit, "--gamma": gamma})
            runtime = {"minutes": minutes, "tensorboard": tensorboard}
            shown = _difference_reward(out, given, settings, command, runtime, progress)
        else:
            given |= {"algo": algo, "cost_limit": cost_limit, "evaluate_every": evaluate_every}
            given |= {"loads": tuple(load or ())} | ({} if gamma is None else {"gamma": gamma})
            shown = _sb3(out, given, settings, command, tensorboard, progress)
    show(shown, json)


def _cells(named: list[str], loads: list[float], spread: bool) -> list[tuple[str, float | None]]:
    """Scenario and load of each set of worlds; one, unless they are to be `spread`."""
    from panda_gym.errors import SettingError

    cells: list[tuple[str, float | None]] = []
    for one in named:
        name, at, own = one.partition("@")
        at_loads: list[float | None] = [*loads]
        try:
            at_loads = [float(own)] if at else at_loads
            cells += [(name, load) for load in at_loads or [None]]
        except ValueError:
            raise SettingError("a scenario as NAME or NAME@LOAD", repr(one), "correct it") from None
    if not spread and len(named) > 1:
        raise SettingError(
            "one scenario", f"{len(named)}", "--algo difference_reward takes several"
        )
    return cells if spread else cells[:1]


def _past(stream: str, until: str) -> dict[str, Any]:
    """The environment's `stream` setting: the jobs of a stream before a time."""
    from panda_gym.benchmarking.tuning import past_of
    from panda_gym.environments.placement.scenario import Scenario

    whole = Scenario.of(**job_stream(stream, False)).open_stream()
    return {"stream": past_of(whole, until)}


def _refuse(options: dict[str, Any], beside: str = "difference_reward") -> None:
    """PolicyError for options that difference_reward, or a domain, does not take."""
    from panda_gym.errors import PolicyError

    for name, value in options.items():
        if value is not None:
            needed, came = f"no {name} for {beside}", f"{beside} with {name} {value}"
            raise PolicyError(needed, came, f"leave {name} out, or choose another --algo")


def _sb3(
    out: Path,
    given: dict[str, Any],
    settings: list[dict[str, Any]],
    command: str,
    tensorboard: bool,
    progress: Progress,
) -> dict[str, Any]:
    from panda_gym.training import TrainConfig
    from panda_gym.training import train as learn

    done = learn(
        out,
        TrainConfig(**given),
        scenario=settings[0],
        command=command,
        tensorboard=tensorboard,
        progress=progress,
    )
    return _result(done.agent, done.curve[-1], done.share)


def _difference_reward(
    out: Path,
    given: dict[str, Any],
    settings: list[dict[str, Any]],
    command: str,
    runtime: dict[str, Any],
    progress: Progress,
) -> dict[str, Any]:
    from panda_gym.training.config import DifferenceRewardConfig
    from panda_gym.training.difference_reward import train_difference_reward

    agent, run = train_difference_reward(
        out,
        DifferenceRewardConfig(**given),
        settings,
        command=command,
        **runtime,
        progress=progress,
    )
    total = max(sum(run.seconds.values()), 1e-9)
    return _result(agent, run.points[-1], {k: v / total for k, v in run.seconds.items()})


def _result(agent: Path, last: CurvePoint, share: Mapping[str, float]) -> dict[str, Any]:
    shown = {"agent": str(agent), "steps": last.steps, "reward": last.reward}
    extra = {"cost": last.cost, "multiplier": last.multiplier, "evaluation": last.evaluation}
    shown |= {name: value for name, value in extra.items() if value is not None}
    return shown | {f"share of {part}": Quantity(100.0 * one, "%") for part, one in share.items()}
