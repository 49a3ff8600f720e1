"""The model that sends jobs to nodes while every dataset stays in its store.

The makespan is at least the end of a job that runs alone, and at least the sum of the times for
which jobs hold a node. The latter leaves out the wait for the first data, which `evaluate` counts.
"""

from __future__ import annotations

import numpy as np

from panda_gym.joint.instance import Instance
from panda_gym.joint.methods.milp import Model
from panda_gym.joint.schedule import arrivals

Array = np.ndarray


def choose_nodes(instance: Instance, store: Array, time_s: float) -> Array | None:
    """Return a node for each job, int64[J]; None if no solution was found in the time."""
    jobs, nodes = instance.jobs, instance.nodes
    alone, hold = node_times(instance, store)
    model = Model(jobs * nodes, 1)
    variables, last = np.arange(jobs * nodes), jobs * nodes
    job, node = np.divmod(variables, nodes)
    model.add(job, variables, np.ones(last), np.ones(jobs), np.ones(jobs))
    for row, times, count in ((job, alone, jobs), (node, hold, nodes)):
        model.add(
            np.concatenate([row, np.arange(count)]),
            np.concatenate([variables, np.full(count, last)]),
            np.concatenate([-times.ravel(), np.ones(count)]),
            np.zeros(count),
            np.full(count, np.inf),
        )
    found = model.solve(time_s)
    return None if found is None else found.reshape(jobs, nodes).argmax(axis=1)


def node_times(instance: Instance, store: Array) -> tuple[Array, Array]:
    """Return each job's end alone on each node, and how long it holds it; float64[J, C], s."""
    data, starts = instance.inputs, instance.first[:-1]
    transfer = instance.size[data, None] / instance.local_bandwidth[store[data]]
    arrival = arrivals(instance, store)[data, None]
    run_s = instance.work()[:, None] / instance.speed
    alone = np.maximum.reduceat(arrival + transfer, starts, axis=0) + run_s
    return alone, np.maximum.reduceat(transfer, starts, axis=0) + run_s
