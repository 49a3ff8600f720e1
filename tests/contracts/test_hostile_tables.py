"""Every registered metric meets bad tables with finite scores or one clear error, never a crash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from metrics import base
from metrics.base import Study
from metrics.certificate import policy
from metrics.errors import MetricError
from metrics.tables.samples import read

Rows = pd.DataFrame


def table(n: int, seed: int) -> Rows:
    """Rows of every kind of column."""
    rng = np.random.default_rng(seed)
    seconds = 1_700_000_000 + np.sort(rng.integers(0, 9 * 86_400, n))
    return pd.DataFrame({
        "creationtime": pd.to_datetime(seconds, unit="s"),
        "site": pd.Categorical(rng.choice([f"S{i}" for i in range(9)], n)),
        "files": pd.array(rng.integers(1, 9, n), dtype="Int64"),
        "workload": rng.lognormal(3, 1, n),
    })  # fmt: skip


def holes(t: Rows) -> Rows:
    gone = np.arange(len(t)) % 10 != 0
    times = t["creationtime"].mask(gone)
    return t.assign(creationtime=times, files=t["files"].mask(gone), site=t["site"].mask(gone))


CHANGES: dict[str, Callable[[Rows], Rows]] = {
    "as it is": lambda t: t,
    "constant number": lambda t: t.assign(files=pd.array([3] * len(t), dtype="Int64")),
    "constant category": lambda t: t.assign(site="only"),
    "constant target": lambda t: t.assign(workload=7.0),
    "one second": lambda t: t.assign(creationtime=pd.Timestamp("2024-01-01")),
    "mostly missing": holes,
    "markup as level": lambda t: t.assign(site=["<b>&\"'" + s for s in t["site"].astype(str)]),
    "a level a row": lambda t: t.assign(site=[f"{i}" for i in range(len(t))]),
    "numbers alone": lambda t: t.drop(columns="site"),
    "one column": lambda t: t[["workload"]],
    "categories alone": lambda t: t.assign(kind=t["files"].astype(str))[["site", "kind"]],
    "few rows": lambda t: t.iloc[:30],
    "one row": lambda t: t.iloc[:1],
    "denormals": lambda t: t.assign(workload=5e-324 * (1 + np.arange(len(t)) % 3)),
    "columns named by numbers": lambda t: t.rename(columns={"site": 0, "files": 1}),
    "a level called missing": lambda t: t.assign(
        site=t["site"]
        .astype(str)
        .mask(np.arange(len(t)) % 2 == 0, "(missing)")
        .mask(np.arange(len(t)) % 5 == 0)
    ),
    "huge and tiny": lambda t: t.assign(workload=np.where(np.arange(len(t)) % 2, 1e90, 1e-90)),
}


SYNTHETIC_ALONE = (
    "denormals",
    "constant category",
    "mostly missing",
    "a level a row",
    "one second",
)
"""Changes that are tried on the synthetic table alone too."""


def studied(real: Callable[[Rows], Rows], made: Callable[[Rows], Rows]) -> Study:
    rules = policy.load("default")
    settings = {**rules.settings, **rules.quick, "catboost_iterations": 5, "catboost_depth": 3}
    settings |= {"bootstrap": 5, "singling_out_attacks": 50, "linking_attacks": 40}
    tables = {"train": real(table(300, 0)), "holdout": real(table(220, 1))}
    return Study(
        **read({**tables, "synthetic": made(table(260, 2))}),
        target="workload",
        time="creationtime",
        seed=0,
        settings=settings,
        loss=lambda rows: np.zeros((len(rows), 2)),
    )


def measured(name: str, real: Callable[[Rows], Rows], made: Callable[[Rows], Rows]) -> Any:
    """Return the scores, or None where the table was refused in words."""
    try:
        return base.load(name)(studied(real, made))
    except MetricError as error:
        if not str(error).startswith("needed "):
            raise
        return None


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", base.names())
def test_bad_tables_give_finite_scores_or_one_clear_error(name, change):
    cases = [(CHANGES[change], CHANGES[change])]
    if change in SYNTHETIC_ALONE:
        cases.append((CHANGES["as it is"], CHANGES[change]))
    for real, made in cases:
        scores = measured(name, real, made)
        if scores is None:
            continue
        assert scores
        for score in scores:
            numbers = [score.value, score.low, score.high, score.real_vs_real, score.bound]
            assert np.isfinite(numbers).all(), score
            assert score.low - 1e-9 <= score.value <= score.high + 1e-9, score
