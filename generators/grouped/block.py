"""Sampled rows as arrays: times, groups and the other columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from generators.grouped.columns import Columns


@dataclass(frozen=True)
class Block:
    """n rows."""

    ticks: np.ndarray
    """int64[n], time in the unit of the time column."""
    group: np.ndarray
    """int64[n], number of the group."""
    values: list[tuple[np.ndarray, np.ndarray]]
    """Values and missing entries of each other column, [n] each."""

    def __len__(self) -> int:
        return len(self.ticks)

    def rows(self, at: np.ndarray | slice) -> Block:
        """Return some of the rows."""
        return Block(self.ticks[at], self.group[at], [(v[at], m[at]) for v, m in self.values])

    def sorted(self) -> Block:
        """Return the rows in order of time; those of one moment stay as they are."""
        return self.rows(np.argsort(self.ticks, kind="stable"))

    def between(self, low: float, high: float) -> Block:
        """Return the rows later than `low` and not later than `high`."""
        return self.rows((self.ticks > low) & (self.ticks <= high))

    def table(self, columns: Columns) -> pd.DataFrame:
        """Return the rows as a table of all columns."""
        values, never = iter(self.values), np.zeros(len(self), bool)
        data = []
        for column in columns.schema.columns:
            if column.name == columns.time:
                data.append((self.ticks, never))
            elif column.name == columns.group:
                data.append((self.group, never))
            else:
                data.append(next(values))
        return columns.schema.table(data)


def joined(parts: list[Block]) -> Block:
    """Return the rows of all parts, one after the other."""
    values = [
        (np.concatenate([v for v, _ in column]), np.concatenate([m for _, m in column]))
        for column in zip(*(part.values for part in parts), strict=True)
    ]
    ticks, group = (np.concatenate([getattr(p, k) for p in parts]) for k in ("ticks", "group"))
    return Block(ticks, group, values)


def recut(blocks: Iterator[Block], rows: int) -> Iterator[Block]:
    """Yield the same rows in blocks of `rows` each; what is left at the end is not yielded."""
    held: list[Block] = []
    count = 0
    for block in blocks:
        held.append(block)
        count += len(block)
        if count < rows:
            continue
        whole = joined(held)
        for start in range(0, count - rows + 1, rows):
            yield whole.rows(slice(start, start + rows))
        held = [whole.rows(slice(count - count % rows, count))]
        count %= rows
