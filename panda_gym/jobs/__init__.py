"""Jobs: streams of them, and the episodes that are cut from a stream."""

from __future__ import annotations

from panda_gym.jobs.concatenation import concatenate
from panda_gym.jobs.episode import Episode, episode
from panda_gym.jobs.fields import STATUSES
from panda_gym.jobs.residual_jobs import mean_cores_underway
from panda_gym.jobs.stream import JobStream

__all__ = ["STATUSES", "Episode", "JobStream", "concatenate", "episode", "mean_cores_underway"]
