"""Error of the two fast ways to share the network against exact max-min fairness.

    python scripts/link_levels.py --out runs/link_levels

The same jobs go to the same sites (drawn by capacity, blind to the state) at link levels 0 (no
sharing), 1 (endpoint sharing) and 2 (max-min fairness, the reference), so that stage-in times
differ by the level alone. Stage-in is from the placement to the activation of a job whose input
comes from another site.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

import numpy as np

import panda_gym
from panda_gym.environments.placement import policies
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.jobs import JobStream
from panda_gym.visualization.report.recorded import write_table

Array = np.ndarray

LEVELS: Final = (0, 1, 2)
REFERENCE: Final = 2
HEAVY: Final = 10.0
"""Factor on the inputs of the third stream."""


def streams() -> dict[str, dict[str, Any]]:
    """Settings of the three streams by name."""
    records = panda_gym.reference_records(20_000, seed=0)
    return {
        "default surrogate": {},
        "reference records": {"stream": JobStream.from_records(records, name="reference")},
        f"default surrogate, inputs x {HEAVY:g}": {"input_scale": HEAVY},
    }


def stage_in_s(settings: dict[str, Any], level: int, worlds: int) -> Array:
    """Stage-in times over network of all judged jobs of the worlds, s."""
    batch = PlacementBatch(Scenario.of(network=level, **settings), worlds)
    batch.begin((e, np.random.default_rng(e)) for e in range(worlds))
    policy, rng = policies.create("capacity_random"), np.random.default_rng(1)
    policy.reset(worlds)
    for _ in range(batch.scenario.jobs):
        batch.step(policy(batch.observe(copy=False), rng))
    times = []
    for e in range(worlds):
        log = batch.log(e)
        moved = (np.arange(len(log)) >= log.warmup) & (log.source >= 0)
        times.append((log.activation_s - log.placed_s)[moved])
    return np.concatenate(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2_000)
    parser.add_argument("--scale", type=float, default=0.01)
    parser.add_argument("--worlds", type=int, default=4)
    parser.add_argument("--out", type=Path, default=Path("runs/link_levels"))
    given = parser.parse_args()
    rows = [["stream", "level", "mean stage-in (s)", "error", "95th percentile (s)", "error"]]
    for name, settings in streams().items():
        sized = {"jobs": given.jobs, "scale": given.scale, **settings}
        found = {level: stage_in_s(sized, level, given.worlds) for level in LEVELS}
        exact = found[REFERENCE].mean(), np.quantile(found[REFERENCE], 0.95)
        for level in LEVELS:
            mean, high = found[level].mean(), np.quantile(found[level], 0.95)
            errors = [f"{one / of - 1.0:+.1%}" for one, of in zip((mean, high), exact, strict=True)]
            rows.append([name, f"{level}", f"{mean:.1f}", errors[0], f"{high:.1f}", errors[1]])
        print(f"{name}: done", flush=True)
    print(write_table(given.out, rows))


if __name__ == "__main__":
    main()
