"""Random placement: every job on a random node, every dataset in a random store with room."""

from __future__ import annotations

import numpy as np

from panda_gym.joint.instance import Instance
from panda_gym.joint.methods.list_scheduling import packed_stores
from panda_gym.joint.methods.search import Search
from panda_gym.joint.schedule import ordered

Array = np.ndarray


def random_placement(instance: Instance, seed: int, search: Search) -> None:
    """Offer random schedules with the best order on each node until the budget is spent.

    With one step it is one random placement.
    """
    rng = np.random.default_rng(seed)
    while search.goes_on() or search.done == 0:
        node = rng.integers(0, instance.nodes, instance.jobs)
        search.offer(instance, ordered(instance, node, random_stores(instance, rng)))
        search.done += 1


def random_stores(instance: Instance, rng: np.random.Generator) -> Array:
    """Return a random store with room for each dataset, int64[D]; packed if none has room."""
    if not instance.has_quotas:
        return rng.integers(0, instance.local_stores, instance.datasets)
    room, store = instance.quota.copy(), np.zeros(instance.datasets, np.int64)
    for data in np.argsort(-instance.size, kind="stable"):
        fits = np.flatnonzero(room >= instance.size[data])
        if not len(fits):
            return packed_stores(instance)
        store[data] = rng.choice(fits)
        room[store[data]] -= instance.size[data]
    return store
