"""Play whole episodes in a vector environment and return them with difference rewards.

For training loops of one's own (CleanRL, torchrl): arrays of decisions, ready for a buffer.

    env = gymnasium.make_vec("PandaGrid/Placement-v0", num_envs=16, objective="ln_slowdown")
    data = relabelled_episodes(env, lambda observation, mask: ..., seed=1)
    data["observation"], data["action"], data["mask"], data["reward"], data["done"]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

import numpy as np

from panda_gym.credit import Settled
from panda_gym.errors import SettingError

Array = np.ndarray
Act = Callable[[Any, Array], Array]
"""Observations of all grids and masks bool[E, A] -> actions int[E]."""


class RelabelledEpisodes(TypedDict):
    """N decisions of whole episodes, grid after grid, each in order of decisions."""

    observation: Any
    """What was seen before each decision, float32[N, D], or a dictionary of arrays [N, ...]."""
    mask: Array
    """Legal actions, bool[N, A]."""
    action: Array
    """Actions, int64[N]."""
    reward: Array
    """Difference rewards, float32[N]; they hold all later consequences: the discount is 0."""
    done: Array
    """Whether the decision was its episode's last, bool[N]."""
    env: Array
    """Number of the grid, int64[N]."""
    judged: Array
    """Whether the decision was about a judged job, bool[N]; all are, without `tail_jobs`."""


def relabelled_episodes(env: Any, act: Act, *, seed: int | None = None) -> RelabelledEpisodes:
    """Play one whole episode in every grid and return its decisions with difference rewards.

    Args:
        env: `PlacementVectorEnv`, made with `objective=` and autoreset mode SAME_STEP.
        act: called with the observations of all grids and the masks; returns the actions.
        seed: of the reset; grid e gets seed + e.

    Raises:
        SettingError: an environment without an objective, or of another autoreset mode.
    """
    _check_mode(env)
    seen, _ = env.reset(seed=seed)
    env.settled()  # of episodes before
    first = [env.batch.recorder.episode(e) for e in range(env.num_envs)]
    playing, steps, found = np.ones(env.num_envs, dtype=bool), [], []
    while playing.any():
        mask = env.action_masks()
        action = np.asarray(act(seen, mask))
        steps.append((_copied(seen), mask.copy(), action.astype(np.int64)))
        seen, _, terminated, truncated, _ = env.step(action)
        playing &= ~(terminated | truncated)
        found.append(env.settled())
    return _whole(steps, found, first)


def _check_mode(env: Any) -> None:
    mode = env.metadata["autoreset_mode"]
    if getattr(mode, "value", mode) != "SameStep":
        raise SettingError("autoreset mode SAME_STEP", str(mode), "drop autoreset_mode=")


def _copied(seen: Any) -> Any:
    if isinstance(seen, dict):
        return {name: np.array(part) for name, part in seen.items()}
    return np.array(seen)


def _whole(
    steps: list[tuple[Any, Array, Array]], found: list[Settled], first: list[int]
) -> RelabelledEpisodes:
    """The decisions of each grid's first episode, grid after grid."""
    env, episode, decision, reward, judged = (
        np.concatenate([getattr(one, name) for one in found])
        for name in ("env", "episode", "decision", "reward", "judged")
    )
    own = np.flatnonzero(episode == np.array(first)[env])
    own = own[np.lexsort((decision[own], env[own]))]
    e, t = env[own], decision[own]
    seen, masks, actions = zip(*steps, strict=True)
    return {
        "observation": _picked(seen, t, e),
        "mask": np.stack(masks)[t, e],
        "action": np.stack(actions)[t, e],
        "reward": reward[own].astype(np.float32),
        "done": np.append(e[1:] != e[:-1], True),
        "env": e,
        "judged": judged[own],
    }


def _picked(seen: Any, t: Array, e: Array) -> Any:
    """What grid e saw before step t, parts by name if there are any."""
    if isinstance(seen[0], dict):
        return {name: _picked([one[name] for one in seen], t, e) for name in seen[0]}
    return np.stack(seen)[t, e]
