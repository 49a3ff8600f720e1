"""The linked mode: only what Python calls becomes machine code, with all that it calls.

This package uses internals of numba and llvmlite; `panda_gym.jit.mode` says of which releases.
"""

from __future__ import annotations

from typing import Final

from panda_gym.jit.fields import words_of
from panda_gym.jit.linked.decorators import entry, inline, no_inline
from panda_gym.jit.linked.instructions import lowest_bit, prefetch
from panda_gym.jit.linked.tables import reader

__all__ = [
    "MODE", "address_table", "entry", "inline", "lowest_bit", "no_inline", "prefetch", "reader",
]  # fmt: skip

MODE: Final = "linked"

address_table: Final = words_of
"""Return the table of a named tuple, int64[words]."""
