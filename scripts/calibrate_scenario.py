"""How near a scenario comes to public figures of the ATLAS grid, at full size and scaled down.

    python scripts/calibrate_scenario.py --scenario atlas --out runs/calibration

PanDA's brokerage of production jobs (the weighted draw among the ten best sites) places the jobs
of a scenario on the whole platform and on the scaled one, its constants scaled with it. Waiting
times, failures by site and the share of jobs whose input came from elsewhere stand beside public
figures; a figure is met within a factor of two. Waiting is from a job's first arrival to its
first run; jobs are judged that arrive between 0.4 and 0.8 of the simulated time, so that the warm
start is forgotten and the last ones still have time to start.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from panda_gym.batch import Batch
from panda_gym.benchmarking.contestants import find_policies
from panda_gym.files import whole_file
from panda_gym.scenario import Scenario
from panda_gym.simulator import EpisodeLog

Array = np.ndarray

POLICY: Final = "panda_production_draw@scaled"
FACTOR: Final = 2.0
FROM, TO = 0.4, 0.8
"""Share of the simulated time between which judged jobs arrive."""
FEWEST: Final = 100
"""Ended attempts of a site whose failures count, as in the public figure."""
QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
SITE_QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.9, 0.95)


@dataclass(frozen=True)
class Figure:
    """A public figure, and what it is compared with."""

    name: str
    value: float
    unit: str
    source: str


PRODUCTION: Final = "production jobs 2018, queue_time, 2,855 public records"
QUEUES: Final = "all PanDA queues on 2021-09-19 with above 100 ended jobs, public monitoring"
LOCAL: Final = "assigned: half of the jobs read at home, as the platform's links assume"

FIGURES: Final = (
    *(
        Figure(f"wait q{round(100 * q):02d}", value, "s", PRODUCTION)
        for q, value in zip(QUANTILES, (377.0, 1_100.0, 3_400.0, 7_700.0, 24_000.0), strict=True)
    ),
    Figure("failed", 0.105, "share of ended", "all PanDA on 2021-09-19, 878,000 ended jobs"),
    *(
        Figure(f"failed by site q{round(100 * q):02d}", value, "share of ended", QUEUES)
        for q, value in zip(SITE_QUANTILES, (0.007, 0.03, 0.063, 0.17, 0.34, 0.48), strict=True)
    ),
    Figure("remote input", 0.5, "share of jobs with input", LOCAL),
)
"""What is compared. No public record read for this states a share of remote reads: that line
checks that the simulation keeps what its links were made for."""


def run(scenario: Mapping[str, Any], grids: int, say: str) -> tuple[list[EpisodeLog], Batch]:
    """Play one episode a grid and return the logs as they stand after the last decision."""
    batch = Batch(Scenario.of(**scenario), grids)
    policy = find_policies([POLICY], batch.scenario.scale)[POLICY]
    begun = time.process_time()
    batch.begin((e, np.random.default_rng(e)) for e in range(grids))
    rng, jobs = np.random.default_rng(0), batch.scenario.jobs
    policy.reset(grids)
    for k in range(jobs):
        batch.step(policy(batch.observe(copy=False), rng))
        if k % max(1, jobs // 10) == 0:
            spent = time.process_time() - begun
            print(f"{say}: decision {k:,} of {jobs:,}, {spent:.0f} CPU s", flush=True)
    return [batch.log(e, drain=False) for e in range(grids)], batch


def figures(logs: list[EpisodeLog], sites: int) -> dict[str, float]:
    """The simulated counterpart of every public figure, and of the shape of the load."""
    waits, remote = [], []
    failed, ended = np.zeros(sites), np.zeros(sites)
    for log in logs:
        judged = _judged(log)
        start = np.where(log.start_s <= log.now_s, log.start_s, log.now_s)
        waits.append((start - log.arrival_s)[judged])
        remote.append((log.source >= 0)[judged & (log.input_bytes > 0)])
        done = np.isin(log.state, ("finished", "failed")) & (log.end_s >= FROM * log.now_s)
        np.add.at(failed, log.site[done], log.state[done] == "failed")
        np.add.at(ended, log.site[done], 1.0)
    known = ended > FEWEST
    by_site = failed[known] / ended[known]
    wait = np.concatenate(waits)
    return {
        **{f"wait q{round(100 * q):02d}": float(np.quantile(wait, q)) for q in QUANTILES},
        "failed": float(failed.sum() / max(ended.sum(), 1.0)),
        **{f"failed by site q{round(100 * q):02d}": _quantile(by_site, q) for q in SITE_QUANTILES},
        "remote input": float(np.concatenate(remote).mean()),
        "jobs judged": float(len(wait)),
        "hours": float(np.mean([log.now_s for log in logs]) / 3600.0),
    }


def _quantile(values: Array, q: float) -> float:
    """The quantile; nan of nothing."""
    return float(np.quantile(values, q)) if len(values) else float("nan")


def _judged(log: EpisodeLog) -> Array:
    """First attempts that the policy placed, of the middle of the simulated time."""
    policys = (log.attempt == 1) & (np.arange(len(log)) >= log.warmup) & (log.site >= 0)
    return policys & (log.arrival_s > FROM * log.now_s) & (log.arrival_s < TO * log.now_s)


def utilisation(logs: list[EpisodeLog], cores: float) -> float:
    """Share of all core seconds between FROM and the end that the broker's jobs hold."""
    shares = []
    for log in logs:
        low, high = FROM * log.now_s, log.now_s
        end = np.where(np.isfinite(log.end_s), log.end_s, high)
        held = np.clip(end, low, high) - np.clip(log.starting_s, low, high)
        shares.append(np.nansum(held * log.cores) / (cores * (high - low)))
    return float(np.mean(shares))


def markdown(
    full: Mapping[str, float], small: Mapping[str, float], whole: float, scale: float
) -> str:
    """The table, one line a figure."""
    head = (
        f"| figure | public | at scale {whole:g} | ratio | within {FACTOR:g} | at scale {scale:g} "
        f"| {scale:g} / {whole:g} | source |\n|---|---|---|---|---|---|---|---|"
    )
    lines = []
    for figure in FIGURES:
        one, other = full[figure.name], small[figure.name]
        ratio = one / figure.value
        apart = f"{other / one:.2f}" if one > 0.0 else ""
        met = "yes" if 1.0 / FACTOR <= ratio <= FACTOR else "**no**"
        lines.append(
            f"| {figure.name} ({figure.unit}) | {figure.value:g} | {one:.4g} | {ratio:.2f} "
            f"| {met} | {other:.4g} | {apart} | {figure.source} |"
        )
    for name in ("utilisation", "hours", "jobs judged"):
        apart = f"{small[name] / full[name]:.2f}" if name == "utilisation" else ""
        lines.append(f"| {name} | | {full[name]:.4g} | | | {small[name]:.4g} | {apart} | |")
    return "\n".join([head, *lines]) + "\n"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", default="atlas")
    parser.add_argument("--set", default="{}", help="JSON of settings beside the scenario's")
    parser.add_argument("--full-scale", type=float, default=1.0)
    parser.add_argument("--full-jobs", type=int, default=400_000)
    parser.add_argument("--full-warmup", type=int, default=20_000)
    parser.add_argument("--scale", type=float, default=0.03)
    parser.add_argument("--jobs", type=int, default=12_000)
    parser.add_argument("--grids", type=int, default=4, help="worlds of the scaled platform")
    parser.add_argument("--out", type=Path, default=Path("runs/calibration"))
    return parser.parse_args()


def main() -> None:
    given = arguments()
    shared = {"scenario": given.scenario, **json.loads(given.set)}
    sizes = {
        "full": ({"scale": given.full_scale, "jobs": given.full_jobs,
                  "warmup": given.full_warmup}, 1),
        "scaled": ({"scale": given.scale, "jobs": given.jobs}, given.grids),
    }  # fmt: skip
    found = {}
    for name, (size, grids) in sizes.items():
        logs, batch = run({**shared, **size}, grids, name)
        cores = float(batch.platform.cores.sum())
        load = {"utilisation": utilisation(logs, cores), "cores": cores}
        found[name] = {**figures(logs, len(batch.platform)), **load}
    table = markdown(found["full"], found["scaled"], given.full_scale, given.scale)
    print(table)
    for name, text in (("table.md", table), ("figures.json", json.dumps(found, indent=1) + "\n")):
        with whole_file(given.out / name) as aside:
            aside.write_text(text)


if __name__ == "__main__":
    main()
