"""What happened in an episode, kept in files: one row a job, or one row an event as well.

LEVELS says what is kept: "none", "jobs" (one row a job attempt, with the time of every state)
or "events" (beside it, in a second file, one row an event of a job or a site, in order of time).
"""

from __future__ import annotations

from panda_gym.episode_log.events import derived
from panda_gym.episode_log.journal import Journal, drained, room
from panda_gym.episode_log.logged import LEVELS, LoggedEpisode, Steps, about, check_level
from panda_gym.episode_log.parquet import check_path, events_path, read_log, write_log
from panda_gym.episode_log.recorder import Recorder

__all__ = [
    "LEVELS",
    "Journal",
    "LoggedEpisode",
    "Recorder",
    "Steps",
    "about",
    "check_level",
    "check_path",
    "derived",
    "drained",
    "events_path",
    "read_log",
    "room",
    "write_log",
]
