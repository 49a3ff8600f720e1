"""Logs of episodes as files: one row per job attempt, and one row per event where asked for.

LEVELS says what is kept: "none"; "jobs", one row per job attempt with the time of every state; or
"events", also a second file with one row per event of a job or a site, in order of time.
"""

from __future__ import annotations

from panda_gym.deprecated import old_names
from panda_gym.episode_log.events import derived
from panda_gym.episode_log.journal import Journal, drained, event_capacity
from panda_gym.episode_log.logged import LEVELS, LoggedEpisode, Steps, about, check_level
from panda_gym.episode_log.parquet import check_path, events_path, read_log, write_log
from panda_gym.episode_log.recorder import Recorder
from panda_gym.episode_log.tables import EpisodeTables

__all__ = [
    "LEVELS",
    "EpisodeTables",
    "Journal",
    "LoggedEpisode",
    "Recorder",
    "Steps",
    "about",
    "check_level",
    "check_path",
    "derived",
    "drained",
    "event_capacity",
    "events_path",
    "read_log",
    "write_log",
]

__getattr__ = old_names(__name__)
