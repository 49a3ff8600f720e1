"""E fleets of one scenario: the batch behind the pipeline environments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from gymnasium import spaces

from panda_gym.environments.base.batch import Batch, Seeded
from panda_gym.environments.base.features import encode
from panda_gym.environments.base.ranking import Ranking, order_of
from panda_gym.environments.base.spaces import box
from panda_gym.environments.pipeline.cost import COSTS
from panda_gym.environments.pipeline.observation import (
    FLEET_FEATURES,
    MODEL_FEATURES,
    PLACE_FEATURES,
    TABLES,
    PipelineView,
)
from panda_gym.environments.pipeline.reward import REWARDS
from panda_gym.environments.pipeline.scenario import PipelineScenario
from panda_gym.environments.pipeline.worth import gain_rate, pays, place_cost
from panda_gym.episode_log.tables import table_journal
from panda_gym.pipelines.history import History
from panda_gym.pipelines.kernel import ACT, BEGIN, DONE, SKIP, measure
from panda_gym.pipelines.kernel_arrays import arrival_records, operations_arrays
from panda_gym.pipelines.simulation import drive, history_of, requests
from panda_gym.pipelines.state import make_state
from panda_gym.pipelines.triggers import REASONS
from panda_gym.provenance import plain
from panda_gym.units import BYTES_PER_MB, SECONDS_PER_DAY, SECONDS_PER_HOUR

Array = np.ndarray

NEVER = (np.inf, 0, -1)
"""A request that never comes: what fills the arrivals of shorter episodes."""

INFO: Final[Mapping[str, tuple[str, str]]] = {
    "clock_s": ("float", "time since the episode's start, s"),
    "elapsed_s": ("float", "time from the decision to the next one, s; 0 after reset"),
    "reward_lost": ("float", "reward `lost` of the step, whatever reward is paid"),
    "reward_net": ("float", "reward `net` of the step, whatever reward is paid"),
    "reward_quality": ("float", "reward `quality` of the step, whatever reward is paid"),
    "requests": ("int", "runs asked for so far"),
    "merged": ("int", "requests that joined one that already waited"),
    "runs": ("int", "runs started so far"),
    "ended": ("int", "runs that have ended"),
    "cost": ("float", "sum of the costs of the step"),
    "costs": ("dict of float", "every cost by name"),
}
"""Key of `info` to type and meaning: what `PipelineBatch.report` returns."""


class PipelineBatch(Batch):
    """E fleets of one scenario; the draws that a run may take are those of its fleet's seed."""

    info_keys = tuple(INFO)
    axes = {"models": ("models",), "places": ("places",)}  # noqa: RUF012
    flat_order = ("fleet", "models", "places")

    def __init__(
        self,
        scenario: PipelineScenario,
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
        self.operations = scenario.open()
        self.horizon_s = scenario.days * SECONDS_PER_DAY
        self.places = len(self.operations.clusters) - 1
        self._plan = operations_arrays(
            self.operations,
            self.horizon_s,
            np.random.default_rng([scenario.fleet.fleet_seed, 5]),
            agent_decides=True,
            review_s=scenario.review_hours * SECONDS_PER_HOUR,
            places=self.places,
        )
        empty = np.full((self.num_envs, 1), np.array(NEVER, self._arrival_type()))
        self._state = make_state(self._plan, empty, 256)
        models = len(self.operations.models)
        self._measured = np.zeros((self.num_envs, models, 5))
        self._before = np.zeros((3, self.num_envs))
        self._space = self._dict_space()
        self._over = np.zeros(self.num_envs, dtype=bool)
        self.illegal = np.zeros(self.num_envs)
        self.quality, self.price, self.elapsed = np.zeros((3, self.num_envs))

    @staticmethod
    def _arrival_type() -> np.dtype:
        return arrival_records(np.zeros(0), np.zeros(0), None).dtype

    @property
    def actions(self) -> int:
        """Number of actions: models x places, and defer."""
        return len(self.operations.models) * self.places + 1

    @property
    def terminated(self) -> Array:
        """Never: a fleet is operated until its horizon, bool[E]."""
        return np.zeros(self.num_envs, dtype=bool)

    @property
    def truncated(self) -> Array:
        """Whether the horizon is reached, bool[E]."""
        return self._over.copy()

    @property
    def space(self) -> spaces.Dict:
        """Space of the parts of one fleet's observation."""
        return self._space

    def _dict_space(self) -> spaces.Dict:
        axes = {"models": (len(self.operations.models),), "places": (self.places,), "fleet": ()}
        parts: dict[str, spaces.Space] = {
            name: box(table, *axes[name]) for name, table in TABLES.items()
        }
        return spaces.Dict({**parts, "action_mask": spaces.MultiBinary(self.actions)})

    def action_space(self) -> spaces.Discrete:
        """Space of one fleet's action: model x places + place, and at last defer."""
        return spaces.Discrete(self.actions)

    def rank(self) -> Ranking:
        """Order models by gain per hour of training, places by price and work at hand.

        Actions of a model whose run would not pay defer.
        """
        view, places = PipelineView(self.parts), self.places
        idle = view.legal.any(axis=2)
        models = order_of(-gain_rate(view), idle)
        cost = place_cost(view)
        order = order_of(cost, np.ones_like(cost, dtype=bool))
        pairs = models[:, :, None] * places + order[:, None]
        waste = np.take_along_axis(idle & ~pays(view), models, axis=1)
        pairs = np.where(waste[:, :, None], self.actions - 1, pairs).reshape(self.num_envs, -1)
        defer = np.full((self.num_envs, 1), self.actions - 1)
        actions = np.concatenate([pairs, defer], axis=1)
        return Ranking({"models": models, "places": order}, actions, (self.actions,))

    def _begin(self, episodes: Sequence[Seeded]) -> None:
        """Draw the requests of each of the given fleets and run to the first decision."""
        todo = np.full(self.num_envs, SKIP, dtype=np.int8)
        for e, rng in episodes:
            self._expect(e, arrival_records(*requests(self.operations, self.horizon_s, rng), None))
            self._state.run["seed"][e] = rng.integers(2**63)
            todo[e] = BEGIN
            if self.journal is not None:
                self.journal.begin(e)
        self._drive(todo, np.zeros(self.num_envs, dtype=np.int64))
        fresh = todo == BEGIN
        for passed in (self.quality, self.price, self.elapsed, self.illegal):
            passed[fresh] = 0.0

    def _expect(self, e: int, arrivals: Array) -> None:
        """Write the requests of a fleet; longer ones make room for all."""
        lack = len(arrivals) - self._state.arrivals.shape[1]
        if lack > 0:
            more = np.full((self.num_envs, lack), np.array(NEVER, arrivals.dtype))
            wider = np.concatenate([self._state.arrivals, more], axis=1)
            self._state = self._state._replace(arrivals=wider)
        self._state.arrivals[e] = np.array(NEVER, arrivals.dtype)
        self._state.arrivals[e, : len(arrivals)] = arrivals

    def _advance(self, actions: Array, which: Array | None) -> None:
        todo = np.full(self.num_envs, ACT, dtype=np.int8)
        if which is not None:
            todo[~which] = SKIP
        times = self._state.run["clock"].copy()
        self._drive(todo, actions)
        if self.journal is not None:
            self.journal.step(todo == ACT, times, actions, self.rewards(), self._report(None))
            for e in np.flatnonzero((todo == ACT) & self._over).tolist():
                self.journal.write(e, *self._tables(e))

    def _drive(self, todo: Array, actions: Array) -> None:
        self._state, answers, illegal = drive(self._plan, self._state, todo, actions)
        went = todo != SKIP
        self._over[went], self.illegal[went] = answers[went] == DONE, illegal[went]
        measure(self._plan, self._state, self._measured)
        weight = self._plan.models["weight"]
        # Not a matrix product: its rounding depends on how many fleets there are.
        quality = (self._measured[:, :, 3] * weight).sum(axis=1) / SECONDS_PER_HOUR
        run = self._state.run
        now = np.stack([quality, run["cost"], run["clock"]])
        last = self.quality, self.price, self.elapsed
        self.quality, self.price, self.elapsed = np.where(went, now - self._before, last)
        self._before = now

    def rewards(self, name: str | None = None) -> Array:
        """Reward of the last step, float64[E], of the scenario's kind or of `name`."""
        weight = self._plan.models["weight"].sum()
        most = weight * self.elapsed / SECONDS_PER_HOUR
        return REWARDS[name or self.scenario.reward](self.quality, self.price, most, weight)

    @property
    def parts(self) -> dict[str, Array]:
        """Parts of the observations of all fleets."""
        plan, state, now = self._plan, self._state, self._state.run["clock"][:, None]
        models, there = state.models, state.clusters[:, : self.places]
        fixed, places = plan.models, plan.clusters[: self.places]
        asked = models["pending"] >= 0
        running = models["active_runs"] > 0
        full = np.ones_like(there["free"], dtype=np.float64)
        seen = {
            "models": encode(
                MODEL_FEATURES,
                {
                    "performance": self._measured[:, :, 0],
                    "loss": self._measured[:, :, 1],
                    "potential": self._measured[:, :, 2],
                    "asked": asked,
                    "waiting": np.where(asked, now - models["asked"], 0.0) / SECONDS_PER_HOUR,
                    "running": running,
                    "age": (now - models["deployed"]) / SECONDS_PER_HOUR,
                    "weight": np.broadcast_to(fixed["weight"], asked.shape),
                    "train": np.broadcast_to(
                        plan.types["train_s"][fixed["type"]] / SECONDS_PER_HOUR, asked.shape
                    ),
                },
            ),
            "places": encode(
                PLACE_FEATURES,
                {
                    "free": there["free"] / places["slots"],
                    "queued": there["queued"],
                    "slots": places["slots"] * full,
                    "speed": places["speed"] * full,
                    "read": places["read"] / BYTES_PER_MB * full,
                    "price": places["cost"] * SECONDS_PER_HOUR * full,
                },
            ),
            "fleet": encode(
                FLEET_FEATURES,
                {
                    "elapsed": now[:, 0] / self.horizon_s,
                    "asked": asked.mean(axis=1),
                    "running": running.mean(axis=1),
                    "performance": (self._measured[:, :, 0] * fixed["weight"]).sum(axis=1)
                    / fixed["weight"].sum(),
                },
            ),
        }  # fmt: skip
        return {**seen, "action_mask": self.mask()}

    def mask(self) -> Array:
        """What may be done, int8[E, M * P + 1]: run a model that is not running; defer."""
        idle = (self._state.models["active_runs"] == 0).astype(np.int8)
        runs = np.repeat(idle, self.places, axis=1)
        return np.concatenate([runs, np.ones((self.num_envs, 1), np.int8)], axis=1)

    def _report(self, rewards: Array | None) -> dict[str, Any]:
        """Return the entries of `info`, arrays [E]: both rewards, time, counts and costs."""
        run = self._state.run
        costs = {name: cost(self.price, self.illegal) for name, cost in COSTS.items()}
        return {
            "clock_s": run["clock"].copy(),
            "elapsed_s": self.elapsed.copy(),
            "reward_lost": self.rewards("lost"),
            "reward_net": self.rewards("net"),
            "reward_quality": self.rewards("quality"),
            "requests": run["requests"].copy(),
            "merged": run["merged"].copy(),
            "runs": run["runs"].copy(),
            "ended": run["ended"].copy(),
            "cost": costs["compute"] + costs["illegal_action"],
            "costs": costs,
        }

    def history(self, e: int) -> History:
        """Fleet e so far, or after its end."""
        return history_of(self.operations, self._plan, self._state, e)

    def _tables(self, e: int) -> tuple[dict[str, Array], dict[str, Any]]:
        """Return the log of fleet e at its horizon: a row a task of a run, and its setting."""
        ran, operations = self.history(e), self.operations
        owner, models = ran.tasks["run_index"], ran.runs["model"]
        names = np.array([model.name for model in operations.models])
        of_run = {
            "model": names[models],
            "reason": np.array(REASONS)[ran.runs["reason"]],
            "requested_s": ran.runs["requested"],
            "launched_s": ran.runs["launched"],
            "ended_s": ran.runs["ended"],
            "deployed": ran.runs["deployed"].astype(bool),
        }
        tasks = {"run": owner, **{name: column[owner] for name, column in of_run.items()}}
        places = np.array([cluster.name for cluster in operations.clusters])
        tasks["cluster"] = places[ran.tasks["cluster"]]
        tasks |= {f"{name}_s": ran.tasks[name] for name in ("ready", "start", "end")}
        settings = plain(vars(self.scenario))
        return tasks, {"environment": "PandaGrid/Pipelines-v0", "settings": settings}
