"""E grids of one scenario: the batch behind every interface of the placement environments."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from gymnasium import spaces

from panda_gym.credit import CreditRecorder, Objective, Settled, find_objective
from panda_gym.deprecated import old_names
from panda_gym.environments.base.batch import Batch as BaseBatch
from panda_gym.environments.base.batch import Seeded
from panda_gym.environments.base.features import position
from panda_gym.environments.base.ranking import Ranking, order_of, sizes_of
from panda_gym.environments.base.spaces import box
from panda_gym.environments.base.thread_pool import ThreadPool
from panda_gym.environments.placement import cost, reward
from panda_gym.environments.placement.observation import GRID_FEATURES, JOB_FEATURES, SITE_FEATURES
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.episode_log import Journal, check_level, event_capacity
from panda_gym.errors import SettingError
from panda_gym.jobs import episode, mean_residual_cores
from panda_gym.jobs.episode import noise
from panda_gym.simulator import Encoding, EpisodeLog, Simulator
from panda_gym.sites import Electricity

Array = np.ndarray
INFO: Final[Mapping[str, tuple[str, str]]] = {
    "cost": ("float", "sum of the costs of the step"),
    "costs": ("dict of float", "every cost by name"),
    "elapsed_s": ("float", "time from the decision to the next one, s; 0 after reset"),
    "reward_pred": ("float", "reward `predicted` of the step, whatever reward is paid"),
    "reward_true": ("float", "reward `true` of the step, whatever reward is paid"),
    "site": ("int", "site of the last job that was placed; -1: none or deferred"),
    "time_s": ("float", "time since the episode's start, s"),
}
"""Key of `info` to type and meaning: what `PlacementBatch.report` returns."""


def encoding() -> Encoding:
    """Return the scales of the tables of features."""
    return Encoding.of(SITE_FEATURES, JOB_FEATURES, GRID_FEATURES)


class PlacementBatch(BaseBatch):
    """E grids of one scenario, each with its own seed; arrays are rewritten by each step.

    log, log_level: where and how much is kept of every episode, see `panda_gym.episode_log`.
    policy: name of the policy that a log states.
    threads: number of threads that share the grids; the results are the same.
    objective: what `settled` charges decisions with, see `panda_gym.credit.OBJECTIVES`; None: no
    decision is recorded.
    """

    info_keys = tuple(INFO)
    axes = {"sites": ("sites",)}  # noqa: RUF012
    flat_order = ("sites", "job", "grid")

    def __init__(
        self,
        scenario: Scenario,
        num_envs: int,
        observation: str = "dict",
        *,
        ranked: bool = False,
        log: str | Path | None = None,
        log_level: str = "jobs",
        policy: str | None = None,
        threads: int = 1,
        objective: str | Objective | None = None,
    ) -> None:
        super().__init__(num_envs, observation, ranked, threads)
        self.scenario, self.lead = scenario, int(scenario.decisions > 1)
        self.reward = reward.create(scenario.reward)
        self.costs = cost.functions(scenario.costs)
        self.platform, self.stream = scenario.open_platform(), scenario.open_stream()
        if self.stream.cores.max() > self.platform.cores.max():
            raise SettingError(
                f"jobs of at most {self.platform.cores.max()} cores, which some site has",
                f"one of {self.stream.cores.max()} in stream {self.stream.name!r}",
                self._room(),
            )
        settings = scenario.settings()
        load = settings.competing
        self.competing_mean = 0.0
        if load is not None:
            sites = self.platform
            self.competing_mean = load.mean_share(sites.cores, sites.power, self.stream.cores)
        self.running = self._running(scenario)
        if log is not None and log_level == "events" and settings.events == 0:
            rows = self._rows(scenario, self.running) * settings.attempts
            settings = replace(settings, events=event_capacity(rows))
        self.capacity = self._rows(scenario, self.running)
        self.simulator = Simulator(
            self.platform,
            batch=num_envs,
            capacity=self.capacity,
            encoding=encoding(),
            settings=settings,
        )
        self._views = self._parts()
        self.electricity: Electricity | None = None
        if set(cost.ELECTRICITY) & set(self.costs):
            self.electricity = Electricity.of(self.platform.region)
        self.elapsed = np.zeros(num_envs)
        """Time from the last decision to the next one, float64[E], s; replaced by each step."""
        if scenario.decisions > 1 or scenario.data_actions:
            self.action_shape = (num_envs, scenario.decisions + scenario.data_actions)
        self.recorder: CreditRecorder | None = None
        if objective is not None:
            self.recorder = CreditRecorder(self.simulator, find_objective(objective))
        self.journal: Journal | None = None
        check_level(log_level)
        if log is not None and log_level != "none":
            self.journal = Journal(
                self.simulator,
                self.stream,
                log,
                level=log_level,
                policy=policy,
                settings=vars(scenario),
            )

    def _room(self) -> str:
        """Say at which scale the largest job has room, or that no scale has it."""
        needed, full = self.stream.cores.max(), replace(self.scenario, scale=1.0).open_platform()
        for scale in np.arange(1, 1001) / 1000.0:
            if full.cores.max() * scale + 1 > needed and full.scaled(scale).cores.max() >= needed:
                return f"pass scale={scale:g} or more, or another platform"
        return "raise scale= beyond 1 or take another platform"

    def _parts(self) -> dict[str, Array]:
        """Return the parts of the observation: views of the array that the simulator writes."""
        n = len(SITE_FEATURES) * len(self.platform)
        flat = self.simulator.flat
        return {
            "sites": flat[..., :n].reshape(*flat.shape[:-1], len(SITE_FEATURES), -1),
            "job": flat[..., n : n + len(JOB_FEATURES)],
            "grid": flat[..., n + len(JOB_FEATURES) :],
            "action_mask": self.simulator.mask,
        }

    def __getstate__(self) -> dict[str, Any]:
        """Return all but threads and views, which a copy makes anew; SettingError if it logs."""
        if self.journal is not None:
            do = "make one without log= for what is to be copied or pickled"
            raise SettingError("an environment that writes no log", "one that does", do)
        kept = {k: v for k, v in vars(self).items() if k not in ("pool", "_views", "on_end")}
        kept["recorder"] = copy.deepcopy(self.recorder)
        return kept | {"threads": self.pool.threads, "started": self.started.copy()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        pool = ThreadPool(state.pop("threads"))
        vars(self).update(state, pool=pool, on_end=None)
        self._views = self._parts()

    def fork(self, seed: int) -> PlacementBatch:
        """Return a copy with the same observed past and fresh draws for all that is unseen.

        A copy by `copy.deepcopy` also carries the future: a planner that steps it foretells. True
        workloads follow the errors of the stream's predictions. Same seed, same fork.
        """
        aside = copy.deepcopy(self)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = self.stream.workload_true / self.stream.workload_pred
        ratios = ratios[np.isfinite(ratios) & (ratios > 0.0)]
        still = self.stream.wall_times  # recorded run times have no noise
        factors = np.ones(1) if still else noise((np.arange(999) + 0.5) / 999.0)
        aside.simulator = self.simulator.fork(seed, ratios, factors)
        aside._views = aside._parts()
        return aside

    def __deepcopy__(self, memo: dict[int, Any]) -> PlacementBatch:
        """Return a batch in the same state; what never changes is shared."""
        aside = object.__new__(PlacementBatch)
        aside.__setstate__(self.__getstate__() | {"simulator": self.simulator.copy()})
        return aside

    @property
    def terminated(self) -> Array:
        """Never: an episode is a fixed number of jobs, bool[E]."""
        return np.zeros(len(self), dtype=bool)

    @property
    def truncated(self) -> Array:
        """Whether all jobs of an episode are placed, bool[E]."""
        return self.simulator.done

    @property
    def parts(self) -> dict[str, Array]:
        """Parts of the observations of all grids: views that the next step rewrites."""
        return dict(self._views)

    @property
    def space(self) -> spaces.Dict:
        """Space of the parts of one grid's observation."""
        many = self.scenario.decisions
        lead = (many,) if many > 1 else ()
        parts = {
            "sites": box(SITE_FEATURES, len(self.platform), lead=lead),
            "job": box(JOB_FEATURES, lead=lead),
            "grid": box(GRID_FEATURES, lead=lead),
        }
        mask = self._views["action_mask"].shape[1:]
        size = mask if many > 1 else mask[0]
        return spaces.Dict({**parts, "action_mask": spaces.MultiBinary(size)})

    def action_space(self) -> spaces.Space:
        """Space of one grid's action, see `PlacementEnv`."""
        n, scenario = len(self.platform), self.scenario
        places = n + scenario.defer
        if scenario.data_actions:
            return spaces.MultiDiscrete([places, 1 + 2 * n])
        if scenario.decisions > 1:
            return spaces.MultiDiscrete([places] * scenario.decisions)
        return spaces.Discrete(places)

    def rank(self) -> Ranking:
        """Order the sites by expected completion: transfer, wait and run."""
        view, sites = self._views["sites"], len(self.platform)
        cost = np.zeros((*view.shape[:-2], sites))
        for name in ("transfer", "wait", "run"):
            row = position(SITE_FEATURES, name)
            cost += SITE_FEATURES[row].decode(view[..., row, :])
        order = order_of(cost, self._views["action_mask"][..., :sites] > 0)
        rest = [np.full((*order.shape[:-1], 1), sites)] if self.scenario.defer else []
        if self.scenario.data_actions:
            rest += [np.zeros_like(order[..., :1]), 1 + order, 1 + sites + order]
        actions = np.concatenate([order, *rest], axis=-1).reshape(len(self), -1)
        return Ranking({"sites": order}, actions, sizes_of(self.action_space()))

    def offer(self, load: float | None) -> None:
        """Offer another load from the next episode on.

        SettingError where that begins with more residual jobs than the batch was made for.
        """
        scenario = replace(self.scenario, load=load)
        running = self._running(scenario)
        if self._rows(scenario, running) > self.capacity:
            raise SettingError("no higher load than at first", f"{load}", "begin with the highest")
        self.scenario, self.running = scenario, running

    @staticmethod
    def _rows(scenario: Scenario, running: int) -> int:
        """Jobs of an episode."""
        return running + scenario.warmup + scenario.jobs + (scenario.tail_jobs or 0)

    def _running(self, scenario: Scenario) -> int:
        """Residual jobs at the start; none where times are as recorded, unless asked for."""
        if scenario.running is not None or scenario.load is None:
            return scenario.running or 0
        busy = min(scenario.load, 1.0) * (1.0 - self.competing_mean) * self.platform.cores.sum()
        return round(float(busy) / mean_residual_cores(self.stream))

    def _begin(self, episodes: Sequence[Seeded]) -> None:
        """Draw an episode for each of the given grids and run its warm start.

        With several threads one draws while the others run the warm starts of what is drawn.
        """
        scenario = self.scenario
        load = None if scenario.load is None else scenario.load * scenario.efficiency
        anomaly = scenario.disturbance()
        begun = []
        for e, generator in episodes:
            if self.recorder is not None and self.started[e]:
                self.recorder.begin(self.simulator, e)
            seed = int(generator.integers(2**63))
            drawn = episode(
                self.stream,
                self.platform,
                jobs=scenario.jobs,
                warmup=scenario.warmup,
                running=self.running,
                load=load,
                competing_mean=self.competing_mean,
                seed=seed,
                anomaly=anomaly,
                start=scenario.start,
                efficiency=scenario.efficiency,
                tail=scenario.tail_jobs,
            )
            self.simulator.load(e, drawn, seed)
            self.pool.submit(self.simulator.begin, e, e + 1)
            begun.append((e, seed))
        self.pool.wait()
        self.elapsed = self.elapsed.copy()
        self.elapsed[[e for e, _ in begun]] = 0.0
        if self.journal is not None:
            for e, seed in begun:
                self.journal.begin(e, seed)

    def _advance(self, actions: Array, which: Array | None) -> None:
        if self.recorder is not None:
            self.recorder.record(self.simulator, which)
        rows = None if self.journal is None else self.journal.rows()
        before = self.simulator.clock
        cores = None if self.electricity is None else self._cores()
        if which is None or self.simulator.done[~which].all():  # those take no step
            self.pool.share(len(self), lambda a, b: self.simulator.step(actions, a, b))
        else:
            for e in np.flatnonzero(which).tolist():
                self.simulator.step(actions, e, e + 1)
        if cores is not None:
            self._consume(cores, before, slice(None) if which is None else which)
        elapsed = self.simulator.clock - before
        self.elapsed = elapsed if which is None else np.where(which, elapsed, self.elapsed)
        if self.journal is not None and rows is not None:
            self.journal.step(rows, self.rewards(), self._report(None))

    def _cores(self) -> Array:
        """Return the cores of the jobs at hand, int64[E] or [E, K]."""
        row = position(JOB_FEATURES, "cores")
        return np.rint(JOB_FEATURES[row].decode(self.parts["job"][..., row])).astype(np.int64)

    def _consume(self, cores: Array, clock: Array, which: Array | slice) -> None:
        """Write energy and emissions of the placed jobs into the outcomes of the grids `which`.

        cores: of the jobs, int64[E] or [E, K]. clock: time of the decision, float64[E], s.
        """
        electricity, outcome = self.electricity, self.simulator.outcome
        assert electricity is not None
        site, runs = outcome["site"], outcome["run_true"]
        midnight = np.array([self.simulator.week_time(e) for e in range(len(self))])
        since = (clock + midnight).reshape(-1, *(1,) * (site.ndim - 1))
        start = since + outcome["transfer"] + outcome["wait_true"]
        placed = (site >= 0) & (outcome["deferred"] == 0)
        at, held = np.maximum(site, 0), np.where(placed, runs, 0.0)
        energy = electricity.energy_kwh(at, cores, held)
        carbon = electricity.carbon_kg(at, cores, start, start + held)
        outcome["energy_kwh"][which] = energy[which]
        outcome["carbon_kg"][which] = carbon[which]

    def _flat(self, copy: bool) -> Array:
        return self.simulator.flat.copy() if copy else self.simulator.flat

    def rewards(self) -> Array:
        """Reward of the last decision, float64[E]."""
        return self._total(self.reward(self.simulator.outcome, self.scenario.bound_s))

    def cost(self) -> Array:
        """Sum of the last decision's costs, float64[E]."""
        return self._sum(self._costs(self.simulator.outcome))

    def _costs(self, outcome: Array) -> dict[str, Array]:
        return {name: self._total(function(outcome)) for name, function in self.costs.items()}

    def _sum(self, costs: dict[str, Array]) -> Array:
        total = np.zeros_like(next(iter(costs.values())))
        for one in costs.values():
            total += one
        return total

    def _total(self, values: Array) -> Array:
        """One number a grid: the sum over its decisions."""
        return values if values.ndim == 1 else values.sum(axis=1)

    def _report(self, rewards: Array | None) -> dict[str, Any]:
        """Return the entries of `info`, each float64[E] or int64[E]."""
        return self._entries(self.simulator.outcome, self._times(), rewards)

    def paid(self, outcome: Array) -> dict[str, Array]:
        """Return `reward_pred`, `reward_true` and `cost` of outcomes, as `report` does, float64[n].

        outcome: those of n decisions, of any grids, OUTCOME[n] or [n, K].
        """
        bound = self.scenario.bound_s
        return {
            "cost": self._sum(self._costs(outcome)),
            "reward_pred": self._total(reward.predicted(outcome, bound)),
            "reward_true": self._total(reward.true(outcome, bound)),
        }

    def _report_later(self, rewards: Array) -> Callable[[], dict[str, Any]]:
        now = self.simulator.outcome
        outcome = np.frombuffer(now.tobytes(), now.dtype).reshape(now.shape)
        times = self._times()
        return lambda: self._entries(outcome, times, rewards)

    def _times(self) -> tuple[Array, Array]:
        """Return time since the last decision and since the episode's start, float64[E] each, s."""
        return self.elapsed, self.simulator.clock

    def _entries(
        self, outcome: Array, times: tuple[Array, Array], rewards: Array | None
    ) -> dict[str, Any]:
        bound, costs = self.scenario.bound_s, self._costs(outcome)
        if rewards is not None and self.scenario.reward == "predicted":
            expected = rewards.copy()
        else:
            expected = self._total(reward.predicted(outcome, bound))
        return {
            "cost": self._sum(costs),
            "costs": costs,
            "elapsed_s": times[0].copy(),
            "reward_pred": expected,
            "reward_true": self._total(reward.true(outcome, bound)),
            "site": (outcome["site"] if outcome.ndim == 1 else outcome["site"][:, -1]).copy(),
            "time_s": times[1].copy(),
        }

    def settled(self) -> Settled:
        """Return the decisions settled since the last call, each once; see `Settled`.

        SettingError without an objective.
        """
        if self.recorder is None:
            do = 'make it with objective="ln_slowdown"'
            raise SettingError("an environment with an objective", "one without", do)
        for e in np.flatnonzero(self.started & self.done).tolist():
            self.recorder.settle(self.simulator, e)
        return self.recorder.take()

    def log(self, e: int, drain: bool = True) -> EpisodeLog:
        """The jobs of grid e; `drain` first lets all placed jobs end."""
        if not self.started[e]:
            raise SettingError("an episode", "a log before reset()", "call reset()")
        if drain:
            self.simulator.drain(e)
        return self.simulator.log(e)


__getattr__ = old_names(__name__)
