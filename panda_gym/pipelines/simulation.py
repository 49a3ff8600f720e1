"""Simulate operations to a horizon by the kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from panda_gym.errors import PipelineError, check_seed
from panda_gym.pipelines.history import History
from panda_gym.pipelines.kernel_arrays import arrival_records, operations_arrays
from panda_gym.pipelines.operations import Operations
from panda_gym.pipelines.state import OperationsArrays, State, grown, make_state

Array = np.ndarray


def requests(
    operations: Operations, horizon_s: float, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Draw the times float64[A], s, and models int64[A] of the requests from outside."""
    if operations.arrivals is None:
        return np.zeros(0), np.zeros(0, dtype=np.int64)
    times = operations.arrivals.until(rng, horizon_s, operations.arrivals_from_s)
    weight = np.array([model.weight for model in operations.models])
    if weight.sum() <= 0.0:
        raise PipelineError("a model of weight above 0 to draw", "none", "raise a weight")
    return times, rng.choice(len(weight), size=len(times), p=weight / weight.sum())


def simulate(
    operations: Operations,
    horizon_s: float,
    seed: int = 0,
    *,
    times: Array | None = None,
    models: Array | None = None,
) -> History:
    """Simulate operations from time 0 to a horizon.

    Args:
        horizon_s: end of the simulation, s.
        seed: seed of all draws. Disciplines that are compared on one seed have the same requests
            from outside, the same data and durations run by run, and the same drift.
        times: times of requests from outside instead of `operations.arrivals`, s.
        models: the model of each of these requests; None: drawn uniformly.

    Raises:
        PipelineError: the horizon is out of range, or a request names no model.
    """
    from panda_gym.pipelines.kernel import BEGIN

    first, second = np.random.SeedSequence([check_seed(seed), 8]).spawn(2)
    rng = np.random.default_rng(first)
    if times is None:
        times, models = requests(operations, horizon_s, rng)
    times = np.asarray(times, dtype=np.float64)
    if models is None:
        models = rng.integers(len(operations.models), size=len(times))
    models = _check(times, np.asarray(models), len(operations.models))
    plan = operations_arrays(operations, horizon_s, np.random.default_rng(second), models)
    rows = np.arange(len(times), dtype=np.int32)
    state = make_state(plan, arrival_records(times, models, rows)[None], len(times) + 64)
    state.run["seed"] = first.generate_state(1, np.uint64)
    state, _, _ = drive(plan, state, np.full(1, BEGIN, np.int8), np.zeros(1, np.int64))
    return history_of(operations, plan, state, 0)


def _check(times: Array, models: Array, count: int) -> Array:
    if times.ndim != 1 or times.shape != models.shape or not np.isfinite(times).all():
        raise PipelineError(
            "finite times and a model for each", f"{times.shape}, {models.shape}", "pass as many"
        )
    if (np.diff(times) < 0).any() or (len(times) and times[0] < 0):
        raise PipelineError("times >= 0 in order", "others", "sort them")
    if models.dtype.kind not in "iu" or (
        len(models) and not 0 <= models.min() <= models.max() < count
    ):
        raise PipelineError(f"models as numbers below {count}", "others", "correct them")
    return models.astype(np.int64)


def drive(
    plan: OperationsArrays, state: State, todo: Array, actions: Array
) -> tuple[State, Array, Array]:
    """Proceed with every simulation, growing arrays as needed.

    Return the state, answers int8[E] and illegal int8[E].
    """
    from panda_gym.pipelines.kernel import AGAIN, GO_ON, GROW, SKIP, proceed

    answers, illegal = np.full(len(todo), -1, np.int8), np.zeros(len(todo), np.int8)
    todo = todo.copy()
    while True:
        proceed(plan, state, todo, actions, answers, illegal)
        short = ((answers == GROW) | (answers == AGAIN)) & (todo != SKIP)
        if not short.any():
            return state, answers, illegal
        state = grown(plan, state)
        again = np.where(answers == AGAIN, todo, GO_ON)
        todo = np.where(short, again, SKIP).astype(np.int8)


def history_of(operations: Operations, plan: OperationsArrays, state: State, e: int) -> History:
    """Return the history of simulation e so far."""
    run: Any = state.run[e]
    runs = state.runs[e, : run["runs"]].copy()
    return History(
        operations,
        float(plan.general[0]["horizon"]),
        runs,
        state.tasks[e, : run["tasks"]].copy(),
        state.models[e].copy(),
        state.metrics[e].copy(),
        float(run["read"]),
        float(run["written"]),
        float(run["cost"]),
        plan.asset[runs["row"]],
    )
