"""Studies for the tests: three tables, the default policy's sizes, and what a test changes."""

from __future__ import annotations

from typing import Any

import pandas as pd

from metrics import base
from metrics.base import Score, Study
from metrics.certificate import policy
from metrics.tables.samples import read


def study_of(
    train: pd.DataFrame,
    holdout: pd.DataFrame,
    rows: pd.DataFrame,
    *,
    loss: Any = None,
    **settings: Any,
) -> Study:
    """Return a study under the default policy's quick sizes."""
    rules = policy.load("default")
    tables = read({"train": train, "holdout": holdout, "synthetic": rows})
    return Study(
        **tables,
        target="workload",
        time="creationtime",
        seed=0,
        settings={**rules.settings, **rules.quick, **settings},
        loss=loss,
    )


def scored(name: str, study: Study) -> dict[str, Score]:
    """Return the scores of one metric by id."""
    return {score.id: score for score in base.load(name)(study)}
