"""Agents of several training seeds against the best rule of each scenario and scale.

    python scripts/agent_scales.py runs/s0 runs/s1 runs/s2 --scenario atlas --scale 0.1 --worlds 5

All policies play the same worlds. The best rule is the one of the least mean ln slowdown in them.
Ratios are of geometric means over agents and worlds; intervals of 95 % draw both anew (bootstrap).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from panda_gym.benchmarking import benchmark
from panda_gym.benchmarking.standard_suite import EVALUATION_SEEDS, weights_for
from panda_gym.benchmarking.table import BenchmarkTable
from panda_gym.cli.console import progress_bar
from panda_gym.environments.placement.policies.learned import Learned
from panda_gym.jobs import JobStream
from panda_gym.jobs.prediction_error import PredictionError
from panda_gym.surrogate import Surrogate

RULES = (
    "earliest_completion",
    "panda_production@scaled",
    "panda_production_draw@scaled",
    "panda_analysis@scaled",
    "panda_analysis_original@scaled",
)
MEASURES = (
    "geometric_slowdown",
    "mean_turnaround",
    "weighted_turnaround",
    "drain_time",
    "p95_slowdown",
    "wan",
    "wasted",
)
DRAWS = 2000


def ratio(agents: np.ndarray, rule: np.ndarray) -> tuple[float, float, float]:
    """Return the ratio of geometric means and its interval; agents [A, W], rule [W]."""
    apart = np.log(np.maximum(agents, 1e-9)) - np.log(np.maximum(rule, 1e-9))
    rng = np.random.default_rng(0)
    rows = rng.integers(len(apart), size=(DRAWS, len(apart)))
    columns = rng.integers(len(rule), size=(DRAWS, len(rule)))
    means = apart[rows[:, :, None], columns[:, None, :]].mean(axis=(1, 2))
    low, high = np.quantile(means, (0.025, 0.975))
    return float(np.exp(apart.mean())), float(np.exp(low)), float(np.exp(high))


def best_rule(table: BenchmarkTable, rules: Sequence[str]) -> str:
    """Return the rule of the least mean ln slowdown."""
    return min(rules, key=lambda rule: np.log(table.values(rule, MEASURES[0])).mean())


def line(table: BenchmarkTable, title: str, agents: Sequence[str], rules: Sequence[str]) -> str:
    """Return a row of the page: values of agents and of the best rule, and their ratios."""
    best = best_rule(table, rules)
    cells = [title, best]
    for name in (best, agents[0]):
        cells.append(f"{np.exp(np.log(table.values(name, MEASURES[0])).mean()):.2f}")
    for measure in MEASURES:
        if measure not in table.metrics:
            cells.append("")
            continue
        found = np.stack([table.values(agent, measure) for agent in agents])
        value, low, high = ratio(found, table.values(best, measure))
        interval = f" [{low:.3f}, {high:.3f}]" if measure == MEASURES[0] else ""
        cells.append(f"{value:.3f}{interval}")
    return f"| {' | '.join(cells)} |"


def spread(table: BenchmarkTable, agents: Sequence[str], rules: Sequence[str]) -> str:
    """Return ln slowdown of every policy, for the log of a run."""
    means = {name: np.log(table.values(name, MEASURES[0])).mean() for name in (*agents, *rules)}
    return ", ".join(f"{name} {value:.4f}" for name, value in means.items())


def main(
    folders: Annotated[list[str], typer.Argument(help="Folders of agents, one a training seed.")],
    scenario: Annotated[list[str], typer.Option(help="Repeatable.")],
    scale: float = 0.01,
    jobs: int = 2000,
    warmup: int = 500,
    worlds: int = 10,
    price_wan_tb: float = 20.0,
    load: float | None = None,
    rule: Annotated[list[str] | None, typer.Option(help="Instead of the rules of PanDA.")] = None,
    sigma: Annotated[float | None, typer.Option(help="Predictions: truth x lognormal.")] = None,
    bias: Annotated[float, typer.Option(help="Factor on predictions.")] = 1.0,
    out: Path = Path("runs/agent_scales"),
) -> None:
    """Print a row for every scenario, and keep the cells of the benchmark."""
    settings: dict[str, Any] = {"scale": scale, "jobs": jobs, "warmup": warmup}
    if load is not None:
        settings["load"] = load
    stream: JobStream | str = "default"
    if sigma is not None or bias != 1.0:
        error = PredictionError(sigma or 0.0, bias, of_truth=sigma is not None)
        stream = error.apply(JobStream.from_surrogate(Surrogate.open("default")))
    agents: Mapping[str, Any] = {
        f"agent {k}": Learned(folder, price_wan_tb=price_wan_tb) for k, folder in enumerate(folders)
    }
    seeds = range(EVALUATION_SEEDS, EVALUATION_SEEDS + worlds)
    for name in scenario:
        rules = {one: weights_for(one, name, scale) for one in rule or (*RULES, "tuned")}
        with progress_bar(f"{name} at {scale:g}") as progress:
            table = benchmark(
                {**rules, **agents},
                [stream],
                seeds,
                folder=out / "cells",
                progress=progress,
                scenario=name,
                **settings,
            )
        print(line(table, f"{name}, {scale:g}", list(agents), list(rules)), flush=True)
        print("    " + spread(table, list(agents), list(rules)), flush=True)


if __name__ == "__main__":
    typer.run(main)
