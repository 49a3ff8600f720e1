"""Transitions in memory, sampled in minibatches by learners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from panda_gym.errors import SettingError
from panda_gym.offline.datasets.dataset import OfflineDataset
from panda_gym.offline.datasets.episode import Episode

Array = np.ndarray


@dataclass(frozen=True)
class Minibatch:
    """n transitions.

    observation, following: observations before and after, parts of the environment's Dict, [n].
    actions: int64[n]. rewards, costs: float32[n].
    """

    observation: dict[str, Array]
    actions: Array
    rewards: Array
    costs: Array
    following: dict[str, Array]


@dataclass(frozen=True)
class Transitions:
    """N transitions of E episodes; each observation is stored once, N + E rows.

    seen: parts of the observation by name. before: int64[N], row of `seen` before each decision;
    the row after it is the next one. An episode is cut off after its last decision, never
    terminated, so that every transition has an observation after it.
    """

    seen: dict[str, Array]
    before: Array
    actions: Array
    rewards: Array
    costs: Array

    @classmethod
    def of(
        cls,
        data: OfflineDataset,
        keep: Callable[[Episode], bool] | None = None,
        reward: str = "reward",
    ) -> Transitions:
        """Load the episodes for which `keep` is true.

        reward: "reward", or "difference_reward", which holds all later consequences of its
        decision, so that the discount is 0. SettingError if there is no episode or no such reward.
        """
        episodes = [one for one in data.episodes() if keep is None or keep(one)]
        if not episodes:
            raise SettingError("at least one episode to learn from", "none", "keep more of them")
        parts = [one.parts() for one in episodes]
        rows = np.cumsum([0] + [len(one) + 1 for one in episodes])
        return cls(
            {name: np.concatenate([one[name] for one in parts]) for name in parts[0]},
            np.concatenate([np.arange(a, b - 1) for a, b in pairwise(rows)]),
            np.concatenate([one.actions for one in episodes]).astype(np.int64),
            np.concatenate([_rewards(one, reward) for one in episodes]).astype(np.float32),
            np.concatenate([one.cost for one in episodes]).astype(np.float32),
        )

    def __len__(self) -> int:
        return len(self.before)

    def draw(self, rng: np.random.Generator, n: int) -> Minibatch:
        """Return n transitions, drawn uniformly with replacement."""
        some = rng.integers(0, len(self), n)
        rows = self.before[some]
        return Minibatch(
            {name: part[rows] for name, part in self.seen.items()},
            self.actions[some],
            self.rewards[some],
            self.costs[some],
            {name: part[rows + 1] for name, part in self.seen.items()},
        )


def _rewards(episode: Episode, name: str) -> Array:
    """Return the rewards of a name; SettingError if there are none."""
    if name not in ("reward", "difference_reward"):
        raise SettingError("reward or difference_reward", repr(name), "choose one")
    found = episode.rewards if name == "reward" else episode.difference_rewards
    if np.isnan(found).any():
        do = 'collect it again with objective="ln_slowdown"'
        raise SettingError("a data set with difference rewards", "one without", do)
    return found
