"""Small instances in which data matter: little work, shared datasets, and quotas or none."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from panda_gym.joint import Instance, evaluate, ordered, random_instance


def small(seed: int, **changes: Any) -> Instance:
    """A dozen jobs whose transfers take as long as their runs."""
    settings = {
        "jobs": 12, "nodes": 4, "local_stores": 5, "remote_stores": 2, "work_per_size": 2e-4,
        "readers": 1.0 + seed % 3, "quota": (None, 1.5)[seed % 2],
    }  # fmt: skip
    return random_instance(seed, **{**settings, **changes})


def tiny(seed: int, work_per_size: float = 1e-3) -> Instance:
    """Three jobs, four datasets, two nodes and two stores: all placements can be tried.

    In odd seeds bandwidths differ by orders of magnitude, so that waits for data matter.
    """
    rng, spread = np.random.default_rng(seed), (0.4, 3.0)[seed % 2]
    return Instance(
        name="tiny",
        work_per_size=work_per_size,
        size=rng.uniform(1.0, 3.0, 4),
        source=rng.integers(0, 2, 4),
        first=np.array([0, 2, 3, 5]),
        inputs=np.array([0, 1, 2, 1, 3]),
        speed=rng.uniform(1.0, 4.0, 2),
        remote_bandwidth=np.exp(rng.uniform(-spread, spread, (2, 2))),
        local_bandwidth=4.0 * np.exp(rng.uniform(-spread, spread, (2, 2))),
    )


def optimum(instance: Instance) -> float:
    """The least makespan of all nodes and stores, each with the best order."""
    nodes = product(range(instance.nodes), repeat=instance.jobs)
    stores = list(product(range(instance.local_stores), repeat=instance.datasets))
    return min(
        evaluate(instance, ordered(instance, np.array(node), np.array(store))).makespan_s
        for node in nodes
        for store in stores
    )
