"""A logged episode as a page that plays it; see `write_replay`."""

from __future__ import annotations

from panda_gym.visualization.replay.page import write_replay

__all__ = ["write_replay"]
