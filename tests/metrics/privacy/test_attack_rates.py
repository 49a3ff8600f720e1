"""Rates beside controls, curves and their power follow their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.privacy.attack_rates import (
    curve,
    excess_lower,
    least_found,
    rate_at,
    rate_score,
    true_positives,
)
from tests.metrics.studies import study_of


@given(st.integers(1, 80), st.floats(0, 1), st.integers(1, 200))
@settings(max_examples=60, deadline=None)
def test_the_least_excess_found_equals_trying_every_count(n0, share, n):
    k0 = round(share * n0)
    shown = [k for k in range(n + 1) if excess_lower(k, n, k0, n0, 0.05) > 0]
    expected = max(0.0, shown[0] / n - k0 / n0) if shown else 1.0
    assert least_found(k0, n0, n, 0.05) == pytest.approx(expected)


def test_members_found_equal_a_count_at_every_threshold():
    rng = np.random.default_rng(0)
    outside, inside = rng.integers(0, 12, 200).astype(float), rng.integers(2, 14, 150).astype(float)
    for threshold in np.unique(outside):
        fpr, tpr = (outside >= threshold).mean(), (inside >= threshold).mean()
        assert true_positives(outside, inside, [fpr])[0] == pytest.approx(tpr)
    assert true_positives(outside, outside, [0.3])[0] == pytest.approx(0.3)
    drawn = curve(outside, inside)
    assert len(drawn["fpr"]) == len(drawn["tpr"])
    assert drawn["tpr"] == sorted(drawn["tpr"])


def test_a_rate_says_its_power_and_whether_it_shows_a_leak(make):
    study = study_of(make(60, 0), make(60, 1), make(60, 2))
    quiet = rate_score(study, "quiet", (50, 1000), (52, 1000), "hits")
    loud = rate_score(study, "loud", (300, 1000), (52, 1000), "hits")
    assert "no leak found at this power" in quiet.note
    assert "a leak is shown" in loud.note
    assert study.notes["power"]["quiet"] == least_found(52, 1000, 1000, study.alpha)
    assert quiet.low < quiet.value < quiet.high
    assert loud.bound > loud.excess > 0.2


def test_an_attack_at_chance_seldom_shows_a_leak(make):
    study = study_of(make(60, 0), make(60, 1), make(60, 2))
    alarms = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        score = rate_at(study, "x", rng.normal(size=500), rng.normal(size=500), 0.1, "hits")
        alarms += "a leak is shown" in score.note
    assert alarms / 200 <= 0.08
