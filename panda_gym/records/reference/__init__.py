"""The reference workload: a seeded stand-in for job records, calibrated on public figures."""

from __future__ import annotations

from panda_gym.records.reference.tables import STAND_IN
from panda_gym.records.reference.workload import reference_blocks, reference_records

__all__ = ["STAND_IN", "reference_blocks", "reference_records"]
