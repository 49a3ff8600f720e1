"""Units as constants.

Bare numbers carry their unit as a suffix: `_s` seconds, `_gflop`, `_tb`, `_mbps` (megabytes
per second). Compute power is HS23 per core; one HS23 is taken as one Gflop/s, the nominal
conversion that PanDA's brokerage uses for core power.
"""

from __future__ import annotations

from typing import Final

GFLOPS_PER_HS23: Final = 1.0
"""Gflop/s that one HS23 of core power stands for (nominal)."""

BYTES_PER_MB: Final = 1e6
BYTES_PER_GB: Final = 1e9
BYTES_PER_TB: Final = 1e12
SECONDS_PER_HOUR: Final = 3600.0
SECONDS_PER_DAY: Final = 86400.0
SECONDS_PER_WEEK: Final = 604800.0
