"""Job records: the nine columns, their reader, their funnel, and the reference workload."""

from __future__ import annotations

from panda_gym.records.columns import COLUMNS, STATUSES, check_table
from panda_gym.records.flops import site_power, workload_gflop
from panda_gym.records.reference import STAND_IN, reference_blocks, reference_records
from panda_gym.records.split import split_by_rows, split_by_time

__all__ = [
    "COLUMNS",
    "STAND_IN",
    "STATUSES",
    "check_table",
    "reference_blocks",
    "reference_records",
    "site_power",
    "split_by_rows",
    "split_by_time",
    "workload_gflop",
]
