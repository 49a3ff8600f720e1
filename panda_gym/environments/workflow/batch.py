"""E running workflows of one scenario: the batch behind the workflow environments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from gymnasium import spaces

from panda_gym.environments.base.batch import Batch, Seeded
from panda_gym.environments.base.features import position, scales
from panda_gym.environments.base.ranking import Ranking, order_of
from panda_gym.environments.base.spaces import box
from panda_gym.environments.workflow.cost import COSTS
from panda_gym.environments.workflow.fork import fork
from panda_gym.environments.workflow.library import Library, widened
from panda_gym.environments.workflow.observation import PAIR_FEATURES, SET_FEATURES, tables_of
from panda_gym.environments.workflow.reward import REWARDS
from panda_gym.environments.workflow.scenario import WorkflowScenario
from panda_gym.episode_log.tables import table_journal
from panda_gym.errors import SettingError
from panda_gym.provenance import plain
from panda_gym.sites import Platform
from panda_gym.workflows.decisions import (
    BEGIN,
    GRAPH_ROWS,
    PAIR_ROWS,
    PLAN_ROWS,
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
from panda_gym.workflows.kernel_arrays import machine_arrays
from panda_gym.workflows.random_graphs import random_workflow
from panda_gym.workflows.residual import Residual, make_residual
from panda_gym.workflows.state import State, make_state
from panda_gym.workflows.workflow import Workflow

Array = np.ndarray

INFO: Final[Mapping[str, tuple[str, str]]] = {
    "clock_s": ("float", "time since the execution's start, s"),
    "elapsed_s": ("float", "time from the decision to the next one, s; 0 after reset"),
    "t_seq_s": ("float", "sequential time to execution of the workflow, s"),
    "reward_work": ("float", "reward `work` of the step, whatever reward is paid"),
    "reward_makespan": ("float", "reward `makespan` of the step, whatever reward is paid"),
    "decisions": ("int", "decisions taken so far"),
    "cost": ("float", "sum of the costs of the step"),
    "costs": ("dict of float", "every cost by name"),
}
"""Key of `info` to type and meaning: what `WorkflowBatch.report` returns."""


def encoding() -> Scales:
    """Scales of the tables of features, which name the kernel's rows in order."""
    rows = (SET_ROWS, GRAPH_ROWS, SITE_ROWS, PAIR_ROWS + PLAN_ROWS)
    tables = zip(tables_of(True).values(), rows, strict=True)
    return Scales(*(scales(table, names, np.float64) for table, names in tables))


class WorkflowBatch(Batch):
    """E executions of one scenario; arrays are rewritten by each step."""

    info_keys = tuple(INFO)
    axes = {"sets": ("sets",), "sites": ("sites",), "pairs": ("sets", "sites")}  # noqa: RUF012
    flat_order = ("graph", "pairs", "sets", "sites")

    def __init__(
        self,
        scenario: WorkflowScenario,
        num_envs: int,
        observation: str = "dict",
        *,
        ranked: bool = False,
        log: str | Path | None = None,
        log_level: str = "jobs",
    ) -> None:
        super().__init__(num_envs, observation, ranked)
        self.journal = table_journal(num_envs, log, log_level)
        self.scenario = scenario
        self.resource = scenario.open_platform()
        shape = scenario.fresh_shape
        flows = scenario.open_library()
        self.library = Library(
            flows if shape is None else flows * self.num_envs, self.resource, scenario
        )
        home = scenario.home if isinstance(self.resource, Platform) else None
        self._machine = machine_arrays(self.resource, scenario.overheads, home=home)
        self._scales = encoding()
        self._state, self._residual = self._make_state()
        self.view = self._make_view()
        self._space = self._dict_space()
        self.which = np.zeros(self.num_envs, dtype=np.int64)
        self.illegal = np.zeros(self.num_envs, dtype=np.int64)
        """Whether the last action was illegal, int64[E]."""

    def _make_state(self) -> tuple[State, Residual]:
        """Return zeroed arrays as wide as the library's."""
        closures, nodes = self.library.closures, len(self._machine.nodes)
        return (
            make_state(self.library.plan, self._machine, self.num_envs),
            make_residual(closures, self.num_envs, nodes),
        )

    def _make_view(self) -> ObservationArrays:
        envs, slots, sites = self.num_envs, int(self.scenario.slots), len(self._machine.slowness)
        sets = self.library.plan.sets.shape[1] - 1
        pairs = len(tables_of(self.scenario.plan is not None)["pairs"])
        return ObservationArrays(
            np.zeros((envs, len(SET_ROWS), slots), np.float32),
            np.zeros((envs, len(GRAPH_ROWS)), np.float32),
            np.zeros((envs, len(SITE_ROWS), sites), np.float32),
            np.zeros((envs, pairs, slots, sites), np.float32),
            np.zeros((envs, slots * sites + 1), np.int8),
            np.zeros(envs, STEP_COUNTERS),
            np.zeros((envs, sets, sites), np.float32),
        )

    @property
    def actions(self) -> int:
        """Number of actions: slots x sites, and hold."""
        return int(self.view.mask.shape[1])

    @property
    def terminated(self) -> Array:
        """Whether all tasks of an execution have ended, bool[E]."""
        return self.view.counters["done"].astype(bool)

    @property
    def truncated(self) -> Array:
        """Never: a workflow is run to its end, bool[E]."""
        return np.zeros(self.num_envs, dtype=bool)

    @property
    def space(self) -> spaces.Dict:
        """Space of the parts of one execution's observation."""
        return self._space

    def _dict_space(self) -> spaces.Dict:
        slots, sites = self.view.pairs.shape[2:]
        axes = {"sets": (slots,), "graph": (), "sites": (sites,), "pairs": (slots, sites)}
        parts: dict[str, spaces.Space] = {
            name: box(table, *axes[name])
            for name, table in tables_of(self.scenario.plan is not None).items()
        }
        return spaces.Dict({**parts, "action_mask": spaces.MultiBinary(self.actions)})

    def action_space(self) -> spaces.Discrete:
        """Space of one execution's action: slot x sites + site, and at last hold."""
        return spaces.Discrete(self.actions)

    def rank(self) -> Ranking:
        """Order sets by upward rank, then sites by the earliest finish of the first set."""
        view, rows = self.view, np.arange(self.num_envs)
        slots, sites = view.pairs.shape[2:]
        legal = view.mask[:, :-1].reshape(-1, slots, sites) > 0
        sets = order_of(-view.sets[:, position(SET_FEATURES, "rank")], legal.any(axis=2))
        first = sets[:, 0]
        finish = sum(
            feature.decode(view.pairs[rows, k, first]) for k, feature in enumerate(PAIR_FEATURES)
        )
        order = order_of(finish, legal[rows, first])
        pairs = (sets[:, :, None] * sites + order[:, None]).reshape(self.num_envs, -1)
        hold = np.full((self.num_envs, 1), slots * sites)
        actions = np.concatenate([pairs, hold], axis=1)
        return Ranking({"sets": sets, "sites": order}, actions, (self.actions,))

    def _begin(self, episodes: Sequence[Seeded]) -> None:
        """Draw a workflow and its durations for each of the given executions."""
        todo = np.full(self.num_envs, SKIP, dtype=np.int8)
        for e, rng in episodes:
            self.which[e], todo[e] = self._draw_workflow(e, rng), BEGIN
            if self.journal is not None:
                self.journal.begin(e)
            flow = self.workflow(e)
            self._state.tasks["duration"][e, : flow.total_tasks] = flow.draw(rng)
        self._proceed(todo, np.zeros(self.num_envs, dtype=np.int64))
        self.illegal[todo == BEGIN] = 0

    def _draw_workflow(self, e: int, rng: np.random.Generator) -> int:
        """Return the row of the library that execution e runs; it may be written anew."""
        shape = self.scenario.fresh_shape
        if shape is None:
            return int(rng.integers(len(self.library)))
        if self.library.put(e, random_workflow(shape, int(rng.integers(2**32)))):
            state, residual = self._make_state()
            self._state = widened(self._state, state)
            self._residual = widened(self._residual, residual)
            fresh = self._make_view()
            self.view = self.view._replace(delay=widened(self.view.delay, fresh.delay))
        return e

    def workflow(self, e: int) -> Workflow:
        """Return the workflow of execution e."""
        return self.library.flows[int(self.which[e])]

    def _advance(self, actions: Array, which: Array | None) -> None:
        todo = np.full(self.num_envs, STEP, dtype=np.int8)
        if which is not None:
            todo[~which] = SKIP
        before = self.view.counters["illegal"].copy()
        times = self._state.run["clock"].copy()
        legal = actions if self.ranking is None else self._best_for_illegal(actions, self.ranking)
        self._proceed(todo, legal)
        replaced = (legal != actions) & (todo == STEP)
        self.illegal = self.view.counters["illegal"] - before + replaced
        if self.journal is not None:
            self.journal.step(todo == STEP, times, actions, self.rewards(), self._report(None))
            for e in np.flatnonzero((todo == STEP) & self.done).tolist():
                self.journal.write(e, *self._tables(e))

    def _best_for_illegal(self, actions: Array, ranking: Ranking) -> Array:
        """Return own actions, illegal ones replaced by the first legal one in ranked order."""
        rows = np.arange(self.num_envs)
        best = ranking.actions[rows, np.argmax(ranking.mask(self.view.mask), axis=1)]
        inside = (actions >= 0) & (actions < self.actions)
        legal = inside & (self.view.mask[rows, np.where(inside, actions, 0)] > 0)
        return np.where(legal, actions, best)

    def _proceed(self, todo: Array, actions: Array) -> None:
        proceed(
            self.library.plan, self.library.closures, self.library.references, self._scales,
            self._machine, self._state, self._residual, self.view, self.which, todo, actions,
            1 if self.scenario.granularity == "task" else 0,
        )  # fmt: skip
        # Learners compute with the mask of the last observation, so that it may not be empty.
        self.view.mask[self.terminated, -1] = 1

    def rewards(self, name: str | None = None) -> Array:
        """Reward of the last step, float64[E], of the scenario's kind or of `name`."""
        reference = self._reference()
        return REWARDS[name or self.scenario.reward](self.view.counters, reference)

    @property
    def parts(self) -> dict[str, Array]:
        """Parts of the observations of all executions: views that the next step rewrites."""
        view = self.view
        return {
            "sets": view.sets, "graph": view.graph, "sites": view.sites, "pairs": view.pairs,
            "action_mask": view.mask,
        }  # fmt: skip

    def _report(self, rewards: Array | None) -> dict[str, Any]:
        """Return the entries of `info`, arrays [E]: both rewards, times, counts and costs."""
        counters, reference = self.view.counters, self._reference()
        costs = {name: cost(self.illegal) for name, cost in COSTS.items()}
        return {
            "clock_s": self._state.run["clock"].copy(),
            "elapsed_s": counters["elapsed"].copy(),
            "t_seq_s": reference["t_seq"].copy(),
            "reward_work": self.rewards("work"),
            "reward_makespan": self.rewards("makespan"),
            "decisions": counters["decisions"].copy(),
            "cost": sum(costs.values()),
            "costs": costs,
        }

    def fork(self, copies: int = 1) -> WorkflowBatch:
        """Return E x copies executions that stand where these do, for planning.

        The copies of an execution stand side by side; they can be stepped, not begun anew. Tasks
        that have not ended take their expected durations, so that a planner foretells nothing.
        """
        aside: WorkflowBatch = fork(self, copies)
        aside.rank_again()
        return aside

    def execution(self, e: int) -> Execution:
        """Execution e after its end; SettingError before."""
        if not self.done[e]:
            raise SettingError("an execution that has ended", "one that runs", "step it to its end")
        flow = self.workflow(e)
        ran = self._state.tasks[e, : flow.total_tasks]
        scenario = self.scenario
        return execution_of(flow, self.resource, scenario.mode, scenario.overheads, ran)

    def _tables(self, e: int) -> tuple[dict[str, Array], dict[str, Any]]:
        """Return the log of execution e, which has ended: a row a task, and its setting."""
        run, flow = self.execution(e), self.workflow(e)
        owner = flow.task_set()
        tasks = {
            "set": np.array(flow.ids)[owner],
            "kind": np.array(flow.kind_names)[flow.kind[owner]],
            "node": np.array(run.node_names)[run.node],
            "ready_s": self._state.tasks["ready"][e, : flow.total_tasks].copy(),
            "placed_s": run.placed,
            "start_s": run.start,
            "stop_s": run.stop,
        }
        about = {"workflow": flow.name, "t_seq_s": float(self._reference()["t_seq"][e])}
        named = {"environment": "PandaGrid/Workflow-v0", "settings": plain(vars(self.scenario))}
        return tasks, {**named, **about}

    def _reference(self) -> Array:
        """Return the reference values of every execution's workflow, REFERENCE[E]."""
        whole: Array = self.library.references.whole[self.which]
        return whole
