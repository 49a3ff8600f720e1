"""A schedule: the node of each job, the order of jobs on a node, the local store of each dataset.

The order needs no search. With nodes and stores given, a job holds its node for
`max(transfer from store to node) + run` once its data lie in the stores, and waits for them before
that. So a node is a single machine with release times, for which the order of releases gives the
earliest end (1 | r_j | C_max; Lawler 1973).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.errors import InstanceError
from panda_gym.joint.instance import Instance

Array = np.ndarray
ROUNDING = 1e-9
"""Share of a quota by which sums may differ from it."""


@dataclass(frozen=True, eq=False)
class Schedule:
    """A schedule of an instance with J jobs and D datasets."""

    node: Array
    """Node of each job, int64[J]."""
    rank: Array
    """Jobs of a node run in ascending rank, then job number; int64[J]."""
    store: Array
    """Local store of each dataset, int64[D]."""

    def on_node(self, node: int) -> Array:
        """Return the jobs of a node in the order in which they run, int64[...]."""
        jobs = np.flatnonzero(self.node == node)
        return jobs[np.lexsort((jobs, self.rank[jobs]))]


def check_schedule(instance: Instance, schedule: Schedule) -> None:
    """Raise InstanceError if a schedule does not fit an instance or exceeds a quota."""
    for name, count, end in (
        ("node", instance.jobs, instance.nodes),
        ("rank", instance.jobs, None),
        ("store", instance.datasets, instance.local_stores),
    ):
        values = np.asarray(getattr(schedule, name))
        if values.shape != (count,) or values.dtype.kind not in "iu":
            came = f"{values.dtype} of shape {values.shape}"
            raise InstanceError(f"{count} whole numbers as {name}", came, "correct the schedule")
        if end is not None and ((values < 0) | (values >= end)).any():
            came = f"{values.min()} to {values.max()}"
            raise InstanceError(f"every {name} from 0 to {end - 1}", came, "correct the schedule")
    stored = stored_sizes(instance, schedule.store)
    over = np.flatnonzero(stored > instance.quota * (1.0 + ROUNDING))
    if len(over):
        came = f"{stored[over[0]]:g} in store {over[0]} with quota {instance.quota[over[0]]:g}"
        raise InstanceError("every quota kept", came, "move datasets to other stores")


def stored_sizes(instance: Instance, store: Array) -> Array:
    """Return the size that lies in each local store, float64[L]."""
    return np.bincount(store, instance.size, minlength=instance.local_stores)


def releases(instance: Instance, node: Array, store: Array) -> Array:
    """Return the time before which a job's node gains nothing by taking it, float64[J], s.

    It is the latest end of a transfer to the node, less the longest transfer to the node.
    """
    arrival = arrivals(instance, store)[instance.inputs]
    reader = np.repeat(node, np.diff(instance.first))
    transfer = (
        instance.size[instance.inputs] / instance.local_bandwidth[store[instance.inputs], reader]
    )
    starts = instance.first[:-1]
    return np.maximum.reduceat(arrival + transfer, starts) - np.maximum.reduceat(transfer, starts)


def arrivals(instance: Instance, store: Array) -> Array:
    """Return when each dataset lies in its local store, float64[D], s."""
    return instance.size / instance.remote_bandwidth[instance.source, store]


def ordered(instance: Instance, node: Array, store: Array) -> Schedule:
    """Return the schedule of given nodes and stores with the best order on every node."""
    release = releases(instance, node, store)
    rank = np.empty(instance.jobs, np.int64)
    rank[np.lexsort((np.arange(instance.jobs), release))] = np.arange(instance.jobs)
    return Schedule(np.asarray(node, np.int64), rank, np.asarray(store, np.int64))
