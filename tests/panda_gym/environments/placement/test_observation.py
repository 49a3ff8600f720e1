"""Features return from their encoding, by the tables and by the view."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panda_gym.environments.base.features import Feature, position
from panda_gym.environments.placement.observation import (
    GRID_FEATURES,
    JOB_FEATURES,
    SITE_FEATURES,
    PlacementView,
)
from panda_gym.errors import PolicyError

ALL = (*SITE_FEATURES, *JOB_FEATURES, *GRID_FEATURES)


@pytest.mark.parametrize("table", [SITE_FEATURES, JOB_FEATURES, GRID_FEATURES])
def test_names_are_unique_within_a_table(table: tuple[Feature, ...]) -> None:
    assert len({f.name for f in table}) == len(table)


@pytest.mark.parametrize("feature", ALL, ids=lambda f: f.name)
@given(value=st.floats(0.0, 1.0))
@settings(deadline=None, max_examples=20)
def test_what_is_encoded_is_decoded(feature: Feature, value: float) -> None:
    natural = np.array([value * 10 * feature.scale])
    code = feature.encode(natural)
    assert code.dtype == np.float32
    np.testing.assert_allclose(feature.decode(code), natural, rtol=1e-4, atol=1e-5 * feature.scale)


@given(count=st.integers(0, 10_000))
@settings(deadline=None, max_examples=50)
def test_counts_of_jobs_return_exactly_after_rounding(count: int) -> None:
    feature = SITE_FEATURES[position(SITE_FEATURES, "running")]
    assert int(np.rint(feature.decode(feature.encode(np.array([float(count)]))))[0]) == count


def test_a_ratio_never_leaves_its_unit_interval() -> None:
    feature = SITE_FEATURES[position(SITE_FEATURES, "wait")]
    codes = feature.encode(np.array([0.0, 1.0, 1e9, 1e30]))
    assert codes[0] == 0
    assert (codes <= 1).all()
    assert np.isfinite(feature.decode(codes)).all()


def test_a_view_of_one_is_a_batch_of_one() -> None:
    single = {
        "sites": np.full((len(SITE_FEATURES), 3), 0.5, np.float32),
        "job": np.full(len(JOB_FEATURES), 0.5, np.float32),
        "grid": np.zeros(len(GRID_FEATURES), np.float32),
        "action_mask": np.array([1, 0, 1], np.int8),
    }
    view = PlacementView(single)
    assert len(view) == 1
    assert view.site("wait").shape == (1, 3)
    np.testing.assert_allclose(view.site("wait"), 3600.0)
    assert view.job("cores").shape == (1, 1)
    assert view.mask.tolist() == [[True, False, True]]


def test_an_unknown_feature_names_the_nearest() -> None:
    with pytest.raises(PolicyError, match="queued_work"):
        position(SITE_FEATURES, "queued")
