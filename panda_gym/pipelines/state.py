"""Arrays of the kernel: record types, static operations and the state of simulations."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from panda_gym.jit.compiled import inline
from panda_gym.jit.heap import ENTRY

Array = np.ndarray

TYPE: Final = np.dtype(
    [
        ("first_task", "i4"),
        ("deploys", "i1"),
        ("train_s", "f8"),  # expected time on training slots
    ],
    align=True,
)
TASK_STATIC: Final = np.dtype(
    [
        ("expected_s", "f8"),  # of execution on a slot of speed 1
        ("read", "f8"),  # bytes over the asset's
        ("write", "f8"),
        ("cluster", "i4"),
        ("parents", "i4"),
        ("first_child", "i4"),
        ("trains", "i1"),
        ("gates", "i1"),
        ("movable", "i1"),  # whether it runs where the agent sends the run
    ],
    align=True,
)
CLUSTER_STATIC: Final = np.dtype(
    [("slots", "i8"), ("speed", "f8"), ("read", "f8"), ("write", "f8"), ("latency", "f8"),
     ("cost", "f8")]
)  # fmt: skip
"""Slots; speed; bytes/s; bytes/s; s; cost of a slot and s."""

MODEL_STATIC: Final = np.dtype(
    [
        ("rate", "f8"), ("size", "f8"), ("step", "f8"),  # of drift
        ("monitor", "f8"), ("noise", "f8"),  # s (0: none); deviation of an observation
        ("period", "f8"), ("staleness", "f8"), ("improvement", "f8"), ("new_data", "f8"),
        ("page_hinkley", "f8"), ("delta", "f8"),  # triggers, 0: none
        ("base", "f8"), ("expected_performance", "f8"), ("spread", "f8"),  # of performance
        ("gate", "f8"),  # least performance
        ("weight", "f8"), ("deadline", "f8"), ("data_rate", "f8"), ("data_need", "f8"),
        ("age", "f8"), ("retry", "f8"),
        ("type", "i4"), ("drift", "i4"), ("owner", "i4"),
    ],
    align=True,
)  # fmt: skip
ARRIVAL: Final = np.dtype([("time", "f8"), ("model", "i4"), ("row", "i4")], align=True)
"""Request from outside; row: its draws, -1 if a hash selects them."""

GENERAL: Final = np.dtype(
    [("horizon", "f8"), ("review", "f8"), ("discipline", "i4"), ("agent_decides", "i4"),
     ("pool", "i8"), ("first_pool", "i8"), ("places", "i8")],
    align=True,
)  # fmt: skip
"""s; s between reviews (0: none); code; whether an agent decides; draws per pipeline; first such
draw; number of clusters to which an agent may send a run."""


class OperationsArrays(NamedTuple):
    """Static arrays. Sizes: K pipelines, D rows of draws, at most T tasks in a pipeline."""

    general: Array  # GENERAL[1]
    types: Array  # TYPE[K + 1]
    tasks: Array  # TASK_STATIC[all + 1]
    child: Array  # int32[edges]: number of a task within its type
    factor: Array  # float64[all, 5]
    shift: Array  # float64[all, 5]
    clusters: Array  # CLUSTER_STATIC[C]
    models: Array  # MODEL_STATIC[M]
    base: Array  # float64[M, 5]: metrics after training
    shares: Array  # float64[owners]
    seconds: Array  # float64[D, T]: executions on a slot of speed 1
    asset: Array  # float64[D]: bytes
    training_noise: Array  # float64[D]: standard normal, of the performance after training


RUN: Final = np.dtype(
    [
        ("clock", "f8"),
        ("seed", "u8"),
        ("cost", "f8"),
        ("read", "f8"),  # bytes
        ("written", "f8"),
        ("next_review", "f8"),  # s
        ("events", "i8"),
        ("runs", "i8"),
        ("tasks", "i8"),
        ("arrived", "i8"),  # requests from outside handled
        ("requests", "i8"),  # from outside, triggers and the agent
        ("merged", "i8"),  # requests dropped because one was pending
        ("ended", "i8"),
        ("dispatch_pending", "i4"),  # events were handled since the last dispatch
        ("decision_pending", "i4"),  # the agent is to decide
    ],
    align=True,
)
CLUSTER: Final = np.dtype([("free", "i8"), ("queued", "i8")])
MODEL: Final = np.dtype(
    [
        ("deployed", "f8"),  # s; the start minus its age for the first
        ("performance", "f8"),  # at deployment
        ("step_loss", "f8"),  # share lost by steps
        ("integrated_until", "f8"),  # time to which the integrals are updated
        ("quality", "f8"),  # integral of p, s
        ("stale", "f8"),  # integral of d, s
        ("next_check", "f8"),  # next events, s; infinity: none
        ("next_drift_step", "f8"),
        ("period", "f8"),
        ("next_data", "f8"),
        ("data_at", "f8"),  # time of the data of the model in service
        ("count", "f8"), ("mean", "f8"), ("total", "f8"), ("least", "f8"),  # of Page-Hinkley
        ("asked", "f8"),  # when the pending request came
        ("version", "i4"),
        ("active_runs", "i4"),
        ("training_begun", "i4"),  # active runs that have begun to train
        ("runs", "i4"),
        ("drift_steps", "i4"),  # so far
        ("observations", "i4"),  # so far
        ("pending", "i4"),  # reason of the pending request; -1: none
        ("row", "i4"),  # its draws
    ],
    align=True,
)  # fmt: skip
RUN_RECORD: Final = np.dtype(
    [
        ("requested", "f8"),
        ("launched", "f8"),
        ("ended", "f8"),  # NaN: not ended
        ("metrics", "f8", (5,)),
        ("first_task", "i8"),
        ("model", "i4"),
        ("row", "i4"),
        ("open", "i4"),  # tasks ready or running
        ("site", "i4"),  # cluster of its movable tasks; -1: that of the pipeline
        ("reason", "i1"),
        ("failed", "i1"),  # stopped at a gate
        ("deployed", "i1"),
        ("training_begun", "i1"),
    ],
    align=True,
)
TASK: Final = np.dtype(
    [
        ("ready", "f8"),  # NaN: not yet
        ("start", "f8"),
        ("end", "f8"),
        ("run_index", "i4"),
        ("pending", "i2"),
        ("cluster", "i2"),
    ],
    align=True,
)


class State(NamedTuple):
    """State of E simulations, one a row."""

    run: Array  # RUN[E]
    events: Array  # ENTRY[E, h]
    queues: Array  # ENTRY[E, C, q]: (key, task); a heap, or a bag where keys change
    clusters: Array  # CLUSTER[E, C]
    models: Array  # MODEL[E, M]
    metrics: Array  # float64[E, M, 5]: of the models in service
    used: Array  # float64[E, owners]: slot s
    runs: Array  # RUN_RECORD[E, n]
    tasks: Array  # TASK[E, m]
    arrivals: Array  # ARRIVAL[E, A + 1]: in order of time, the last at infinity


def make_state(plan: OperationsArrays, arrivals: Array, room: int) -> State:
    """Return zeroed state of simulations with ARRIVAL[E, A + 1] and space for `room` runs."""
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
        runs=np.zeros((envs, room), RUN_RECORD),
        tasks=np.zeros((envs, room * longest), TASK),
        arrivals=arrivals,
    )


def grown(plan: OperationsArrays, state: State) -> State:
    """Return the state with longer arrays wherever less than half is free."""
    run = state.run
    margin = int(plan.clusters["slots"].sum()) + 64
    lack = {
        "events": 2 * (int(run["events"].max()) + margin) > state.events.shape[1],
        "queues": 2 * (int(state.clusters["queued"].max()) + 64) > state.queues.shape[2],
        "runs": 2 * (int(run["runs"].max()) + 16) > state.runs.shape[1],
        "tasks": 2 * (int(run["tasks"].max()) + 256) > state.tasks.shape[1],
    }
    return state._replace(**{k: _longer(getattr(state, k)) for k, few in lack.items() if few})


def _longer(array: Array) -> Array:
    more = np.zeros((*array.shape[:-1], max(array.shape[-1], 512)), array.dtype)
    return np.concatenate([array, more], axis=-1)


@inline
def state_row(state: Any, e: int) -> Any:
    """Return the fields of one simulation without the first axis (`run` has length 1)."""
    return State(
        state.run[e : e + 1], state.events[e], state.queues[e], state.clusters[e],
        state.models[e], state.metrics[e], state.used[e], state.runs[e], state.tasks[e],
        state.arrivals[e],
    )  # fmt: skip
