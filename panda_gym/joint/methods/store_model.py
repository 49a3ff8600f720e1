"""The model that sends datasets to stores while jobs stay on their nodes, in their order.

The end of a job is at least its run after the last of its transfers from tape through the store,
and after the end of the job before it and the longest transfer from the store.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from panda_gym.joint.instance import Instance
from panda_gym.joint.methods.milp import Model
from panda_gym.joint.schedule import Schedule

Array = np.ndarray
MOST_STORES: Final = 12
"""Stores that a dataset may go to where there are quotas, beside its own."""


def choose_stores(instance: Instance, schedule: Schedule, time_s: float) -> Array | None:
    """Return a store for each dataset, int64[D]; None if no solution was found in the time."""
    data, store = candidates(instance, schedule)
    model = Model(len(data), instance.jobs + 1)
    _add_once(instance, model, data)
    _add_quotas(instance, model, data, store)
    _add_ends(instance, model, schedule, data, store)
    found = model.solve(time_s)
    if found is None:
        return None
    chosen = schedule.store.copy()
    order = np.argsort(found, kind="stable")
    chosen[data[order]] = store[order]
    return chosen


def candidates(instance: Instance, schedule: Schedule) -> tuple[Array, Array]:
    """Return datasets and the stores that each may go to, int64[B] each, sorted by dataset.

    Without quotas these are the stores that no other one dominates: by arrival, and by transfer to
    each reader. With quotas they are the fastest ones and the present one.
    """
    reader = np.repeat(schedule.node, np.diff(instance.first))
    order = np.argsort(instance.inputs, kind="stable")
    edges = np.searchsorted(instance.inputs[order], np.arange(instance.datasets + 1))
    found: list[Array] = []
    for d in range(instance.datasets):
        nodes = np.unique(reader[order[edges[d] : edges[d + 1]]])
        arrival = 1.0 / instance.remote_bandwidth[instance.source[d]]
        costs = np.column_stack([arrival, 1.0 / instance.local_bandwidth[:, nodes]])
        if instance.has_quotas:
            best = np.argsort(costs.sum(axis=1), kind="stable")[:MOST_STORES]
            found.append(np.union1d(best, schedule.store[d]))
        else:
            found.append(_undominated(costs))
    counts = [len(one) for one in found]
    return np.repeat(np.arange(instance.datasets), counts), np.concatenate(found)


def _undominated(costs: Array) -> Array:
    """Return the rows that no other row is below in every column; of equal rows the first."""
    order = np.lexsort(costs.T[::-1])
    kept: list[int] = []
    for row in order:  # a row is dominated only by rows before it in this order
        if not any((costs[other] <= costs[row]).all() for other in kept):
            kept.append(int(row))
    return np.array(kept)


def _add_once(instance: Instance, model: Model, data: Array) -> None:
    """Every dataset lies in one store."""
    ones = np.ones(instance.datasets)
    model.add(data, np.arange(len(data)), np.ones(len(data)), ones, ones)


def _add_quotas(instance: Instance, model: Model, data: Array, store: Array) -> None:
    """No store holds more than its quota."""
    if instance.has_quotas:
        stores = instance.local_stores
        low = np.zeros(stores)
        model.add(store, np.arange(len(data)), instance.size[data], low, instance.quota)


def _add_ends(
    instance: Instance, model: Model, schedule: Schedule, data: Array, store: Array
) -> None:
    """Jobs end after their transfers and after the job before them; the makespan is the last."""
    edges = np.searchsorted(data, np.arange(instance.datasets + 1))
    arrival = instance.size[data] / instance.remote_bandwidth[instance.source[data], store]
    run_s = instance.work() / instance.speed[schedule.node]
    ends = model.binaries
    for node in range(instance.nodes):
        jobs = schedule.on_node(node)
        for k, job in enumerate(jobs):
            before = jobs[k - 1] if k else -1
            for d in instance.inputs_of(job):
                columns = np.arange(edges[d], edges[d + 1])
                local = instance.size[d] / instance.local_bandwidth[store[columns], node]
                _add_end(model, ends + job, -1, columns, arrival[columns] + local, run_s[job])
                if before >= 0:
                    _add_end(model, ends + job, ends + before, columns, local, run_s[job])
        if len(jobs):
            empty = np.zeros(0, np.int64)
            _add_end(model, ends + instance.jobs, ends + jobs[-1], empty, empty, 0.0)


def _add_end(
    model: Model, end: int, before: int, columns: Array, times: Array, run_s: float
) -> None:
    """end >= before + the time of the chosen store + run; before -1: none."""
    first = [end] if before < 0 else [end, before]
    column = np.concatenate([first, columns])
    value = np.concatenate([[1.0, -1.0][: len(first)], -times])
    infinity = np.array([np.inf])
    model.add(np.zeros(len(column), np.int64), column, value, np.array([run_s]), infinity)
