"""Rows of nearness say the same, however few there are."""

from __future__ import annotations

import numpy as np
import pytest

from panda_gym.simulator import Network, Settings, Simulator, Storage, allocation
from tests.oracles.worlds import ENCODING, make_episode, make_platform

SITES, JOBS = 70, 300  # more sites than a word of 64 bits has


def observations(datasets: int) -> tuple[np.ndarray, int]:
    """All that is seen in an episode, and how many rows went to another dataset."""
    platform = make_platform(SITES, seed=5, most_cores=8)
    rules = Settings(network=Network(), storage=Storage(gb_per_core=3.0))
    grid = Simulator(platform, batch=1, capacity=JOBS, encoding=ENCODING, settings=rules)
    grid.load(0, make_episode(platform, jobs=JOBS, load=2.0, seed=5, datasets=datasets), seed=5)
    grid.begin()
    rng, seen, owners = np.random.default_rng(0), [], []
    for _ in range(JOBS):
        grid.step(rng.integers(0, SITES, 1))
        seen.append(grid.flat.copy())
        owners.append(grid.world.row_datasets[0].copy())
    before, after = np.array(owners[:-1]), np.array(owners[1:])
    return np.concatenate(seen), int(((before >= 0) & (before != after)).sum())


@pytest.mark.parametrize("rows", [1, 7])
def test_rows_that_are_taken_from_other_datasets_say_the_same(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, kept = observations(datasets=20)
    monkeypatch.setattr(allocation, "ROWS", rows)
    found, taken = observations(datasets=20)
    assert kept == 0
    assert taken > 100
    np.testing.assert_array_equal(found, expected)
