"""Build the kernel's arrays from operations, and draw durations, data sizes and training noise."""

from __future__ import annotations

from typing import Final

import numpy as np

from panda_gym.distributions import Assets, Growth, Lognormal
from panda_gym.errors import PipelineError
from panda_gym.pipelines.drift import CODES
from panda_gym.pipelines.kinds import METRICS, Effect
from panda_gym.pipelines.operations import DISCIPLINES, Model, Operations
from panda_gym.pipelines.pipeline import Pipeline, Task
from panda_gym.pipelines.state import (
    ARRIVAL,
    CLUSTER_STATIC,
    GENERAL,
    MODEL_STATIC,
    TASK_STATIC,
    TYPE,
    OperationsArrays,
)
from panda_gym.units import BYTES_PER_GB, BYTES_PER_MB, SECONDS_PER_HOUR

Array = np.ndarray

SPREAD: Final = 0.5
"""Sigma of a duration whose task has no distribution (our default)."""
POOL: Final = 4096
"""Draws per pipeline from which triggered runs take theirs, by hash."""


def duration_of(task: Task) -> Growth | Lognormal | object:
    """Return the distribution of a task's duration."""
    return task.duration if task.duration is not None else Lognormal(task.of.seconds, SPREAD)


def operations_arrays(
    operations: Operations,
    horizon_s: float,
    rng: np.random.Generator,
    wanted: Array | None = None,
    *,
    agent_decides: bool = False,
    review_s: float = 0.0,
    places: int = 1,
) -> OperationsArrays:
    """Return the kernel's arrays of operations.

    Args:
        horizon_s: end of the simulation, s.
        rng: generator of everything drawn before the start (data, durations, training noise).
        wanted: models of the requests from outside, int[A]: each has draws of its own; None: all
            draws come from the pool of their pipeline.
        agent_decides: whether an agent decides on requests.
        places: number of clusters, from the first on, to which an agent may send a run.
        review_s: time between decisions without a request, s; 0: none.
    """
    if not 0.0 < horizon_s < np.inf:
        raise PipelineError("a finite horizon above 0 s", repr(horizon_s), "pass s")
    types, tasks, child = _graphs(operations)
    effects = [_effect(task) for one in operations.pipelines for task in one.tasks]
    kind = {one.name: k for k, one in enumerate(operations.pipelines)}
    of_model = np.array([kind[model.pipeline] for model in operations.models])
    own = np.zeros(0, np.int64) if wanted is None else of_model[wanted]
    labels = np.concatenate([own, np.repeat(np.arange(len(kind)), POOL)])
    seconds, asset, noise = _draws(operations, labels, rng)
    _expect(operations, types, tasks, seconds[len(own) :])
    discipline = DISCIPLINES.index(operations.discipline)
    general = np.array(
        [(horizon_s, review_s, discipline, agent_decides, POOL, len(own), places)], GENERAL
    )
    owners = sorted({model.owner for model in operations.models})
    models, base = _models(operations, of_model, owners)
    return OperationsArrays(
        general, types, tasks, child,
        np.array([factor for factor, _ in effects]), np.array([shift for _, shift in effects]),
        _clusters(operations), models, base,
        np.array([float(operations.shares.get(owner, 1.0)) for owner in owners]),
        seconds, asset, noise,
    )  # fmt: skip


def arrival_records(times: Array, models: Array, rows: Array | None) -> Array:
    """Return ARRIVAL[A + 1]: requests in order of time, and a last one at infinity."""
    found = np.zeros(len(times) + 1, ARRIVAL)
    found["time"][:-1], found["model"][:-1] = times, models
    found["row"][:-1] = -1 if rows is None else rows
    found["time"][-1] = np.inf
    return found


def _graphs(operations: Operations) -> tuple[Array, Array, Array]:
    """Return TYPE[K + 1], TASK_STATIC[all + 1] and the children int32[edges]."""
    place = {cluster.name: c for c, cluster in enumerate(operations.clusters)}
    total = sum(len(one.tasks) for one in operations.pipelines)
    types, tasks = np.zeros(len(operations.pipelines) + 1, TYPE), np.zeros(total + 1, TASK_STATIC)
    child: list[int] = []
    at = 0
    for k, pipeline in enumerate(operations.pipelines):
        types[k]["first_task"], types[k]["deploys"] = at, pipeline.deploys
        parents = pipeline.parents
        for i, task in enumerate(pipeline.tasks):
            row = tasks[at + i]
            row["read"], row["write"], row["parents"] = task.read, task.write, len(parents[i])
            row["cluster"] = place[task.cluster or task.of.cluster]
            row["trains"], row["gates"] = task.of.trains, task.of.gates
            row["movable"] = task.cluster is None and task.of.cluster == "training"
            row["first_child"] = len(child)
            child += [j for j, waits in enumerate(parents) if i in waits]
        at += len(pipeline.tasks)
    types[-1]["first_task"], tasks[-1]["first_child"] = at, len(child)
    return types, tasks, np.array(child or [0], dtype=np.int32)


def _effect(task: Task) -> tuple[Array, Array]:
    """Return factor and shift of every metric, float64[5] each."""
    effect: Effect = task.effect or task.of.effect
    factor = np.array([float(effect.factor.get(name, 1.0)) for name in METRICS])
    return factor, np.array([float(effect.shift.get(name, 0.0)) for name in METRICS])


def _draws(
    operations: Operations, labels: Array, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """Draw durations float64[D, T], bytes float64[D] and training noise float64[D] of runs."""
    longest = max(len(pipeline.tasks) for pipeline in operations.pipelines)
    seconds = np.zeros((len(labels), longest))
    noise = rng.standard_normal(len(labels))
    if isinstance(operations.assets, Assets):
        assets: Array | None = operations.assets.sample(rng, len(labels))
        size = assets[:, 2] if assets is not None else noise
    else:
        assets = None
        size = np.full(len(labels), BYTES_PER_GB)
        if operations.assets is not None:
            size = operations.assets.sample(rng, len(labels))
    for k, pipeline in enumerate(operations.pipelines):
        mine = np.flatnonzero(labels == k)
        for i, task in enumerate(pipeline.tasks):
            seconds[mine, i] = _durations(pipeline, task, assets, mine, rng)
    return seconds, size, noise


def _durations(
    pipeline: Pipeline, task: Task, assets: Array | None, rows: Array, rng: np.random.Generator
) -> Array:
    distribution = duration_of(task)
    if not isinstance(distribution, Growth):
        return distribution.sample(rng, len(rows))  # type: ignore[attr-defined]
    if assets is None:
        raise PipelineError(
            f"assets of rows and columns for task {task.label!r} of {pipeline.name!r}",
            "sizes in bytes",
            "pass assets=Assets(...)",
        )
    return distribution.draw(rng, assets[rows])


def _expect(operations: Operations, types: Array, tasks: Array, pool: Array) -> None:
    """Write the expected durations of tasks, and of every pipeline's time on training slots."""
    for k, pipeline in enumerate(operations.pipelines):
        first = types[k]["first_task"]
        mean = pool[k * POOL : (k + 1) * POOL].mean(axis=0)
        mine = slice(first, first + len(pipeline.tasks))
        tasks["expected_s"][mine] = mean[: len(pipeline.tasks)]
        moved = tasks["expected_s"][mine][tasks["movable"][mine] == 1].sum()
        types[k]["train_s"] = max(float(moved), 1.0)


def _clusters(operations: Operations) -> Array:
    rows = [
        (one.slots, one.speed, one.read_mbps * BYTES_PER_MB, one.write_mbps * BYTES_PER_MB,
         one.latency_s, one.cost_per_hour / SECONDS_PER_HOUR)
        for one in operations.clusters
    ]  # fmt: skip
    return np.array(rows, CLUSTER_STATIC)


def _models(operations: Operations, of_model: Array, owners: list[str]) -> tuple[Array, Array]:
    """Return MODEL_STATIC[M] and the metrics after training, float64[M, 5]."""
    found = np.zeros(len(operations.models), MODEL_STATIC)
    base = np.array([[m.base[name] for name in METRICS] for m in operations.models])
    for row, model, k in zip(found, operations.models, of_model, strict=True):
        triggers = model.triggers
        for field in ("staleness", "improvement", "new_data", "page_hinkley", "delta", "noise"):
            row[field] = getattr(triggers, field) or 0.0
        row["monitor"], row["period"] = triggers.monitor_s or 0.0, triggers.period_s or 0.0
        row["rate"], row["size"] = model.drift.rate, model.drift.size
        row["step"], row["drift"] = model.drift.step_s, CODES[model.drift.kind]
        row["type"], row["owner"] = k, owners.index(model.owner)
        row["base"] = model.base["performance"]
        row["expected_performance"] = expected_performance(model, operations.pipelines[k])
        for field in ("spread", "gate", "weight", "data_rate", "data_need"):
            row[field] = getattr(model, field)
        row["deadline"], row["age"], row["retry"] = model.deadline_s, model.age_s, model.retry_s
    return found, base


def expected_performance(model: Model, pipeline: Pipeline) -> float:
    """Return the expected performance of a new model: after training and all effects in order."""
    found = model.base["performance"]
    for task in pipeline.tasks:
        factor, shift = _effect(task)
        found = min(1.0, max(0.0, factor[0] * found + shift[0]))
    if found <= 0.0:
        raise PipelineError(
            f"a pipeline that leaves model {model.name!r} some performance", "0", "weaken effects"
        )
    return float(found)
