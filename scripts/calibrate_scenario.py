"""How near a scenario comes to public figures of the ATLAS grid, at full size and scaled down.

    python scripts/calibrate_scenario.py --scenario atlas --out runs/calibration

PanDA's brokerage of production jobs (the weighted draw among the ten best sites) places the jobs
of a scenario on the whole platform and on scaled ones, its constants scaled with it. Waiting
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

from panda_gym.benchmarking.policy_resolution import find_policies
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.files import whole_file
from panda_gym.simulator import EpisodeLog
from panda_gym.visualization.report.recorded import write_table

Array = np.ndarray

POLICY: Final = "panda_production_draw@scaled"
SCALES: Final = (1.0, 0.1, 0.03, 0.01)
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


def run(
    scenario: Mapping[str, Any], grids: int, say: str
) -> tuple[list[EpisodeLog], PlacementBatch]:
    """Play one episode a grid and return the logs as they stand after the last decision."""
    batch = PlacementBatch(Scenario.of(**scenario), grids)
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


def table(found: Mapping[float, Mapping[str, float]]) -> list[list[str]]:
    """One row a figure: the whole platform beside public figures, then the other scales."""
    (whole, full), *others = found.items()
    scaled = [text for scale, _ in others for text in (f"at scale {scale:g}", f"/ {whole:g}")]
    head = ["figure", "public", f"at scale {whole:g}", "ratio", f"within {FACTOR:g}", *scaled]
    rows = [[*head, "source"]]
    for figure in FIGURES:
        name, one = f"{figure.name} ({figure.unit})", full[figure.name]
        ratio = one / figure.value
        met = "yes" if 1.0 / FACTOR <= ratio <= FACTOR else "**no**"
        row = [name, f"{figure.value:g}", f"{one:.4g}", f"{ratio:.2f}", met]
        rows.append([*row, *_beside(figure.name, found), figure.source])
    for name in ("utilisation", "hours", "jobs judged"):
        rows.append([name, "", f"{full[name]:.4g}", "", "", *_beside(name, found), ""])
    return rows


def _beside(name: str, found: Mapping[float, Mapping[str, float]]) -> list[str]:
    """A figure at every other scale, and over that at the first."""
    (_, full), *others = found.items()
    return [
        text
        for _, one in others
        for text in (
            f"{one[name]:.4g}",
            f"{one[name] / full[name]:.2f}" if full[name] > 0.0 else "",
        )
    ]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", default="atlas")
    parser.add_argument("--set", default="{}", help="JSON of settings beside the scenario's")
    parser.add_argument(
        "--scale",
        type=float,
        action="append",
        help=f"of the platform; repeat it, the first is compared with public figures: {SCALES}",
    )
    parser.add_argument("--jobs", type=int, default=400_000, help="at scale 1; less with scale")
    parser.add_argument("--warmup", type=int, default=20_000, help="at scale 1; less with scale")
    parser.add_argument(
        "--share", type=float, default=0.3, help="of --jobs, in several worlds, at a small scale"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/calibration"))
    return parser.parse_args()


def main() -> None:
    given = arguments()
    shared = {"scenario": given.scenario, **json.loads(given.set)}
    found = {}
    for scale in given.scale or SCALES:
        size = {"scale": scale, "jobs": round(given.jobs * scale),
                "warmup": round(given.warmup * scale)}  # fmt: skip
        logs, batch = run({**shared, **size}, max(1, round(given.share / scale)), f"at {scale:g}")
        cores = float(batch.platform.cores.sum())
        load = {"utilisation": utilisation(logs, cores), "cores": cores}
        found[scale] = {**figures(logs, len(batch.platform)), **load}
    print(write_table(given.out, table(found)))
    with whole_file(given.out / "figures.json") as aside:
        aside.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
