"""The kernel's records: what is fixed (Plan), what changes (State); knows shapes, no dynamics."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from panda_gym.pipelines.compiled import inner
from panda_gym.simulator.state import ENTRY

Array = np.ndarray

TYPE: Final = np.dtype(
    [
        ("first_task", "i4"),
        ("deploys", "i1"),
        ("train_s", "f8"),  # expected time on training slots
    ],
    align=True,
)
TASK_PLAN: Final = np.dtype(
    [
        ("expected_s", "f8"),  # of execution on a slot of speed 1
        ("read", "f8"),  # bytes over the asset's
        ("write", "f8"),
        ("cluster", "i4"),
        ("parents", "i4"),
        ("first_child", "i4"),
        ("trains", "i1"),
        ("gates", "i1"),
        ("movable", "i1"),  # whether it follows the run's placement
    ],
    align=True,
)
CLUSTER_PLAN: Final = np.dtype(
    [("slots", "i8"), ("speed", "f8"), ("read", "f8"), ("write", "f8"), ("latency", "f8"),
     ("cost", "f8")]
)  # fmt: skip
"""Slots; speed; bytes/s; bytes/s; s; cost of a slot and s."""

MODEL_PLAN: Final = np.dtype(
    [
        ("rate", "f8"), ("size", "f8"), ("step", "f8"),  # of drift
        ("monitor", "f8"), ("noise", "f8"),  # s (0: none); deviation of an observation
        ("period", "f8"), ("staleness", "f8"), ("improvement", "f8"), ("new_data", "f8"),
        ("page_hinkley", "f8"), ("delta", "f8"),  # triggers, 0: none
        ("base", "f8"), ("hoped", "f8"), ("spread", "f8"), ("gate", "f8"),  # performance
        ("weight", "f8"), ("deadline", "f8"), ("data_rate", "f8"), ("data_need", "f8"),
        ("age", "f8"), ("retry", "f8"),
        ("type", "i4"), ("drift", "i4"), ("owner", "i4"),
    ],
    align=True,
)  # fmt: skip
ARRIVAL: Final = np.dtype([("time", "f8"), ("model", "i4"), ("row", "i4")], align=True)
"""A request from outside; row: its draws, -1 where a hash picks them."""

GENERAL: Final = np.dtype(
    [("horizon", "f8"), ("review", "f8"), ("discipline", "i4"), ("asks", "i4"), ("pool", "i8"),
     ("first_pool", "i8"), ("places", "i8")],
    align=True,
)  # fmt: skip
"""s; s between reviews (0: none); code; whether an agent decides; draws of a type, their first;
clusters that an agent may name."""


class Plan(NamedTuple):
    """What does not change. A arrivals, D rows of draws, T tasks at most in a type."""

    general: Array  # GENERAL[1]
    types: Array  # TYPE[K + 1]
    tasks: Array  # TASK_PLAN[all + 1]
    child: Array  # int32[edges]: number of a task within its type
    factor: Array  # float64[all, 5]
    shift: Array  # float64[all, 5]
    clusters: Array  # CLUSTER_PLAN[C]
    models: Array  # MODEL_PLAN[M]
    base: Array  # float64[M, 5]: metrics after training
    shares: Array  # float64[owners]
    seconds: Array  # float64[D, T]: executions on a slot of speed 1
    asset: Array  # float64[D]: bytes
    luck: Array  # float64[D]: standard normal, of the performance after training


RUN: Final = np.dtype(
    [
        ("clock", "f8"),
        ("seed", "u8"),
        ("cost", "f8"),
        ("read", "f8"),  # bytes
        ("written", "f8"),
        ("due", "f8"),  # next review
        ("events", "i8"),
        ("pipes", "i8"),
        ("tasks", "i8"),
        ("arrived", "i8"),  # requests from outside handled
        ("requests", "i8"),  # of all kinds
        ("merged", "i8"),  # requests that met a pending one
        ("ended", "i8"),
        ("dirty", "i4"),  # something happened since the clusters were looked at
        ("awake", "i4"),  # the agent is asked
    ],
    align=True,
)
CLUSTER: Final = np.dtype([("free", "i8"), ("queued", "i8")])
MODEL: Final = np.dtype(
    [
        ("deployed", "f8"),  # s; the start minus its age for the first
        ("performance", "f8"),  # at deployment
        ("level", "f8"),  # share lost by steps
        ("settled", "f8"),  # until when the integrals go
        ("quality", "f8"),  # integral of p, s
        ("stale", "f8"),  # integral of d, s
        ("check", "f8"),  # next events, s; infinity: none
        ("turn", "f8"),
        ("period", "f8"),
        ("data", "f8"),
        ("data_at", "f8"),  # data of the model in service
        ("count", "f8"), ("mean", "f8"), ("total", "f8"), ("least", "f8"),  # of Page-Hinkley
        ("asked", "f8"),  # when the pending request came
        ("version", "i4"),
        ("underway", "i4"),
        ("begun", "i4"),  # runs under way that have begun to train
        ("runs", "i4"),
        ("turns", "i4"),  # steps of drift so far
        ("looks", "i4"),  # observations so far
        ("pending", "i4"),  # reason of the pending request; -1: none
        ("row", "i4"),  # its draws
    ],
    align=True,
)  # fmt: skip
PIPE: Final = np.dtype(
    [
        ("requested", "f8"),
        ("launched", "f8"),
        ("ended", "f8"),  # NaN: not ended
        ("metrics", "f8", (5,)),
        ("first_task", "i8"),
        ("model", "i4"),
        ("row", "i4"),
        ("open", "i4"),  # tasks ready or running
        ("site", "i4"),  # cluster of its movable tasks; -1: as planned
        ("reason", "i1"),
        ("failed", "i1"),  # stopped at a gate
        ("deployed", "i1"),
        ("begun", "i1"),  # to train
    ],
    align=True,
)
TASK: Final = np.dtype(
    [
        ("ready", "f8"),  # NaN: not yet
        ("start", "f8"),
        ("end", "f8"),
        ("pipe", "i4"),
        ("pending", "i2"),
        ("cluster", "i2"),
    ],
    align=True,
)


class State(NamedTuple):
    """What changes: one simulation a row."""

    run: Array  # RUN[E]
    events: Array  # ENTRY[E, h]
    queues: Array  # ENTRY[E, C, q]: (key, task); a heap, or a bag where keys change
    clusters: Array  # CLUSTER[E, C]
    models: Array  # MODEL[E, M]
    metrics: Array  # float64[E, M, 5]: of the models in service
    used: Array  # float64[E, owners]: slot s
    pipes: Array  # PIPE[E, n]
    tasks: Array  # TASK[E, m]
    arrivals: Array  # ARRIVAL[E, A + 1]: in order of time, the last at infinity


def make_state(plan: Plan, arrivals: Array, room: int) -> State:
    """Empty state of simulations with ARRIVAL[E, A + 1] and room for `room` runs."""
    envs, longest = len(arrivals), plan.seconds.shape[1]
    events = int(plan.clusters["slots"].sum()) + 6 * len(plan.models) + 64
    return State(
        run=np.zeros(envs, RUN),
        events=np.zeros((envs, events), ENTRY),
        queues=np.zeros((envs, len(plan.clusters), 256), ENTRY),
        clusters=np.zeros((envs, len(plan.clusters)), CLUSTER),
        models=np.zeros((envs, len(plan.models)), MODEL),
        metrics=np.zeros((envs, len(plan.models), plan.base.shape[1])),
        used=np.zeros((envs, len(plan.shares))),
        pipes=np.zeros((envs, room), PIPE),
        tasks=np.zeros((envs, room * longest), TASK),
        arrivals=arrivals,
    )


def grown(plan: Plan, state: State) -> State:
    """The same state with room for more wherever less than half is left."""
    run = state.run
    margin = int(plan.clusters["slots"].sum()) + 64
    lack = {
        "events": 2 * (int(run["events"].max()) + margin) > state.events.shape[1],
        "queues": 2 * (int(state.clusters["queued"].max()) + 64) > state.queues.shape[2],
        "pipes": 2 * (int(run["pipes"].max()) + 16) > state.pipes.shape[1],
        "tasks": 2 * (int(run["tasks"].max()) + 256) > state.tasks.shape[1],
    }
    return state._replace(**{k: _longer(getattr(state, k)) for k, few in lack.items() if few})


def _longer(array: Array) -> Array:
    more = np.zeros((*array.shape[:-1], max(array.shape[-1], 512)), array.dtype)
    return np.concatenate([array, more], axis=-1)


@inner
def state_row(state: Any, e: int) -> Any:
    """One simulation of a batch: the same fields without the first axis (run: length 1)."""
    return State(
        state.run[e : e + 1], state.events[e], state.queues[e], state.clusters[e],
        state.models[e], state.metrics[e], state.used[e], state.pipes[e], state.tasks[e],
        state.arrivals[e],
    )  # fmt: skip
