"""Check the keywords and options that all environments share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from gymnasium.vector import AutoresetMode

from panda_gym.errors import KeywordError, SettingError, nearest

Array = np.ndarray

Painter = Callable[[str, Any], Callable[[int], Any]]
"""From a render mode and a batch to a function that renders episode e."""
RESET_MASK: Final = "reset_mask"


def check_render_mode(owner: str, mode: str | None, known: tuple[str, ...]) -> None:
    """Refuse a render mode that the environment does not have."""
    if mode is None or mode in known:
        return
    if not known:
        raise KeywordError.of(owner, "render_mode", "this environment renders nothing")
    raise SettingError(f"render_mode in {list(known)} or None", repr(mode), "choose one")


def check_options(options: Mapping[str, Any] | None, known: tuple[str, ...] = ()) -> None:
    """Refuse options of `reset` that are not known."""
    for name in options or {}:
        if name not in known:
            hint = nearest(str(name), known) if known else "leave options out"
            raise SettingError("options that reset knows", repr(name), hint)


def reset_mask(options: Mapping[str, Any] | None, num_envs: int) -> Array:
    """Return which episodes `reset` begins, bool[E]: all unless options say otherwise."""
    check_options(options, (RESET_MASK,))
    if not options:
        return np.ones(num_envs, dtype=bool)
    mask = options[RESET_MASK]
    fits = isinstance(mask, np.ndarray) and mask.dtype == np.bool_ and mask.shape == (num_envs,)
    if not fits or not mask.any():
        came = f"{type(mask).__name__} {mask!r}"
        raise SettingError(f"reset_mask as bool[{num_envs}] with a True", came, "pass an array")
    return mask.copy()


def autoreset(mode: AutoresetMode | str) -> AutoresetMode:
    """Return an autoreset mode from itself or its name: same_step, next_step or disabled."""
    names = {one.name.lower(): one for one in AutoresetMode}
    names |= {one.value.lower(): one for one in AutoresetMode}
    found = mode if isinstance(mode, AutoresetMode) else names.get(str(mode).lower())
    if found is None:
        known = [one.name.lower() for one in AutoresetMode]
        raise SettingError(f"autoreset_mode in {known}", repr(mode), nearest(str(mode), known))
    return found


def step_limit(limit: int | None) -> int | None:
    """Return max_episode_steps; SettingError if it is no whole number of at least 1."""
    if limit is None:
        return None
    if isinstance(limit, bool) or not hasattr(limit, "__index__") or limit < 1:
        raise SettingError("max_episode_steps of at least 1", repr(limit), "leave it out")
    return int(limit)
