"""Split a table of records into a training and a test part."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from panda_gym.errors import RecordsError, check_seed

TRAIN_SHARE: Final = 0.8
"""Share of rows for training (arXiv 2410.07940, Fig. 3b)."""


def split_by_rows(
    table: pd.DataFrame, share: float = TRAIN_SHARE, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split at random rows: (train, test), each in the order of `table`, fresh indices."""
    order = np.random.default_rng(check_seed(seed)).permutation(len(table))
    return _parts(table, order, _cut(table, share))


def split_by_groups(
    table: pd.DataFrame, group: str, share: float = TRAIN_SHARE, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split at random whole groups (tasks): (train, test), about `share` of the rows in train.

    A group on both sides would hide what leaks where the privacy of a whole group is measured.
    """
    if group not in table.columns:
        raise RecordsError(f"a group column {group!r}", ", ".join(table.columns), "name the column")
    _cut(table, share)
    _, code = np.unique(table[group].to_numpy(), return_inverse=True)
    sizes = np.bincount(code)
    if len(sizes) < 2:
        raise RecordsError("at least two groups to split", "one", "pass more groups")
    order = np.random.default_rng(check_seed(seed)).permutation(len(sizes))
    gone = np.cumsum(sizes[order])
    count = int(np.clip(np.searchsorted(gone, share * len(table)) + 1, 1, len(sizes) - 1))
    first = np.isin(code, order[:count])
    return table[first].reset_index(drop=True), table[~first].reset_index(drop=True)


def split_by_time(
    table: pd.DataFrame, share: float = TRAIN_SHARE, time: str = "creationtime"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split at a moment: the first `share` of rows in time trains, the later ones test.

    Rows of one second are split by their order in `table`.
    """
    if time not in table.columns:
        raise RecordsError(f"a time column {time!r}", ", ".join(table.columns), "name the column")
    order = np.argsort(table[time].to_numpy(), kind="stable")
    return _parts(table, order, _cut(table, share))


def _cut(table: pd.DataFrame, share: Any) -> int:
    number = share if isinstance(share, float | int) and not isinstance(share, bool) else 0.0
    if not 0.0 < number < 1.0:
        raise RecordsError("a share between 0 and 1", repr(share), "pass for example share=0.8")
    if len(table) < 2:
        raise RecordsError("at least two rows to split", f"{len(table)}", "pass a longer table")
    return min(max(round(number * len(table)), 1), len(table) - 1)


def _parts(table: pd.DataFrame, order: np.ndarray, cut: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    first, second = np.sort(order[:cut]), np.sort(order[cut:])
    return (
        table.iloc[first].reset_index(drop=True),
        table.iloc[second].reset_index(drop=True),
    )
