"""The arrays of an instance and of a partial schedule, as compiled methods take them."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np

from panda_gym.jit.address_table import AddressTable
from panda_gym.joint.instance import Instance
from panda_gym.joint.schedule import Schedule, ordered, stored_sizes

Array = np.ndarray


class Problem(NamedTuple):
    """An instance; times per unit of size or work instead of bandwidths and speeds."""

    size: Annotated[Array, "f8", 1]
    """Size of each dataset, float64[D]."""
    source: Annotated[Array, "i8", 1]
    """Remote store of each dataset, int64[D]."""
    first: Annotated[Array, "i8", 1]
    """Where the inputs of each job begin, int64[J + 1]."""
    inputs: Annotated[Array, "i8", 1]
    """Datasets that jobs read, int64[first[J]]."""
    reader_first: Annotated[Array, "i8", 1]
    """Where the readers of each dataset begin, int64[D + 1]."""
    readers: Annotated[Array, "i8", 1]
    """Jobs that read datasets, dataset after dataset, int64[first[J]]."""
    work: Annotated[Array, "f8", 1]
    """Work of each job, float64[J]."""
    slowness: Annotated[Array, "f8", 1]
    """Seconds for each unit of work on each node, float64[C]."""
    remote: Annotated[Array, "f8", 2]
    """Seconds for each unit of size, float64[R, L]."""
    local: Annotated[Array, "f8", 2]
    """Seconds for each unit of size, float64[C, L]."""


class State(NamedTuple):
    """A schedule as methods change it; -1 is a job without node, or a dataset without store."""

    node: Annotated[Array, "i8", 1]
    """Node of each job, int64[J]."""
    store: Annotated[Array, "i8", 1]
    """Store of each dataset, int64[D]."""
    room: Annotated[Array, "f8", 1]
    """What is left of each quota, float64[L]."""
    release: Annotated[Array, "f8", 1]
    """Release of each job on its node, float64[J], s; see `schedule.releases`."""
    hold: Annotated[Array, "f8", 1]
    """How long each job holds its node from its release on, float64[J], s."""
    queue: Annotated[Array, "i8", 2]
    """Jobs of each node by release, int64[C, J]; the first `filled` are in use."""
    filled: Annotated[Array, "i8", 1]
    """Jobs on each node, int64[C]."""
    end: Annotated[Array, "f8", 1]
    """End of the last job of each node, float64[C], s."""
    late: Annotated[Array, "i8", 1]
    """Nodes that end after the target, int64[C]; the first `lates[0]` are in use."""
    late_at: Annotated[Array, "i8", 1]
    """Where each node stands in `late`, int64[C]; -1: it is in time."""
    lates: Annotated[Array, "i8", 1]
    """Number of late nodes, int64[1]."""
    kept: Annotated[Array, "f8", 2]
    """Release and hold of the readers of a dataset before it moved, float64[2, J]."""


PROBLEM, STATE = AddressTable(Problem), AddressTable(State)
read_problem, read_state = PROBLEM.read, STATE.read
"""In compiled functions: the named tuple of a table."""


def tables_of(problem: Problem, state: State) -> tuple[Any, Any]:
    """Return the tables that compiled functions take; keep both named tuples alive with them."""
    return PROBLEM.of(problem), STATE.of(state)


def problem_of(instance: Instance) -> Problem:
    """Return the arrays of an instance."""
    owner = np.repeat(np.arange(instance.jobs), np.diff(instance.first))
    order = np.argsort(instance.inputs, kind="stable")
    counts = np.bincount(instance.inputs, minlength=instance.datasets)
    return Problem(
        size=instance.size,
        source=instance.source,
        first=instance.first,
        inputs=instance.inputs,
        reader_first=np.concatenate([[0], np.cumsum(counts)]),
        readers=owner[order],
        work=instance.work(),
        slowness=1.0 / instance.speed,
        remote=1.0 / instance.remote_bandwidth,
        local=np.ascontiguousarray(1.0 / instance.local_bandwidth.T),
    )


def empty_state(instance: Instance, store: Array | None = None) -> State:
    """Return a state without jobs; with stores of datasets, or without."""
    jobs, nodes = instance.jobs, instance.nodes
    room = instance.quota.copy()
    if store is not None:
        room -= stored_sizes(instance, store)
    return State(
        node=np.full(jobs, -1, np.int64),
        store=np.full(instance.datasets, -1, np.int64) if store is None else store.copy(),
        room=room,
        release=np.zeros(jobs),
        hold=np.zeros(jobs),
        queue=np.zeros((nodes, jobs), np.int64),
        filled=np.zeros(nodes, np.int64),
        end=np.zeros(nodes),
        late=np.zeros(nodes, np.int64),
        late_at=np.full(nodes, -1, np.int64),
        lates=np.zeros(1, np.int64),
        kept=np.zeros((2, jobs)),
    )


def schedule_of(instance: Instance, state: State) -> Schedule:
    """Return the schedule of a state in which every job has a node and every dataset a store."""
    return ordered(instance, state.node.copy(), state.store.copy())
