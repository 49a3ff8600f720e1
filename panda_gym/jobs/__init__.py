"""Streams of jobs, and the episodes that are cut from a stream."""

from __future__ import annotations

from panda_gym.deprecated import old_names
from panda_gym.jobs.concatenation import concatenate
from panda_gym.jobs.episode import Episode, episode
from panda_gym.jobs.fields import STATUSES
from panda_gym.jobs.residual_jobs import mean_residual_cores
from panda_gym.jobs.stream import JobStream

__all__ = ["STATUSES", "Episode", "JobStream", "concatenate", "episode", "mean_residual_cores"]

__getattr__ = old_names(__name__)
