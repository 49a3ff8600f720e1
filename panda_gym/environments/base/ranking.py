"""Order the candidates of an observation by a rule, so that an action is a rank.

With `ranked=True` the candidates of every family (sites; ready sets and sites; models and places)
stand best first, by one plain rule of the family, and illegal ones last. The numbers of actions
follow: action k means the candidate at rank k. So a network of fully connected layers, which cannot
compare candidates, finds the best one always at the same inputs. Actions without a candidate
(defer, hold, leave the data) keep their numbers. Parts, shapes, values and bounds stay the same.

| family | axis | order |
|---|---|---|
| placement | sites | expected completion: transfer, wait and run |
| workflow | ready sets | upward rank, highest first |
| workflow | sites | expected finish of the first set: delay and run |
| pipelines | models | weighted expected gain per hour of training, highest first |
| pipelines | places | price over speed, and half the work at hand |

In pipelines an action that would run a model whose gain over 48 hours is below its price defers.
Own numbers are those that candidates and actions have without `ranked`. `info["ranking"]` holds the
own number of every action, and `own_actions` translates by it. Logs hold own numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from gymnasium import spaces

from panda_gym.environments.base.spaces import MASK
from panda_gym.errors import SettingError

Array = np.ndarray

RANKING: Final = "ranking"
"""Key of `info`, in every step with `ranked=True`."""
INFO: Final = {
    RANKING: ("ndarray, int64[A]", "with `ranked=True` only: number of every action without it"),
}
"""Key to type and meaning."""
SETTING: Final = (
    "order candidates best first, see above, and number actions so; "
    "`panda_gym.environments.base.ranking.own_actions` translates"
)
"""What the setting `ranked` means."""
Axes = Mapping[str, tuple[str, ...]]
"""Part of an observation to the names of its last axes, those of the candidates."""


@dataclass(frozen=True)
class Ranking:
    """The order of the candidates in E observations.

    orders: name of an axis to the own number at each rank, int64[E, ..., n].
    actions: own number of what every action does, int64[E, A]; parts one after the other.
    sizes: how many choices each part of an action has.
    """

    orders: Mapping[str, Array]
    actions: Array
    sizes: tuple[int, ...]

    def parts(self, parts: Mapping[str, Array], axes: Axes) -> dict[str, Array]:
        """Return copies of the parts of E observations in ranked order; `action_mask` too."""
        return {
            name: self.mask(part) if name == MASK else self._part(part, axes.get(name, ()))
            for name, part in parts.items()
        }

    def one(self, e: int) -> Ranking:
        """Return the order of episode e alone, with a batch axis of one."""
        orders = {axis: order[e : e + 1] for axis, order in self.orders.items()}
        return Ranking(orders, self.actions[e : e + 1], self.sizes)

    def mask(self, mask: Array) -> Array:
        """Return a mask in ranked order, [E, ...] of A actions."""
        first = np.repeat(np.cumsum((0, *self.sizes[:-1])), self.sizes)
        rows = mask.reshape(len(mask), -1)
        return np.take_along_axis(rows, self.actions + first, axis=1).reshape(mask.shape)

    def _part(self, part: Array, axes: tuple[str, ...]) -> Array:
        found = part if axes else part.copy()
        for k, axis in enumerate(axes):
            order = self.orders[axis]
            wide = [1] * (len(axes) + 1)
            wide[k + 1] = order.shape[-1]
            index = order.reshape(*order.shape[:-1], *wide)
            found = np.take_along_axis(found, index, axis=k - len(axes))
        return found

    def own(self, actions: Array) -> Array:
        """Return actions [E] or [E, parts] in own numbers; those out of range as they are."""
        return _own(self.actions, self.sizes, actions)


def order_of(cost: Any, legal: Any) -> Array:
    """Order of least cost along the last axis, illegal candidates last; ties by number, int64.

    cost: float64[..., n]. legal: bool[..., n].
    """
    return np.argsort(np.where(legal, cost, np.inf), axis=-1, kind="stable")


def own_actions(space: spaces.Space, ranking: Any, actions: Any) -> Array:
    """Translate actions of a ranked environment into those of the same one without `ranked`.

    Args:
        space: the action space of one environment.
        ranking: `info["ranking"]` that came with the observation, int64[A], or [E, A].
        actions: actions that were chosen for it, of the space, or with a leading axis E.

    Returns:
        The actions in own numbers, int64 of the same shape.

    Raises:
        SettingError: a space of another kind, or a ranking that does not fit it.
    """
    sizes = sizes_of(space)
    ranking, actions = np.asarray(ranking), np.asarray(actions, dtype=np.int64)
    if ranking.shape[-1:] != (sum(sizes),):
        came = f"shape {ranking.shape}"
        raise SettingError(f"a ranking of {sum(sizes)} actions", came, 'pass info["ranking"]')
    if ranking.ndim > 1:
        return _own(ranking, sizes, actions)
    return _own(ranking[None], sizes, actions[None])[0]


def sizes_of(space: spaces.Space) -> tuple[int, ...]:
    """How many choices each part of an action has."""
    if isinstance(space, spaces.Discrete):
        return (int(space.n),)
    if isinstance(space, spaces.MultiDiscrete):
        return tuple(space.nvec.tolist())
    raise SettingError("a space of numbered actions", str(space), "pass single_action_space")


def _own(ranking: Array, sizes: Sequence[int], actions: Array) -> Array:
    parts = actions.reshape(len(actions), -1)
    inside = (parts >= 0) & (parts < np.array(sizes))
    at = np.where(inside, parts, 0) + np.cumsum((0, *sizes[:-1]))
    found = np.take_along_axis(ranking, at, axis=1)
    return np.where(inside, found, parts).reshape(actions.shape)


def check_ranked(ranked: Any) -> bool:
    """Return whether candidates are ranked; SettingError if that is no bool."""
    if not isinstance(ranked, bool | np.bool_):
        raise SettingError("ranked as True or False", repr(ranked), "pass ranked=True")
    return bool(ranked)
