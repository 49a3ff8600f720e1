"""Means beside real ones: intervals cover, and the worse direction is the bounded one."""

from __future__ import annotations

import numpy as np
import pytest

from metrics.errors import MetricError
from metrics.statistics.means import mean_score
from tests.metrics.studies import study_of


@pytest.fixture(scope="module")
def study(make):
    return study_of(make(60, 0), make(60, 1), make(60, 2))


def test_bounds_keep_their_level_in_both_directions(study):
    above = {"lower": 0, "higher": 0}
    covered = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        rows = rng.normal(1.0, 1.0, 200), rng.normal(0.7, 2.0, 300)
        for better in above:
            score = mean_score(study, "x", rows, "note", better=better)
            truth = 0.3 if better == "lower" else -0.3
            above[better] += score.bound >= truth
        covered += score.low <= 1.0 <= score.high
    assert min(above.values()) / 300 == pytest.approx(0.95, abs=0.03)
    assert covered / 300 == pytest.approx(0.95, abs=0.03)


def test_one_row_has_no_error(study):
    with pytest.raises(MetricError, match="two rows"):
        mean_score(study, "x", (np.ones(1), np.ones(5)), "note")
