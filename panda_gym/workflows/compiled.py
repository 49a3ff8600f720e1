"""The decorator of the workflows' kernel functions that Python calls."""

from __future__ import annotations

from pathlib import Path

from panda_gym import simulator
from panda_gym.jit.compiled import entry_decorator

entry = entry_decorator(Path(__file__).parent, Path(simulator.__file__ or ".").parent)
"""Compile a function that Python calls; cached until a source of workflows or simulator changes."""
