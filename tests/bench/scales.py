"""Rank all rules at three scales: does a small grid stand for full size?

    python -m tests.bench.scales --scenario atlas --out runs/scales

Prints, as Markdown, the objective of every rule and of two shipped agents by scale, Kendall's tau
between the scales and how far the rules are apart; on stderr the CPU seconds of each row. Sizes are
those of the standard suite; `--size SCALE:JOBS:SEEDS` plays less at a scale. OUT keeps finished
rows.
"""

from __future__ import annotations

import argparse
import sys
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
from panda_gym.jobs import JobStream
from panda_gym.surrogate import Surrogate

AGENTS = ("difference-reward-scorer", "scale-free-scorer")
POLICIES = (*HEURISTICS, *AGENTS)


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
    """Benchmark the policies at a scale; print the CPU seconds of each row that is played."""
    named = {name: weights_for(name, scenario, scale) for name in policies or POLICIES}
    spent: dict[str, float] = {}

    def progress(done: int, total: int, message: str) -> None:
        now = time.process_time()
        if message:  # it is empty while stored rows are read
            spent.setdefault(message, now)

    table = benchmark(
        named,
        {"default": JobStream.from_surrogate(Surrogate.open("default"))},
        range(EVALUATION_SEEDS, EVALUATION_SEEDS + size.seeds),
        folder=out / "cells",
        progress=progress,
        scenario=scenario,
        scale=scale,
        jobs=size.jobs,
        warmup=size.warmup,
    )
    begins = [*spent.values(), time.process_time()]
    for message, begin, end in zip(spent, begins, begins[1:], strict=False):
        print(f"scale {scale:g}, {message}: {end - begin:.0f} CPU s", file=sys.stderr)
    return table


def arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", default="atlas")
    parser.add_argument("--scale", type=float, action="append", help="default: all of the suite")
    parser.add_argument("--size", action="append", default=[], metavar="SCALE:JOBS:SEEDS")
    parser.add_argument("--policy", action="append", help="default: all rules and AGENTS")
    parser.add_argument("--out", default="runs/scales")
    return parser.parse_args()


if __name__ == "__main__":
    main()
