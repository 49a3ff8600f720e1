"""Pass a World to compiled functions: `table_of` in Python, `world_of` in the kernel."""

from __future__ import annotations

from typing import Final

from panda_gym.jit.address_table import AddressTable
from panda_gym.simulator.state import World

_WORLD: Final = AddressTable(World)

FIELDS: Final = _WORLD.fields
"""What the fields of a World are, by name."""

table_of = _WORLD.of
"""Return the table of a World, int64[words]; whoever keeps it keeps the World too."""

world_of = _WORLD.read
"""Return the World of a table, in compiled functions."""
