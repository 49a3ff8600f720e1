"""Pass a named tuple of arrays to kernels as one table of addresses.

WORLD = AddressTable(World)
world_of = WORLD.read              # a global, for compiled functions
table = WORLD.of(world)            # in Python

@entry
def run(table):
    w = world_of(table)            # w.sites is then the array of that name
"""

from __future__ import annotations

from typing import Any

from panda_gym.jit.fields import Field, fields_of
from panda_gym.jit.mode import BACKEND


class AddressTable:
    """How tables for one class of named tuples are made and read; see `panda_gym.jit.fields`."""

    def __init__(self, kind: type) -> None:
        self.fields: dict[str, Field] = fields_of(kind)
        """The fields of the class, by name."""
        self.read: Any = BACKEND.reader(f"{kind.__module__}.{kind.__qualname__}", self.fields)
        """In compiled functions: the named tuple of a table, whose fields can only be read."""

    def of(self, values: Any) -> Any:
        """Return the table of a named tuple, int64[words]; keep the named tuple alive with it.

        In the interpreted mode it is the named tuple itself.
        """
        return BACKEND.address_table(self.fields, values)
