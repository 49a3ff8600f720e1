"""A batch of E episodes of one scenario: what every interface of a family is made from.

The single environment is the batch of one, the vector environments are the batch of E, so that all
of them run the same kernel. A family derives one class from `Batch`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, final

import numpy as np
from gymnasium import spaces

from panda_gym.environments.base.ranking import RANKING, Axes, Ranking, check_ranked
from panda_gym.environments.base.spaces import MASK, check_observation, flat_space, flatten
from panda_gym.environments.base.thread_pool import ThreadPool
from panda_gym.errors import SettingError

Array = np.ndarray
Seeded = tuple[int, np.random.Generator]
"""Number of an episode and the generator that draws it."""


class Batch(ABC):
    """E episodes that are stepped together; arrays are rewritten by each step."""

    info_keys: tuple[str, ...]
    """Keys of `info`, the same in every step."""
    axes: ClassVar[Axes]
    """Axes of candidates that `ranked` orders, of the parts that have any."""
    flat_order: ClassVar[tuple[str, ...]]
    """Parts of the flat form, in order."""
    lead: int = 0
    """Axes of all parts that also the flat form has, beside that of the episodes."""

    def __init__(
        self, num_envs: int, observation: str = "dict", ranked: bool = False, threads: int = 1
    ) -> None:
        if isinstance(num_envs, bool) or not hasattr(num_envs, "__index__") or num_envs < 1:
            raise SettingError("at least one environment", repr(num_envs), "raise num_envs")
        self.num_envs = int(num_envs)
        self.observation, self.ranked = check_observation(observation), check_ranked(ranked)
        self.ranking: Ranking | None = None
        """The order of the candidates now; None before the first episode and without `ranked`."""
        if self.ranked:
            self.info_keys = (*self.info_keys, RANKING)
        self.action_shape: tuple[int, ...] = (self.num_envs,)
        """Shape of the actions of one step."""
        self.pool = ThreadPool(threads)
        self.started = np.zeros(self.num_envs, dtype=bool)
        """Whether an episode has begun, bool[E]."""
        self.closed = False
        self.on_end: Callable[[int], None] | None = None
        """Called with the number of each episode just before a new one replaces it."""

    def __len__(self) -> int:
        return self.num_envs

    @property
    @abstractmethod
    def terminated(self) -> Array:
        """Whether each episode has reached its natural end, bool[E]."""

    @property
    @abstractmethod
    def truncated(self) -> Array:
        """Whether each episode was cut off at its length, bool[E]."""

    @property
    def done(self) -> Array:
        """Whether each episode has ended, bool[E]."""
        return self.terminated | self.truncated

    @property
    @abstractmethod
    def space(self) -> spaces.Dict:
        """Space of the parts of one episode's observation."""

    @property
    @abstractmethod
    def parts(self) -> dict[str, Array]:
        """Parts of the observations of all episodes, in own order; perhaps views."""

    def observation_space(self) -> spaces.Space:
        """Space of the observation of one episode: a Dict, or the Box of the flat form."""
        return self.space if self.observation == "dict" else self._flat_space()

    @abstractmethod
    def action_space(self) -> spaces.Space:
        """Space of the action of one episode."""

    @abstractmethod
    def _begin(self, episodes: Sequence[Seeded]) -> None:
        """Draw new episodes and run them to their first decision."""

    @abstractmethod
    def _advance(self, actions: Array, which: Array | None) -> None:
        """Take one decision in the episodes `which`, bool[E] (None: all)."""

    @abstractmethod
    def rewards(self) -> Array:
        """Reward of the last decision, float64[E]."""

    @abstractmethod
    def rank(self) -> Ranking:
        """Order the candidates of all episodes by the rule of the family."""

    @abstractmethod
    def _report(self, rewards: Array | None) -> dict[str, Any]:
        """What `info` says beside the ranking."""

    def _report_later(self, rewards: Array) -> Callable[[], dict[str, Any]]:
        """Return a function that gives what `_report(rewards)` says now."""
        found = self._report(rewards)
        return lambda: found

    def _flat(self, copy: bool) -> Array:
        """Flat observations in own order, float32[E, D]."""
        return self._row(self.parts)

    def _flat_space(self) -> spaces.Box:
        return flat_space(self.space, self.flat_order, self.lead)

    def _row(self, parts: dict[str, Array]) -> Array:
        return flatten(parts, self.flat_order, 1 + self.lead)

    @final
    def seen(self) -> dict[str, Array]:
        """Parts of the observations of all episodes as agents see them; perhaps views."""
        parts = self.parts
        return parts if self.ranking is None else self.ranking.parts(parts, self.axes)

    @final
    def observe(self, copy: bool = True) -> Any:
        """Observations of all episodes; without `copy` they are valid until the next step."""
        if self.ranking is None and self.observation == "flat":
            return self._flat(copy)
        parts = self.seen()
        if self.observation == "flat":
            return self._row(parts)
        fresh = self.ranking is not None or not copy
        return parts if fresh else {name: part.copy() for name, part in parts.items()}

    @final
    def observe_one(self, e: int) -> Any:
        """Observation of episode e, a copy without the batch axis."""
        one = {name: part[e : e + 1].copy() for name, part in self.parts.items()}
        if self.ranking is not None:
            one = self.ranking.one(e).parts(one, self.axes)
        if self.observation == "flat":
            return self._row(one)[0]
        return {name: part[0] for name, part in one.items()}

    @final
    def masks(self) -> Array:
        """Which actions are legal, bool[E, A]; parts of an action stand behind each other."""
        mask = self.parts[MASK].astype(bool).reshape(len(self), -1)
        return mask if self.ranking is None else self.ranking.mask(mask)

    @final
    def report(self, rewards: Array | None = None) -> dict[str, Any]:
        """What `info` says, arrays [E] by key; `rewards` are the last ones if they are known."""
        return self._ranked(self._report(rewards), self.ranking)

    @final
    def report_later(self, rewards: Array) -> Callable[[], dict[str, Any]]:
        """Return a function that gives what `report(rewards)` says now."""
        later, ranking = self._report_later(rewards), self.ranking
        return lambda: self._ranked(later(), ranking)

    @staticmethod
    def _ranked(report: dict[str, Any], ranking: Ranking | None) -> dict[str, Any]:
        return report if ranking is None else {**report, RANKING: ranking.actions.copy()}

    def cost(self) -> Array:
        """Sum of the costs of the last decision, float64[E]."""
        return np.asarray(self._report(None)["cost"])

    @final
    def begin(self, episodes: Iterable[Seeded]) -> None:
        """Begin a new episode for each number e, drawn from the generator beside it."""
        self._check_open()
        listed = list(episodes)
        if self.on_end is not None:
            for e in (e for e, _ in listed if self.started[e]):
                self.on_end(e)
        self._begin(listed)
        for e, _ in listed:
            self.started[e] = True
        self.rank_again()

    @final
    def step(self, actions: Any, which: Array | None = None) -> None:
        """Take one decision in all episodes, or in `which`, bool[E]; SettingError out of order."""
        checked = self.check_actions(actions)
        self._check_open()
        ready = self.started & ~self.done
        if not (ready if which is None else ready | ~which).all():
            raise SettingError("a running episode", "step() outside one", "call reset()")
        self._advance(checked if self.ranking is None else self.ranking.own(checked), which)
        self.rank_again()

    @final
    def rank_again(self) -> None:
        """Order the candidates of what is seen now, if they are ranked."""
        if self.ranked:
            self.ranking = self.rank()

    @final
    def check_actions(self, actions: Any) -> Array:
        """Actions as int64[E] or int64[E, parts]; SettingError for a wrong type or shape."""
        found = np.asarray(actions)
        if found.dtype.kind not in "iu" or found.shape != self.action_shape:
            raise SettingError(
                f"{len(self)} whole-numbered actions, shape {self.action_shape}",
                f"{found.dtype} of shape {found.shape}",
                "pass whole numbers of the action space",
            )
        return np.ascontiguousarray(found, dtype=np.int64)

    def close(self) -> None:
        """End the threads; a closed batch takes no further step."""
        self.closed = True
        self.pool.close()

    def _check_open(self) -> None:
        if self.closed:
            raise SettingError("an open environment", "a closed one", "make it anew")
