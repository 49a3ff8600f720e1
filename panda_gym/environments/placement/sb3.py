"""The placement environment as a stable-baselines3 VecEnv on one kernel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv

from panda_gym.environments.base.autoreset import spread_seeds
from panda_gym.environments.base.info import one_info
from panda_gym.environments.base.lazy_info import TRUNCATED, LazyInfo, StepInfo
from panda_gym.environments.base.settings import check_options
from panda_gym.environments.placement.batch import INFO, PlacementBatch
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.errors import SettingError
from panda_gym.simulator import EpisodeLog

Array = np.ndarray


class PlacementVecEnv(VecEnv):
    """E grids side by side. Keywords are the fields of
    `panda_gym.environments.placement.scenario.Scenario`.

    Rewards are float32 [E], as stable-baselines3 has them. `threads` share the grids; results are
    the same. Two settings are for speed:
    copy=False makes observations views that the next step rewrites (not for the library's learners,
    which store an observation after the step that follows it), and info="cost" leaves only
    the cost in the dictionaries of a step, which otherwise are filled when they are read
    (`panda_gym.environments.base.lazy_info`).
    """

    metadata = {"render_modes": ["ansi"]}  # noqa: RUF012

    def __init__(
        self,
        num_envs: int = 1,
        *,
        observation: str = "dict",
        copy: bool = True,
        info: str = "full",
        seed: int | None = None,
        threads: int = 1,
        **settings: Any,
    ) -> None:
        if info not in ("full", "cost"):
            raise SettingError("info 'full' or 'cost'", repr(info), "choose one")
        self.batch = PlacementBatch(Scenario.of(**settings), num_envs, observation, threads=threads)
        self._full = info == "full"
        self.copy, self._actions = copy, np.zeros(num_envs, dtype=np.int64)
        self._attributes: dict[str, list[Any]] = {"render_mode": [None] * num_envs}
        self._generators = [np.random.default_rng() for _ in range(num_envs)]
        super().__init__(num_envs, self.batch.observation_space(), self.batch.action_space())
        if seed is not None:
            self.seed(seed)

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Seed the next reset; grid e gets seed + e."""
        self._seeds = spread_seeds(seed, self.num_envs)
        return self._seeds

    def reset(self) -> Any:
        """Start an episode in every grid; SettingError for options, of which none are known."""
        for options in self._options:
            check_options(options)
        for e, one in enumerate(self._seeds):
            if one is not None:
                self._generators[e] = np.random.default_rng(one)
        self.batch.begin(enumerate(self._generators))
        report = self.batch.report()
        self.reset_infos = [one_info(report, e) for e in range(self.num_envs)]
        self._reset_seeds()
        self._reset_options()
        return self.batch.observe(self.copy)

    def step_async(self, actions: Array) -> None:
        """Remember the actions, int[E]."""
        self._actions = self.batch.check_actions(actions)

    def step_wait(self) -> tuple[Any, Array, Array, list[dict[str, Any]]]:
        """Place one job in every grid; grids whose episode ends are reset in the same step."""
        batch = self.batch
        batch.step(self._actions)
        rewards, done = batch.rewards(), batch.done
        infos = self._infos(rewards)
        if done.any():
            ended = np.flatnonzero(done).tolist()
            for e in ended:
                infos[e]["terminal_observation"] = batch.observe_one(e)
                infos[e][TRUNCATED] = True
            batch.begin((e, self._generators[e]) for e in ended)
            fresh = batch.report()
            for e in ended:
                self.reset_infos[e] = one_info(fresh, e)
        return batch.observe(self.copy), rewards.astype(np.float32), done, infos

    def _infos(self, rewards: Array) -> list[dict[str, Any]]:
        if not self._full:
            return [{"cost": one} for one in self.batch.cost().tolist()]
        step = StepInfo(INFO, self.batch.report_later(rewards))
        return [LazyInfo(step, e) for e in range(self.num_envs)]

    def close(self) -> None:
        """End the threads; a closed environment takes no further step."""
        self.batch.close()

    def action_masks(self) -> Array:
        """Which actions are legal, bool[E, A]; of several dimensions, one after the other."""
        return self.batch.masks()

    def episode_log(self, e: int, drain: bool = True) -> EpisodeLog:
        """The jobs of grid e; with `drain`, after all placed jobs have ended."""
        return self.batch.log(e, drain)

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of each of the grids meant."""
        which = list(self._get_indices(indices))
        if attr_name == "action_masks":  # SB3 looks for it to learn whether masks exist
            return [self._mask_of(e) for e in which]
        if attr_name in self._attributes:
            return [self._attributes[attr_name][e] for e in which]
        if attr_name.startswith("_") or not hasattr(self, attr_name):
            raise AttributeError(attr_name)
        return [getattr(self, attr_name)] * len(which)

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Keep a value for each of the grids meant."""
        held = self._attributes.setdefault(attr_name, [None] * self.num_envs)
        for e in self._get_indices(indices):
            held[e] = value

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call `action_masks` or `episode_log` for each of the grids meant."""
        which: Iterable[int] = self._get_indices(indices)
        if method_name == "action_masks":
            return list(self.action_masks()[list(which)])
        if method_name == "episode_log":
            return [self.episode_log(e, *method_args, **method_kwargs) for e in which]
        raise SettingError(
            "a method of one grid", repr(method_name), "call action_masks or episode_log"
        )

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        """No grid is wrapped."""
        return [False for _ in self._get_indices(indices)]

    def _mask_of(self, e: int) -> Any:
        return lambda: self.batch.masks()[e]


def sb3_vec_env(num_envs: int = 1, **settings: Any) -> PlacementVecEnv:
    """A stable-baselines3 VecEnv of `num_envs` grids; keywords as in PlacementVecEnv."""
    return PlacementVecEnv(num_envs, **settings)
