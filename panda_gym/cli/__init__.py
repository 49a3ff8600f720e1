"""The command line `panda-grid`: one file a verb; knows every room, does no work of its own."""

from __future__ import annotations

from panda_gym.cli.app import main

__all__ = ["main"]
