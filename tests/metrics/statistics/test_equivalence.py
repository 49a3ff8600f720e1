"""One test is its confidence bound; many are corrected so that the family keeps its level."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from metrics.base import Score
from metrics.errors import MetricError
from metrics.statistics.equivalence import TAILS, holm, p_value

LEVELS = st.floats(0.01, 0.2)


def score(excess: float, bound: float, margin: float | None, tail: str = "normal") -> Score:
    return Score("x", excess, excess, excess, 0.0, bound, 9, margin, tail=tail, part="fidelity")


@given(
    excess=st.floats(-1, 1),
    spread=st.floats(1e-3, 1),
    margin=st.floats(1e-3, 1),
    alpha=LEVELS,
    tail=st.sampled_from(sorted(TAILS)),
)
def test_a_single_test_says_what_its_bound_says(excess, spread, margin, alpha, tail):
    one = score(excess, excess + spread, margin, tail)
    if abs(one.bound - margin) > 1e-9:
        assert (p_value(one, alpha) <= alpha) == (one.bound <= margin)


@given(alpha=LEVELS, tail=st.sampled_from(sorted(TAILS)))
def test_p_is_alpha_at_the_margin_and_falls_beyond_it(alpha, tail):
    ps = [p_value(score(0.0, 0.1, margin, tail), alpha) for margin in (0.05, 0.1, 0.2, 0.4)]
    assert ps[1] == pytest.approx(alpha)
    assert ps == sorted(ps, reverse=True)


def test_the_tails_are_those_of_their_laws():
    n, alpha, margin = 500, 0.05, 0.02
    none_seen = score(0.0, -math.log(alpha) / n, margin, "count")
    assert p_value(none_seen, alpha) == pytest.approx(math.exp(-n * margin))
    half = math.sqrt(-math.log(alpha) / (2 * n))
    kolmogorov = score(0.01, 0.01 + half, 0.1, "dkw")
    assert p_value(kolmogorov, alpha) == pytest.approx(math.exp(-2 * n * 0.09**2))
    normal = score(0.01, 0.01 + norm.isf(alpha) * 0.02, 0.05)
    assert p_value(normal, alpha) == pytest.approx(norm.sf(2.0))


@pytest.mark.parametrize(
    ("excess", "bound", "p"),
    [(math.nan, 0.1, 1.0), (0.0, math.nan, 1.0), (0.2, 0.3, 1.0), (0.0, 0.0, 0.0)],
)
def test_what_has_no_number_or_no_room_shows_nothing(excess, bound, p):
    assert p_value(score(excess, bound, 0.1), 0.05) == p


def test_a_score_without_margin_or_with_an_unknown_tail_is_refused():
    with pytest.raises(MetricError, match="margin"):
        p_value(score(0, 0.1, None), 0.05)
    with pytest.raises(MetricError, match="tail"):
        p_value(score(0, 0.1, 0.1, "cauchy"), 0.05)


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=8), LEVELS)
def test_holm_rejects_what_the_step_down_procedure_rejects(ps, alpha):
    adjusted = holm(ps)
    going, m = True, len(ps)
    for rank, (_, id) in enumerate(sorted((p, id) for id, p in ps.items())):
        going = going and (m - rank) * ps[id] <= alpha
        assert (adjusted[id] <= alpha) == going
        assert adjusted[id] >= ps[id]


def test_holm_keeps_the_family_level_where_every_excess_is_at_its_margin():
    rng = np.random.default_rng(0)
    worlds, tests, alpha = 2000, 8, 0.05
    wrong = 0
    for _ in range(worlds):
        values = rng.normal(0.1, 0.02, tests)
        ps = {
            str(i): p_value(score(v, v + norm.isf(alpha) * 0.02, 0.1), alpha)
            for i, v in enumerate(values)
        }
        wrong += min(holm(ps).values()) <= alpha
    assert wrong / worlds <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / worlds)
