"""Compiled functions and types of the simulator for compiled code outside it, such as oracles.

Compiled code reads the arrays of a `World` directly; the table in `panda_gym.simulator.state` says
what they hold. Python code uses the methods of `Simulator` instead.
"""

from __future__ import annotations

from panda_gym.simulator.address_table import table_of, world_of
from panda_gym.simulator.competing import change_time, competing_level, normal
from panda_gym.simulator.dynamics import CANCEL, KIND, staged_row
from panda_gym.simulator.expectation import expected_ln
from panda_gym.simulator.failures import draw_failure, pilot_delay
from panda_gym.simulator.outages import next_loss
from panda_gym.simulator.placement import carrier, primary, read_time, transfer_end
from panda_gym.simulator.run_times import true_run
from panda_gym.simulator.state import ACTIVATED, ASSIGNED, DOWN, NO_CAUSE, World
from panda_gym.simulator.storage import first_joined

__all__ = [
    "ACTIVATED",
    "ASSIGNED",
    "CANCEL",
    "DOWN",
    "KIND",
    "NO_CAUSE",
    "World",
    "carrier",
    "change_time",
    "competing_level",
    "draw_failure",
    "expected_ln",
    "first_joined",
    "next_loss",
    "normal",
    "pilot_delay",
    "primary",
    "read_time",
    "staged_row",
    "table_of",
    "transfer_end",
    "true_run",
    "world_of",
]
