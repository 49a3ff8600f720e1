"""Rank all rules at three scales: does a small grid stand for full size?

    python -m tests.bench.scales --scenario atlas --out runs/scales

Prints, as Markdown, the objective of every rule and of the shipped agent by scale, Kendall's tau
between the scales, how far the rules are apart, and the CPU seconds of each row. Sizes are those of
the standard suite; `--size SCALE:JOBS:SEEDS` plays less at a scale. Finished rows are kept in OUT.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from panda_gym.benchmarking import BenchmarkTable, benchmark
from panda_gym.benchmarking.scales import (
    log_slowdowns,
    markdown,
    rules_of,
    smallest_that_agrees,
)
from panda_gym.benchmarking.standard_suite import (
    EVALUATION_SEEDS,
    HEURISTICS,
    SIZES,
    Size,
    weights_for,
)

AGENT = "difference-reward-scorer"
POLICIES = (*HEURISTICS, AGENT)


def main() -> None:
    """Play every policy at every scale and print the tables."""
    given = arguments()
    sizes = dict(SIZES)
    for text in given.size:
        scale, jobs, seeds = text.split(":")
        sizes[float(scale)] = Size(int(jobs), sizes[float(scale)].warmup, int(seeds))
    tables = {}
    for scale in sorted(given.scale or sizes):
        tables[scale] = play(given.scenario, scale, sizes[scale], given.policy, Path(given.out))
    print(markdown(given.scenario, tables, "default"))
    if len(tables) > 1:
        logs = {s: rules_of(log_slowdowns(table, "default")) for s, table in tables.items()}
        print(f"Smallest scale that agrees with the largest: {smallest_that_agrees(logs):g}")


def play(scenario: str, scale: float, size: Size, policies: list[str], out: Path) -> BenchmarkTable:
    """Benchmark the policies one by one at a scale, with the CPU time of each; return the table."""
    named = {name: weights_for(name, scenario, scale) for name in policies or POLICIES}
    settings = {"scenario": scenario, "scale": scale, "jobs": size.jobs, "warmup": size.warmup}
    seeds = range(EVALUATION_SEEDS, EVALUATION_SEEDS + size.seeds)
    for label, policy in named.items():
        begun = time.process_time()
        table = benchmark({label: policy}, ["default"], seeds, folder=out / "cells", **settings)
        spent = time.process_time() - begun
        value = table.interval(label, "geometric_slowdown").value
        print(f"scale {scale:g}, {label}: {value:.3f}, {spent:.0f} CPU s", flush=True)
    return benchmark(named, ["default"], seeds, folder=out / "cells", **settings)


def arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", default="atlas")
    parser.add_argument("--scale", type=float, action="append", help="default: all of the suite")
    parser.add_argument("--size", action="append", default=[], metavar="SCALE:JOBS:SEEDS")
    parser.add_argument("--policy", action="append", help="default: all rules and the agent")
    parser.add_argument("--out", default="runs/scales")
    return parser.parse_args()


if __name__ == "__main__":
    main()
