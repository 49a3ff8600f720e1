"""Entries of the workflows' kernels, which inline the simulator's functions too; knows numba."""

from __future__ import annotations

from pathlib import Path

from panda_gym import simulator
from panda_gym.jit.compiled import entries, inner

__all__ = ["entry", "inner"]

entry = entries(Path(__file__).parent, Path(simulator.__file__ or ".").parent)
"""A function that Python calls, without allocation; cached until any source changes."""
