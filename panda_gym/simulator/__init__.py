"""The simulator: exact discrete events at sites of k cores, in numpy and numba."""

from __future__ import annotations

from panda_gym.simulator.capacity import available_cores
from panda_gym.simulator.competing import Competing
from panda_gym.simulator.encoding import Encoding
from panda_gym.simulator.failures import Failures, Retries
from panda_gym.simulator.flows import Network
from panda_gym.simulator.limits import Limits
from panda_gym.simulator.log import EpisodeLog
from panda_gym.simulator.outages import Outages
from panda_gym.simulator.settings import Cancellations, Settings
from panda_gym.simulator.simulator import Simulator
from panda_gym.simulator.state import EVENT, KINDS
from panda_gym.simulator.storage import Storage

__all__ = [
    "EVENT",
    "KINDS",
    "Cancellations",
    "Competing",
    "Encoding",
    "EpisodeLog",
    "Failures",
    "Limits",
    "Network",
    "Outages",
    "Retries",
    "Settings",
    "Simulator",
    "Storage",
    "available_cores",
]
