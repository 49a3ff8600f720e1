"""An agent against the best rule and PanDA's brokerage in every world of finished benchmarks.

    python scripts/agent_summary.py difference-reward-scorer runs/leaderboard runs/real

Each folder holds one benchmark or a folder for each scenario and load, written by
`panda-grid benchmark`. The best rule is the heuristic, tuned ones included, of the least geometric
mean slowdown in that world; the share of the distance is (rule - agent) / (rule - bound) in ln. All
differences are paired; intervals are 95 % bootstraps over worlds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from metrics.statistics.intervals import from_draws
from panda_gym.benchmarking import BenchmarkTable, Interval, bootstrap
from panda_gym.benchmarking.intervals import mean
from panda_gym.benchmarking.standard_suite import OBJECTIVE, is_heuristic
from panda_gym.oracles import PREFIX

BOUND = f"{PREFIX}clairvoyant"
PANDA = ("panda_production", "panda_production_draw")
HEAD = (
    "world", "best rule", "agent / rule", "distance to the bound closed", "agent / PanDA",
    "p95 slowdown, agent and rule", "wasted core h", "WAN TB", "cost a step",
)  # fmt: skip


def tables(folder: Path) -> list[tuple[str, BenchmarkTable]]:
    """The benchmarks of a folder by name."""
    inside = sorted(folder.glob("*/benchmark.json"))
    found = inside or [folder / "benchmark.json"]
    return [(path.parent.name, BenchmarkTable.from_json(path)) for path in found]


def ratio(table: BenchmarkTable, agent: str, other: str, stream: str) -> str:
    """Ratio of the geometric means with its interval, starred where it leaves out 1."""
    apart = table.log_ratio(agent, OBJECTIVE, against=other, stream=stream)
    star = " *" if apart.excludes(0.0) else ""
    return f"{np.exp(apart.value):.3f} [{np.exp(apart.low):.3f}, {np.exp(apart.high):.3f}]{star}"


def closed(table: BenchmarkTable, agent: str, rule: str, stream: str) -> str:
    """Share of the distance from the rule to the bound that the agent closes."""
    if BOUND not in table.policies:
        return "–"
    ln = {p: np.log(table.values(p, OBJECTIVE, stream)) for p in (agent, rule, BOUND)}
    rng, n = np.random.default_rng(0), len(table.seeds)
    rows = rng.integers(0, n, (2000, n))
    gained, whole = (ln[rule] - ln[agent]), (ln[rule] - ln[BOUND])
    drawn = gained[rows].mean(axis=1) / whole[rows].mean(axis=1)
    share = from_draws(gained.mean() / whole.mean(), drawn, table.level, n)
    return f"{share.value:.0%} [{share.low:.0%}, {share.high:.0%}]"


def beside(table: BenchmarkTable, agent: str, rule: str, metric: str, stream: str) -> str:
    """A measure of both, and the paired difference's interval."""
    a, b = table.values(agent, metric, stream), table.values(rule, metric, stream)
    apart: Interval = bootstrap([a - b], statistic=mean)
    star = " *" if apart.low > 0.0 or apart.high < 0.0 else ""
    return f"{a.mean():.3g} / {b.mean():.3g} ({apart.low:+.2g} .. {apart.high:+.2g}){star}"


def line(world: str, table: BenchmarkTable, agent: str, stream: str) -> list[str]:
    """One row of the summary."""
    ln = {p: np.log(table.values(p, OBJECTIVE, stream)).mean() for p in table.policies}
    rules = [policy for policy in ln if is_heuristic(policy)]
    rule = min(rules, key=lambda p: float(ln[p]))
    panda = [p for p in rules if p.split("@")[0] in PANDA]
    best = min(panda, key=lambda p: float(ln[p])) if panda else None
    return [
        f"{world}, {Path(stream).name}",
        f"{rule} ({np.exp(ln[rule]):.2f})",
        ratio(table, agent, rule, stream),
        closed(table, agent, rule, stream),
        ratio(table, agent, best, stream) if best else "–",
        beside(table, agent, rule, "p95_slowdown", stream),
        beside(table, agent, rule, "wasted", stream),
        beside(table, agent, rule, "wan", stream),
        beside(table, agent, rule, "cost", stream),
    ]


def main(
    agent: Annotated[str, typer.Argument(help="Its label in the benchmarks.")],
    folders: Annotated[list[Path], typer.Argument(help="Folders of benchmarks.")],
) -> None:
    """Print one line a world."""
    print("| " + " | ".join(HEAD) + " |")
    print("|" + " --- |" * len(HEAD))
    for folder in folders:
        for world, table in tables(folder):
            for stream in table.streams:
                if agent in table.policies:
                    print("| " + " | ".join(line(world, table, agent, stream)) + " |")


if __name__ == "__main__":
    typer.run(main)
