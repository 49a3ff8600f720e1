"""What a reader took from a file: rows read, rows dropped and why, and what was assumed.

Every reader of traces and records makes one `Reading` and announces it as one line: the logger
`panda_gym` gets it at level INFO, and the command line prints it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Reading", "announce"]


@dataclass(frozen=True)
class Reading:
    """What one reader took from one file."""

    source: str
    """Name of the file."""
    unit: str
    """What is counted: `lines` or `rows`."""
    found: int
    """How many the file has."""
    kept: int
    """How many were taken."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Reason and number of those that were not taken."""
    assumed: Mapping[str, int] = field(default_factory=dict)
    """What was assumed, and how many rows it touches."""

    def __str__(self) -> str:
        """Return one line; reasons and assumptions that touch no row are left out."""
        return (
            f"{self.source}: read {self.kept:,} of {self.found:,} {self.unit}"
            f"; dropped: {_listed(self.dropped)}; assumed: {_listed(self.assumed)}"
        )


def announce(reading: Reading) -> Reading:
    """Log the reading as one line, and return it."""
    logging.getLogger("panda_gym").info("%s", reading)
    return reading


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({n:,})" for name, n in counts.items() if n) or "none"
