"""The reference workload: a seeded stand-in for job records, calibrated on public figures."""

from __future__ import annotations

from panda_gym.records.reference.export import export_blocks, reference_export
from panda_gym.records.reference.tables import STAND_IN
from panda_gym.records.reference.workload import reference_blocks, reference_records
from panda_gym.records.reference.writing import write_reference

__all__ = [
    "STAND_IN",
    "export_blocks",
    "reference_blocks",
    "reference_export",
    "reference_records",
    "write_reference",
]
