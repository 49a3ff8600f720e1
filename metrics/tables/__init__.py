"""Tables as arrays: samples, scales, blocks of rows, Gower points."""

from __future__ import annotations

from metrics.tables.samples import Sample, Schema, read, table_sha256

__all__ = ["Sample", "Schema", "read", "table_sha256"]
