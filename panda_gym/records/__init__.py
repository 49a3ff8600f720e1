"""Job records: their reader, the filter funnel, splits, and the reference workload."""

from __future__ import annotations

from panda_gym.records.datasets import parse_datasets
from panda_gym.records.exports import load_records, read_export
from panda_gym.records.flops import workload_gflop
from panda_gym.records.funnel import Funnel, apply_funnel
from panda_gym.records.reference import (
    STAND_IN,
    reference_export,
    reference_records,
    write_reference,
)
from panda_gym.records.saving import save_records
from panda_gym.records.split import split_by_groups, split_by_rows, split_by_time
from panda_gym.schema import COLUMNS

__all__ = [
    "COLUMNS",
    "STAND_IN",
    "Funnel",
    "apply_funnel",
    "load_records",
    "parse_datasets",
    "read_export",
    "reference_export",
    "reference_records",
    "save_records",
    "split_by_groups",
    "split_by_rows",
    "split_by_time",
    "workload_gflop",
    "write_reference",
]
