"""The simulator: exact events at k-core sites, in numpy and numba; knows no Gymnasium."""

from __future__ import annotations

from panda_gym.simulator.competing import Competing
from panda_gym.simulator.log import EpisodeLog
from panda_gym.simulator.simulator import Encoding, Settings, Simulator

__all__ = ["Competing", "Encoding", "EpisodeLog", "Settings", "Simulator"]
