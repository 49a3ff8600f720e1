"""Each calibrated figure, within its tolerance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from panda_gym.errors import RecordsError
from panda_gym.records import reference_records
from panda_gym.records.reference import tables
from panda_gym.records.reference.calibration import FIGURES, KEEP, measure


@pytest.fixture(scope="module")
def measured(reference) -> pd.DataFrame:
    return measure(reference).set_index("name")


@pytest.mark.parametrize("name", [figure.name for figure in FIGURES])
def test_the_figure_is_within_its_tolerance(measured, name):
    row = measured.loc[name]
    assert row["holds"], f"{name}: {row['measured']:.4g}, target {row['target']:.4g}"


def test_figures_have_names_of_their_own_and_known_sources():
    assert len({figure.name for figure in FIGURES}) == len(FIGURES)
    assert all(f"{f.source.split(']')[0]}]" in tables.__doc__ for f in FIGURES)


def test_a_table_of_independent_rows_fails_the_figures_of_tasks(reference):
    """The measurement can fail: shuffling tasks and sites breaks what belongs to them."""
    rng = np.random.default_rng(0)
    part = reference.iloc[:20_000].copy()
    part["jeditaskid"] = rng.permutation(part["jeditaskid"].to_numpy())
    part["cpuconsumptiontime"] = 1_000
    part["cpuconsumptiontime"] += np.arange(len(part)) % 7
    holds = measure(part).set_index("name")["holds"]
    assert not holds[["ln CPU explained by task", "ln CPU sd", "CPU s q99"]].any()


def test_a_table_without_tasks_cannot_be_measured():
    with pytest.raises(RecordsError, match="no corecount"):
        measure(reference_records(10))


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_other_seeds_hold_at_a_million_rows(seed):
    found = measure(reference_records(1_000_000, seed=seed, keep=KEEP))
    assert found["holds"].all(), found[~found["holds"]].to_string()
