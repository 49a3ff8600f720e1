"""The command line `panda-grid`: one file a verb."""

from __future__ import annotations

from panda_gym.cli.app import main

__all__ = ["main"]
