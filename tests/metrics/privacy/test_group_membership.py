"""Membership of whole groups: found where tasks were copied, not where fresh ones were drawn."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from metrics.base import Study
from metrics.errors import MetricError, NotApplicable
from metrics.privacy.distances import held_out_halves
from metrics.tables.samples import read
from tests.metrics.studies import scored, study_of


def tasks(n: int, seed: int) -> pd.DataFrame:
    """n tasks of one to thirty near-identical rows."""
    rng = np.random.default_rng(seed)
    task = np.repeat(np.arange(n), rng.integers(1, 31, n))
    level, place = rng.normal(8, 2, (2, n))[0], rng.integers(0, 6, n)
    return pd.DataFrame(
        {
            "creationtime": np.datetime64("2024-01-01", "s") + rng.integers(0, 9**6, n)[task],
            "place": pd.Categorical.from_codes(place[task], list("abcdef")),
            "workload": np.exp(level[task] + rng.normal(0, 0.05, len(task))),
            "task": task + 10_000 * seed,
        }
    )


def grouped(train: pd.DataFrame, holdout: pd.DataFrame, rows: pd.DataFrame) -> Study:
    tables = {"train": train, "holdout": holdout, "synthetic": rows}
    bare = study_of(*(table.drop(columns="task") for table in tables.values()))
    return dataclasses.replace(bare, **read(tables, "task"))


def test_copied_tasks_are_found_and_fresh_ones_are_not() -> None:
    train, holdout, fresh = (tasks(400, seed) for seed in range(3))
    clean = scored("group_membership", grouped(train, holdout, fresh))
    copied = pd.concat([fresh, train[train["task"] < 120]], ignore_index=True)
    leaky = scored("group_membership", grouped(train, holdout, copied))
    for id in ("group_membership_auc", "group_membership_tpr"):
        assert "no leak found at this power" in clean[id].note
        assert "a leak is shown" in leaky[id].note
    assert clean["group_membership_auc"].n == 400


def test_tasks_of_held_out_rows_are_halved_whole() -> None:
    halves = held_out_halves(grouped(*(tasks(60, seed) for seed in range(3))))
    first, second = (set(half.groups.tolist()) for half in halves if half.groups is not None)
    assert not first & second
    assert len(first) == len(second) == 30


def test_rows_alone_and_too_few_tasks_are_refused() -> None:
    tables = [tasks(80, seed) for seed in range(3)]
    with pytest.raises(MetricError, match="groups to attack"):
        scored("group_membership", grouped(*tables))
    with pytest.raises(NotApplicable, match="group"):
        scored("group_membership", study_of(*(table.drop(columns="task") for table in tables)))
