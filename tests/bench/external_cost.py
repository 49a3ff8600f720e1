"""What external costs leave out: computed ones beside exact ones, from forks of the same episode.

    python -m tests.bench.external_cost
    python -m tests.bench.external_cost --jobs 300 --seeds 4

An exact external cost comes from an episode that is played again from the decision on. There the
job goes to a huge site that nobody else uses and reads no input, so that it hinders nobody. All
other jobs, and those of their retries that both episodes have, go where they went. Sites are drawn
at random among the legal ones. The unit is ln(bounded slowdown), without clipping.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from panda_gym import load_platform
from panda_gym.credit import external_costs, find_objective, own_costs
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.scenario import Scenario

Array = np.ndarray
Attempt = tuple[int, int]
"""Log row of a job's first attempt, and the number of the attempt."""

RETRIES: Final = {"failures": {"scale": 3.0}, "retries": True}
LINKS: Final = {"network": 1, "input_scale": 20.0}
WORLDS: Final[dict[str, dict[str, Any]]] = {
    "queues alone": {},
    "retries": RETRIES,
    "shared links": LINKS,
    "retries and shared links": {**RETRIES, **LINKS},
}
"""What is on beside queues and a competing load."""


def made(jobs: int, seed: int, changes: dict[str, Any]) -> PlacementBatch:
    """Return a grid of 15 sites whose last one is huge, with an episode that has begun."""
    platform = load_platform("small15").scaled(0.1)
    cores = platform.cores.copy()
    cores[-1] = 1_000_000
    settings = {
        "platform": replace(platform, cores=cores), "scale": 1.0, "jobs": jobs, "tail_jobs": 0,
        "warmup": 0, "running": 0, "load": LOAD * float(cores[:-1].sum()) / float(cores.sum()),
        "stream_jobs": 20_000,
    }  # fmt: skip
    batch = PlacementBatch(Scenario.of(**{**settings, **changes}), 1)
    batch.begin([(0, np.random.default_rng(seed))])
    return batch


LOAD: Final = 1.0
"""Offered work over the capacity of the sites but the last."""


def attempt(batch: PlacementBatch) -> Attempt:
    """Return which attempt of which job the grid decides on."""
    log, row = batch.log(0, drain=False), int(batch.simulator.pending[0, 0])
    return int(log.origin[row]), int(log.attempt[row])


def drawn(batch: PlacementBatch, rng: np.random.Generator) -> int:
    """Return a legal site other than the last."""
    legal = np.flatnonzero(batch.simulator.mask[0, :-1])
    return int(legal[rng.integers(len(legal))])


def without(batch: PlacementBatch, sites: dict[Attempt, int]) -> Array:
    """Return the own costs of all rows when the job at hand hinders nobody."""
    aside, rng = copy.deepcopy(batch), np.random.default_rng(1)
    job, nowhere = attempt(aside)[0], len(aside.platform) - 1
    aside.simulator.world.jobs["input_bytes"][0, int(aside.simulator.pending[0, 0])] = 0.0
    while not aside.done[0]:
        key = attempt(aside)
        known = sites.get(key)
        site = nowhere if key[0] == job else drawn(aside, rng) if known is None else known
        aside.step(np.array([site]))
    return own_costs(aside.log(0))


def compared(jobs: int, seed: int, changes: dict[str, Any], links: bool) -> tuple[Array, Array]:
    """Return computed and exact external costs of an episode's first attempts, float64[jobs]."""
    batch, rng = made(jobs, seed, changes), np.random.default_rng(seed)
    sites: dict[Attempt, int] = {}
    states: list[tuple[PlacementBatch, int]] = []
    while not batch.done[0]:
        key, site = attempt(batch), drawn(batch, rng)
        sites[key] = site
        if key[1] == 1:
            states.append((copy.deepcopy(batch), key[0]))
        batch.step(np.array([site]))
    log = batch.log(0)
    row = find_objective("ln_slowdown_links" if links else "ln_slowdown")
    computed, own = external_costs(batch.simulator, 0, log, row), own_costs(log)
    first = np.flatnonzero(log.judged)
    exact = [own[first] - without(state, sites)[first] for state, _ in states]
    others = [np.nansum(gain[first != row]) for gain, (_, row) in zip(exact, states, strict=True)]
    return computed[[row for _, row in states]], np.array(others)


def main(words: Sequence[str] | None = None) -> None:
    """Print one line a world."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--links", action="store_true", help="by ln_slowdown_links")
    given = parser.parse_args(words)
    print(f"{'world':<26} {'computed':>9} {'exact':>9} {'correlation':>12}")
    for name, changes in WORLDS.items():
        pairs = [compared(given.jobs, seed, changes, given.links) for seed in range(given.seeds)]
        computed, exact = (np.concatenate(part) for part in zip(*pairs, strict=True))
        correlation = float(np.corrcoef(computed, exact)[0, 1])
        print(f"{name:<26} {computed.mean():>9.3f} {exact.mean():>9.3f} {correlation:>12.3f}")


if __name__ == "__main__":
    main()
