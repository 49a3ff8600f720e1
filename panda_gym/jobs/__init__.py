"""Jobs: streams of them, and the episodes that are cut from a stream."""

from __future__ import annotations

from panda_gym.jobs.episode import Episode
from panda_gym.jobs.stream import STATUSES, JobStream

__all__ = ["STATUSES", "Episode", "JobStream"]
