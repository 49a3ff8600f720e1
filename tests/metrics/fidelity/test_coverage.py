"""Alpha-precision and beta-recall follow their definitions and see what each is for."""

from __future__ import annotations

import numpy as np
import pytest

from metrics import base
from metrics.base import Study
from metrics.certificate import policy
from metrics.fidelity.coverage import (
    NEIGHBOURS,
    Embedding,
    evenness,
    precision_levels,
    recall_levels,
)
from metrics.tables.samples import read


def scored(train, holdout, rows, **settings):
    rules = policy.load("default")
    tables = read({"train": train, "holdout": holdout, "synthetic": rows})
    settings = {**rules.settings, "bootstrap": 20, **settings}
    study = Study(**tables, target=None, time=None, seed=0, settings=settings)
    return {score.id: score for score in base.load("coverage")(study)}


def test_levels_equal_a_look_at_every_pair():
    rng = np.random.default_rng(0)
    real, mine = rng.normal(size=(80, 3)), rng.normal(size=(60, 3)) * 1.3
    centre = real.mean(axis=0)
    for level, x in zip(precision_levels(mine, real), mine, strict=True):
        nearer = sum(np.linalg.norm(r - centre) < np.linalg.norm(x - centre) for r in real)
        assert level == (pytest.approx((nearer + 1) / 80) if nearer < 80 else np.inf)
    own = precision_levels(mine, mine)
    for level, x in zip(recall_levels(mine, real), real, strict=True):
        reach = sorted(np.linalg.norm(r - x) for r in real)[NEIGHBOURS]
        gaps = [np.linalg.norm(m - x) for m in mine]
        at = int(np.argmin(gaps))
        assert level == (pytest.approx(own[at]) if gaps[at] <= reach else np.inf)


def test_evenness_is_one_for_uniform_levels_and_low_for_a_point():
    uniform = (np.arange(1000) + 0.5) / 1000
    assert evenness(uniform, np.ones(1000)) == pytest.approx(1, abs=0.01)
    assert evenness(np.full(10, np.inf), np.ones(10)) == pytest.approx(0, abs=0.01)
    assert evenness(np.full(10, 0.5), np.ones(10)) == pytest.approx(0.5, abs=0.02)


def test_the_points_of_real_rows_are_decorrelated(make):
    sample = read({"t": make(2000, 0)})["t"]
    points = Embedding.fit(sample).points(sample)
    np.testing.assert_allclose(np.cov(points, rowvar=False), np.eye(points.shape[1]), atol=1e-6)


def test_fresh_rows_score_near_the_reference_and_each_failure_shows_where_it_should(make):
    train, holdout, fresh = make(1500, 0), make(1500, 1), make(1500, 2)
    scores = scored(train, holdout, fresh)
    assert abs(scores["alpha_precision"].excess) < 0.05
    assert abs(scores["beta_recall"].excess) < 0.05
    rng = np.random.default_rng(0)
    collapsed = fresh.iloc[rng.integers(15, size=1500)]  # a hundred copies of each of few rows
    narrow = scored(train, holdout, collapsed)
    assert narrow["beta_recall"].excess > 0.3
    typical = fresh.assign(workload=fresh["workload"].median(), ninputdatafiles=4)
    assert scored(train, holdout, typical)["alpha_precision"].excess > 0.1


def test_too_few_rows_are_refused(make):
    with pytest.raises(ValueError, match="at least"):
        scored(make(100, 0), make(20, 1), make(100, 2))
