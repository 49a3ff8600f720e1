"""The decorator of the compiled functions of these methods that Python calls."""

from __future__ import annotations

from pathlib import Path

from panda_gym.jit.compiled import entry_decorator

entry = entry_decorator(Path(__file__).parent)
"""Compile a function that Python calls; cached until a source of this package changes."""
