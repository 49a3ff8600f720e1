"""E running workflows at once: what the single and the vector environment share.

Knows scenarios, seeds and rewards; knows no protocol.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from panda_gym.environments.workflow.observation import TABLES
from panda_gym.environments.workflow.scenario import WorkflowScenario, goals_of
from panda_gym.errors import SettingError
from panda_gym.sites import Platform
from panda_gym.workflows.decisions import (
    BEGIN,
    GRAPH_ROWS,
    PAIR_ROWS,
    SET_ROWS,
    SITE_ROWS,
    SKIP,
    STEP,
    STEP_COUNTERS,
    ObservationArrays,
    Scales,
    proceed,
)
from panda_gym.workflows.execution import Execution, execution_of
from panda_gym.workflows.kernel_arrays import machine_arrays, stack_workflows, workflow_arrays
from panda_gym.workflows.residual import closures_of, make_residual
from panda_gym.workflows.state import make_state

Array = np.ndarray


def scales() -> Scales:
    """The scales of the observation's tables, which must name the kernel's rows in order."""
    parts = []
    for table, rows in zip(
        TABLES.values(), (SET_ROWS, GRAPH_ROWS, SITE_ROWS, PAIR_ROWS), strict=True
    ):
        assert tuple(feature.name for feature in table) == rows, "tables and kernel disagree"
        parts.append(np.array([feature.scale for feature in table]))
    return Scales(*parts)


class WorkflowBatch:
    """E executions of one scenario; arrays are rewritten by each step."""

    def __init__(self, scenario: WorkflowScenario, num_envs: int) -> None:
        if isinstance(num_envs, bool) or not hasattr(num_envs, "__index__") or num_envs < 1:
            raise SettingError("at least one environment", repr(num_envs), "raise num_envs")
        self.scenario, self.num_envs = scenario, int(num_envs)
        self.resource = scenario.open_platform()
        self.library = scenario.open_library()
        home = scenario.home if isinstance(self.resource, Platform) else None
        self._machine = machine_arrays(self.resource, scenario.overheads, home=home)
        self._plan = stack_workflows(
            [workflow_arrays(flow, self.resource, scenario.mode) for flow in self.library]
        )
        self._shape = closures_of(self.library)
        self.references = goals_of(self.library, self.resource)
        self._scales = scales()
        self._state = make_state(self._plan, self._machine, self.num_envs)
        self._residual = make_residual(self._shape, self.num_envs)
        self.view = self._make_view()
        self.which = np.zeros(self.num_envs, dtype=np.int64)

    def _make_view(self) -> ObservationArrays:
        envs, slots, sites = self.num_envs, int(self.scenario.slots), len(self._machine.slowness)
        sets = self._plan.sets.shape[1] - 1
        return ObservationArrays(
            np.zeros((envs, len(SET_ROWS), slots), np.float32),
            np.zeros((envs, len(GRAPH_ROWS)), np.float32),
            np.zeros((envs, len(SITE_ROWS), sites), np.float32),
            np.zeros((envs, len(PAIR_ROWS), slots, sites), np.float32),
            np.zeros((envs, slots * sites + 1), np.int8),
            np.zeros(envs, STEP_COUNTERS),
            np.zeros((envs, sets, sites), np.float32),
        )

    @property
    def actions(self) -> int:
        """Number of actions: slots x sites, and hold."""
        return int(self.view.mask.shape[1])

    @property
    def done(self) -> Array:
        """Whether all tasks of an execution have ended, bool[E]."""
        return self.view.counters["done"].astype(bool)

    def begin(self, generators: Iterable[tuple[int, np.random.Generator]]) -> None:
        """Begin an episode in the given executions, all drawn from their own generators."""
        todo = np.full(self.num_envs, SKIP, dtype=np.int8)
        for e, rng in generators:
            w = int(rng.integers(len(self.library)))
            flow = self.library[w]
            self.which[e], todo[e] = w, BEGIN
            self._state.tasks["duration"][e, : flow.total_tasks] = flow.draw(rng)
        self._proceed(todo, np.zeros(self.num_envs, dtype=np.int64))

    def step(self, actions: Any) -> None:
        """One decision in every execution; an action outside the mask becomes a legal one."""
        chosen = np.asarray(actions)
        if chosen.shape != (self.num_envs,) or chosen.dtype.kind not in "iu":
            raise SettingError(
                f"{self.num_envs} whole numbers as actions",
                f"{chosen.dtype} of shape {chosen.shape}",
                "pass one action an environment",
            )
        self._proceed(np.full(self.num_envs, STEP, dtype=np.int8), chosen.astype(np.int64))

    def _proceed(self, todo: Array, actions: Array) -> None:
        proceed(
            self._plan, self._shape, self.references, self._scales, self._machine, self._state,
            self._residual, self.view, self.which, todo, actions,
            1 if self.scenario.granularity == "task" else 0,
        )  # fmt: skip

    def rewards(self, name: str | None = None) -> Array:
        """Reward of the last step, float64[E], of the scenario's kind or of `name`.

        work: minus the integral of unfinished work over (all work x t_seq). makespan: minus the
        time over t_seq, so that an episode's return is minus makespan / t_seq.
        """
        goal, counters = self.references.whole[self.which], self.view.counters
        if (name or self.scenario.reward) == "makespan":
            return -counters["elapsed"] / goal["t_seq"]
        return -counters["area"] / (goal["work"] * goal["t_seq"])

    def observe(self, copy: bool) -> dict[str, Array]:
        """Observation of all executions."""
        view = self.view
        parts = {
            "sets": view.sets, "graph": view.graph, "sites": view.sites, "pairs": view.pairs,
            "action_mask": view.mask,
        }  # fmt: skip
        return {name: part.copy() for name, part in parts.items()} if copy else parts

    def observe_one(self, e: int) -> dict[str, Array]:
        """Observation of one execution, copied."""
        return {name: part[e].copy() for name, part in self.observe(copy=False).items()}

    def report(self) -> dict[str, Any]:
        """What info says, arrays [E]: both rewards, times, and the cost of illegal decisions."""
        counters, goal = self.view.counters, self.references.whole[self.which]
        illegal = counters["illegal"].astype(np.float64)
        return {
            "clock_s": self._state.run["clock"].copy(),
            "t_seq_s": goal["t_seq"].copy(),
            "reward_work": self.rewards("work"),
            "reward_makespan": self.rewards("makespan"),
            "decisions": counters["decisions"].copy(),
            "cost": illegal,
            "costs": {"illegal": illegal.copy()},
        }

    def execution(self, e: int) -> Execution:
        """Execution e after its end; SettingError before."""
        if not self.done[e]:
            raise SettingError("an execution that has ended", "one that runs", "step it to its end")
        flow = self.library[self.which[e]]
        ran = self._state.tasks[e, : flow.total_tasks]
        scenario = self.scenario
        return execution_of(flow, self.resource, scenario.mode, scenario.overheads, ran)
