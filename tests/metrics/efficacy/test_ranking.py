"""Rankings agree where they should, and every disagreement is beside what real worlds show."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import metrics
from metrics.base import Study
from metrics.efficacy import ranking
from metrics.errors import MetricError, NotApplicable
from metrics.tables.samples import read

POLICIES = ("random", "least_loaded", "earliest", "agent", "round_robin")
FIGURES = st.lists(st.integers(0, 9), min_size=2, max_size=7)


def worlds(means, n: int, seed: int, noise: float = 0.3) -> pd.DataFrame:
    """Outcomes of policies with these means; a world is harder or easier for all of them alike."""
    rng = np.random.default_rng(seed)
    values = (
        np.asarray(means)[:, None] + rng.normal(size=n) + noise * rng.normal(size=(len(means), n))
    )
    return pd.DataFrame(values, index=list(POLICIES[: len(means)]), columns=range(n))


@pytest.fixture(scope="module")
def study() -> Study:
    rows = pd.DataFrame({"x": np.arange(9.0)})
    tables = read({"train": rows, "holdout": rows, "synthetic": rows})
    return Study(**tables, target=None, time=None, seed=0, settings={})


def scores(study: Study, real: pd.DataFrame, synthetic: pd.DataFrame) -> dict:
    outcomes = {"real": real, "synthetic": synthetic}
    return {s.id: s for s in ranking.measure(replace(study, outcomes=outcomes))}


MEANS = (5.0, 3.0, 1.0, 2.0, 4.0)


def test_the_same_law_ranks_as_real_worlds_do(study):
    found = scores(study, worlds(MEANS, 40, 0), worlds(MEANS, 20, 1))
    tau, regret = found["ranking_tau"], found["ranking_regret"]
    assert tau.value == tau.real_vs_real == 1.0
    assert regret.value == regret.real_vs_real == 0.0
    assert tau.bound < 0.2
    assert tau.n == 20


def test_a_ranking_upside_down_is_seen_and_costs(study):
    found = scores(study, worlds(MEANS, 40, 0), worlds([6 - m for m in MEANS], 20, 1))
    assert found["ranking_tau"].value == -1.0
    assert found["ranking_tau"].excess == pytest.approx(2.0)
    assert found["ranking_regret"].value > 1.0
    assert found["ranking_regret"].excess > 1.0


PERMUTED = {
    1.0: (1, 2, 3, 4, 5),
    0.8: (2, 1, 3, 4, 5),
    0.6: (2, 1, 4, 3, 5),
    0.2: (3, 2, 1, 5, 4),
    -0.6: (4, 5, 2, 3, 1),
    -1.0: (5, 4, 3, 2, 1),
}
"""Ranks of five policies by their tau with 1, 2, 3, 4, 5: one less .2 for each pair that swaps."""


@pytest.mark.parametrize("tau", PERMUTED)
def test_a_known_tau_and_regret_come_out_of_tables_of_outcomes(tau):
    outcomes = {"real": worlds((1, 2, 3, 4, 5), 40, 0), "synthetic": worlds(PERMUTED[tau], 20, 1)}
    found = metrics.efficacy.ranking_fidelity(outcomes, seed=3)
    score, regret = found["ranking_tau"], found["ranking_regret"]
    assert score.value == pytest.approx(tau)
    assert score.low <= tau <= score.high
    assert score.real_vs_real == 1.0
    assert score.excess == pytest.approx(1 - tau)
    chosen = PERMUTED[tau].index(1)  # by synthetic worlds; on real ones it costs its place
    judging = np.random.default_rng(3).permutation(40)[:20]
    means = outcomes["real"].to_numpy()[:, judging].mean(axis=1)
    expected = (means[chosen] - means.min()) / abs(means.min())
    assert regret.value == pytest.approx(expected)
    assert regret.low <= regret.value <= regret.high
    assert found == metrics.efficacy.ranking_fidelity(outcomes, seed=3)


@pytest.mark.long
def test_the_interval_of_tau_covers_what_many_worlds_would_say():
    means, hits, tries = (1.0, 1.3, 1.6, 2.2, 3.0), 0, 60
    mine = (1.3, 1.0, 1.6, 2.2, 3.0)
    for seed in range(tries):
        real, synthetic = worlds(means, 40, 2 * seed, 1.0), worlds(mine, 20, 2 * seed + 1, 1.0)
        score = metrics.efficacy.ranking_fidelity({"real": real, "synthetic": synthetic})[
            "ranking_tau"
        ]
        hits += score.low <= 0.8 <= score.high
    assert hits >= 0.9 * tries


def test_noise_widens_the_interval(study):
    few = scores(study, worlds(MEANS, 8, 0, noise=3.0), worlds(MEANS, 4, 1, noise=3.0))
    many = scores(study, worlds(MEANS, 200, 0, noise=3.0), worlds(MEANS, 100, 1, noise=3.0))
    widths = [s["ranking_tau"].high - s["ranking_tau"].low for s in (few, many)]
    assert widths[0] > widths[1]


def test_the_order_of_policies_does_not_matter(study):
    real, synthetic = worlds(MEANS, 12, 0), worlds(MEANS, 12, 1)
    assert scores(study, real, synthetic) == scores(study, real.iloc[::-1], synthetic)


@given(FIGURES, st.randoms())
def test_tau_is_the_share_of_pairs_that_agree_less_those_that_do_not(a, random):
    b = random.sample(a, len(a))
    pairs = list(combinations(range(len(a)), 2))
    signs = [np.sign((a[i] - a[j]) * (b[i] - b[j])) for i, j in pairs]
    ties = [sum(x[i] != x[j] for i, j in pairs) for x in (a, b)]
    expected = sum(signs) / np.sqrt(ties[0] * ties[1]) if all(ties) else 0.0
    assert ranking.tau(np.array(a), np.array(b)) == pytest.approx(expected)


@given(FIGURES)
def test_nothing_is_lost_by_choosing_on_the_same_figures(a):
    assert ranking.regret(np.array(a, float), np.array(a)) == 0.0


def bad_tables():
    real, synthetic = worlds(MEANS, 10, 0), worlds(MEANS, 10, 1)
    hole = synthetic.copy()
    hole.iloc[0, 0] = np.nan
    yield "by name", {"real": real}
    yield "same policies", {"real": real, "synthetic": synthetic.drop(index="agent")}
    yield "finite", {"real": real, "synthetic": hole}
    yield "8 real worlds", {"real": real.iloc[:, :5], "synthetic": synthetic}
    yield "3 policies", {"real": real.iloc[:2], "synthetic": synthetic.iloc[:2]}
    yield "once each", {"real": pd.concat([real, real]), "synthetic": pd.concat([synthetic] * 2)}


@pytest.mark.parametrize(("word", "outcomes"), list(bad_tables()))
def test_outcomes_that_cannot_be_ranked_are_one_clear_error(study, word, outcomes):
    with pytest.raises(MetricError, match=word):
        ranking.measure(replace(study, outcomes=outcomes))


def test_without_outcomes_it_does_not_apply(study):
    with pytest.raises(NotApplicable):
        ranking.measure(study)
