"""A batch as a stable-baselines3 VecEnv; the families derive their classes from it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv

from panda_gym.environments.base.autoreset import spread_seeds
from panda_gym.environments.base.batch import Batch
from panda_gym.environments.base.info import check_info, one_info
from panda_gym.environments.base.lazy_info import TRUNCATED, LazyInfo, StepInfo
from panda_gym.environments.base.settings import check_options
from panda_gym.errors import SettingError

Array = np.ndarray


class BatchVecEnv(VecEnv):
    """E episodes side by side, reset in the step that ends them.

    Each family gives its `make_batch`, which takes the other keywords. Rewards are float32 [E], as
    stable-baselines3 has them. Two settings are for speed: copy=False makes observations views
    that the next step rewrites (not for the library's learners, which store an observation after
    the step that follows it), and info="cost" leaves only the cost in the dictionaries of a step,
    which otherwise are filled when they are read (`panda_gym.environments.base.lazy_info`).

    SettingError for another `info`.
    """

    metadata = {"render_modes": ["ansi"]}  # noqa: RUF012
    methods: tuple[str, ...] = ()
    """Methods `f(e, ...)` of one episode that `env_method` calls, beside `action_masks`."""

    def __init__(
        self,
        num_envs: int = 1,
        *,
        observation: str = "dict",
        copy: bool = True,
        info: str = "full",
        seed: int | None = None,
        **settings: Any,
    ) -> None:
        self._full = check_info(info) == "full"
        self.batch = batch = self.make_batch(num_envs, observation, **settings)
        self.copy, self._actions = copy, np.zeros(batch.action_shape, dtype=np.int64)
        self._attributes: dict[str, list[Any]] = {"render_mode": [None] * len(batch)}
        self._generators = [np.random.default_rng() for _ in range(len(batch))]
        super().__init__(len(batch), batch.observation_space(), batch.action_space())
        if seed is not None:
            self.seed(seed)

    @staticmethod
    @abstractmethod
    def make_batch(num_envs: int, observation: str, **settings: Any) -> Batch:
        """Return a batch of `num_envs` episodes; settings: the keywords of the environment."""

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Seed the next reset; episode e gets seed + e."""
        self._seeds = spread_seeds(seed, self.num_envs)
        return self._seeds

    def reset(self) -> Any:
        """Begin an episode everywhere; SettingError for options, of which none are known."""
        asked = self._options
        self._reset_options()
        for options in asked:
            check_options(options)
        for e, one in enumerate(self._seeds):
            if one is not None:
                self._generators[e] = np.random.default_rng(one)
        self.batch.begin(enumerate(self._generators))
        report = self.batch.report()
        self.reset_infos = [one_info(report, e) for e in range(self.num_envs)]
        self._reset_seeds()
        return self.batch.observe(self.copy)

    def step_async(self, actions: Array) -> None:
        """Remember the actions, int[E]."""
        self._actions = self.batch.check_actions(actions)

    def step_wait(self) -> tuple[Any, Array, Array, list[dict[str, Any]]]:
        """Take one decision everywhere; episodes that end begin anew in the same step."""
        batch = self.batch
        batch.step(self._actions)
        rewards, done = batch.rewards(), batch.done
        infos = self._infos(rewards)
        if done.any():
            ended, cut = np.flatnonzero(done).tolist(), batch.truncated & ~batch.terminated
            for e in ended:
                infos[e]["terminal_observation"] = batch.observe_one(e)
                infos[e][TRUNCATED] = bool(cut[e])
            batch.begin((e, self._generators[e]) for e in ended)
            fresh = batch.report()
            for e in ended:
                self.reset_infos[e] = one_info(fresh, e)
        return batch.observe(self.copy), rewards.astype(np.float32), done, infos

    def _infos(self, rewards: Array) -> list[dict[str, Any]]:
        if not self._full:
            return [{"cost": one} for one in self.batch.cost().tolist()]
        step = StepInfo(self.batch.info_keys, self.batch.report_later(rewards))
        return [LazyInfo(step, e) for e in range(self.num_envs)]

    def close(self) -> None:
        """End the threads; a closed environment takes no further step."""
        self.batch.close()

    def action_masks(self) -> Array:
        """Which actions are legal, bool[E, A]; of several dimensions, one after the other."""
        return self.batch.masks()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of each of the episodes meant."""
        which = list(self._get_indices(indices))
        if attr_name == "action_masks":  # SB3 looks for it to learn whether masks exist
            return [self._mask_of(e) for e in which]
        if attr_name in self._attributes:
            return [self._attributes[attr_name][e] for e in which]
        if attr_name.startswith("_") or not hasattr(self, attr_name):
            raise AttributeError(attr_name)
        return [getattr(self, attr_name)] * len(which)

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Keep a value for each of the episodes meant."""
        held = self._attributes.setdefault(attr_name, [None] * self.num_envs)
        for e in self._get_indices(indices):
            held[e] = value

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call `action_masks` or one of `methods` for each of the episodes meant.

        SettingError for another method.
        """
        which: Iterable[int] = self._get_indices(indices)
        if method_name == "action_masks":
            return list(self.action_masks()[list(which)])
        if method_name in self.methods:
            method = getattr(self, method_name)
            return [method(e, *method_args, **method_kwargs) for e in which]
        known = " or ".join(("action_masks", *self.methods))
        raise SettingError("a method of one episode", repr(method_name), f"call {known}")

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        """No episode is wrapped."""
        return [False for _ in self._get_indices(indices)]

    def _mask_of(self, e: int) -> Any:
        return lambda: self.batch.masks()[e]
