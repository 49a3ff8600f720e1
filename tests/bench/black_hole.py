"""How many decisions name a site that fails nearly every job within a minute?

    python -m tests.bench.black_hole --seeds 10

Prints, as Markdown, the share of the decisions about judged jobs at that site in `atlas`, where it
works, and in `black-hole`, with the objective and the share of jobs that do not finish in both;
paired episodes of 2,000 judged jobs at scale 0.01.
"""

from __future__ import annotations

import argparse
import math
from typing import Final

import numpy as np

from panda_gym.benchmarking.episodes import play
from panda_gym.benchmarking.policy_resolution import PolicyOrOracle, find_policies
from panda_gym.benchmarking.standard_suite import EVALUATION_SEEDS, SIZES, weights_for
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.policies import create
from panda_gym.environments.placement.scenario import Scenario

SCALE: Final = 0.01
SCENARIOS: Final = ("atlas", "black-hole")
NO_FILTER: Final = "without the filter on failures"
FILTERED: Final = ("panda_production", "panda_production_draw")
PLAIN: Final = (
    "random", "least_loaded", "earliest_completion", "tuned", "difference-reward-scorer",
)  # fmt: skip


def policies() -> dict[str, PolicyOrOracle]:
    """Return the policies by label; PanDA's with its filter on recent failures and without."""
    found = dict(find_policies({name: weights_for(name, "atlas", SCALE) for name in PLAIN}, SCALE))
    for name in FILTERED:
        found[name] = create(name, constant_scale=SCALE)
        found[f"{name}, {NO_FILTER}"] = create(name, constant_scale=SCALE, bad_share=math.inf)
    return found


def measured(scenario: str, policy: PolicyOrOracle, seeds: int) -> tuple[float, float, float]:
    """Return the share of decisions at the site, the objective, and the share not finished."""
    jobs = SIZES[SCALE].jobs
    wanted = Scenario.of(scenario=scenario, scale=SCALE, jobs=jobs).judged_to_end()
    batch = PlacementBatch(wanted, seeds)
    values = play(batch, policy, range(EVALUATION_SEEDS, EVALUATION_SEEDS + seeds))
    shares = [at_site(batch, e, black_hole(batch)) for e in range(seeds)]
    logs = [math.log(value["geometric_slowdown"]) for value in values]
    unfinished = [value["unfinished"] for value in values]
    return float(np.mean(shares)), math.exp(float(np.mean(logs))), float(np.mean(unfinished))


def black_hole(batch: PlacementBatch) -> int:
    """Return the site that fails in `black-hole`."""
    failures = Scenario.of(scenario="black-hole").settings().failures
    assert failures is not None
    return failures.black_hole_site(np.asarray(batch.platform.cores))


def at_site(batch: PlacementBatch, e: int, site: int) -> float:
    """Return the share of the decisions about judged jobs of grid e that name a site."""
    log = batch.log(e, drain=False)
    placed = log.judged[log.origin] & (log.site >= 0)
    return float((log.site[placed] == site).mean())


def main() -> None:
    """Print the table, a row a policy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SIZES[SCALE].seeds)
    seeds = parser.parse_args().seeds
    heads = [f"share, {s} | slowdown, {s} | unfinished, {s}" for s in SCENARIOS]
    print("| policy | " + " | ".join(heads) + " |")
    print("| --- " * (1 + 3 * len(SCENARIOS)) + "|")
    for label, policy in policies().items():
        cells = [measured(scenario, policy, seeds) for scenario in SCENARIOS]
        shown = " | ".join(f"{a:.3f} | {b:.2f} | {c:.3f}" for a, b, c in cells)
        print(f"| {label} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
