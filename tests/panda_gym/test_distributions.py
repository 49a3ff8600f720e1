"""Laws: closed forms, fits that recover what was sampled, files that refuse damage."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from panda_gym import distributions as laws
from panda_gym.distributions.arrivals import HOURS, poisson
from panda_gym.distributions.saved import REGISTRY, from_plain, plain
from panda_gym.errors import LawError

WEEK = 604_800.0


def weekly(seed: int, weeks: int = 8, mean_s: float = 120.0) -> np.ndarray:
    """A Poisson process whose rate follows the hours of a day and rests on the weekend."""
    rng = np.random.default_rng(seed)
    t = np.sort(rng.random(rng.poisson(2.2 * weeks * WEEK / mean_s)) * weeks * WEEK)
    day, hour = (t // 86_400) % 7, (t % 86_400) / 3600
    rate = (1.0 + 0.8 * np.sin(2 * np.pi * (hour - 8) / 24)) * np.where(day < 5, 1.0, 0.4)
    return t[rng.random(len(t)) < rate / 2.2]


def hourly(times: np.ndarray) -> np.ndarray:
    return np.bincount((times // 3600).astype(int) % HOURS, minlength=HOURS)


def test_exponentiated_weibull_has_its_closed_form_and_is_found_again():
    law = laws.ExponentiatedWeibull(a=2.0, c=0.6, s=40.0)
    assert law.mean == pytest.approx(101.41, abs=0.01)
    drawn = law.sample(np.random.default_rng(0), 1_000_000)
    assert drawn.mean() == pytest.approx(law.mean, rel=0.01)
    few = drawn[:3000]
    assert laws.ks(laws.ExponentiatedWeibull.fit(few), few) < 0.02
    assert laws.ks(laws.Lognormal.fit(few), few) > 0.03


@settings(max_examples=25, deadline=None)
@given(
    a=st.floats(0.3, 4.0), c=st.floats(0.4, 3.0), s=st.floats(0.1, 1e4), u=st.floats(1e-6, 1 - 1e-6)
)
def test_quantiles_and_distribution_functions_are_inverse(a, c, s, u):
    mixture = laws.LogMixture([0.3, 0.7], [np.log(s), np.log(s) + a], [c, 0.1])
    for law in (
        laws.ExponentiatedWeibull(a, c, s),
        laws.Lognormal(s, c),
        laws.Pareto(a, s),
        laws.Exponential(s),
        mixture,
    ):
        assert float(law.cdf(law.quantile(np.array([u])))[0]) == pytest.approx(u, abs=2e-4)
        assert type(law).from_dict(law.to_dict()).to_dict() == law.to_dict()


def test_our_exponentiated_weibull_is_scipy_s():
    law, x = laws.ExponentiatedWeibull(1.7, 0.8, 30.0), np.geomspace(0.01, 1000.0, 50)
    np.testing.assert_allclose(law.cdf(x), stats.exponweib.cdf(x, 1.7, 0.8, scale=30.0), rtol=1e-10)


def test_the_best_law_is_the_one_that_was_drawn():
    rng = np.random.default_rng(3)
    for law in (laws.ExponentiatedWeibull(3.0, 0.5, 9.0), laws.Pareto(1.5, 2.0)):
        assert laws.best(law.sample(rng, 4000)).kind == law.kind
    # Three parameters come as near to a lognormal as its own two: either may be nearest.
    assert laws.ks(laws.best(drawn := laws.Lognormal(5.0, 1.0).sample(rng, 4000)), drawn) < 0.02


def test_hours_of_the_week_keep_profile_total_and_gaps():
    recorded = weekly(1)
    law = laws.HourOfWeek.fit(recorded)
    drawn = law.until(np.random.default_rng(2), 8 * WEEK)
    assert np.corrcoef(hourly(recorded), hourly(drawn))[0, 1] >= 0.95
    assert len(drawn) == pytest.approx(len(recorded), rel=0.05)
    alike = 0
    for hour in range(HOURS):
        gaps = [np.diff(t)[(t[:-1] // 3600).astype(int) % HOURS == hour] for t in (recorded, drawn)]
        alike += stats.ks_2samp(*gaps).pvalue > 0.01
    assert alike >= 0.95 * HOURS


def test_a_start_within_the_week_meets_that_hour():
    law = laws.HourOfWeek.fit(weekly(1))
    night, noon = (law.until(np.random.default_rng(0), 3600.0, h * 3600.0) for h in (2, 14))
    assert len(noon) > 3 * len(night)


def test_growth_is_found_again():
    rng = np.random.default_rng(0)
    law, x = laws.Growth(0.05, 1.4, 3.0, 0.05), rng.uniform(3.0, 20.0, 4000)
    y = law.median(x) * np.exp(law.sigma * rng.standard_normal(len(x)))
    found = laws.Growth.fit(x, y)
    for name in "abc":
        assert getattr(found, name) == pytest.approx(getattr(law, name), rel=0.05)
    assert found.sigma == pytest.approx(0.05, rel=0.05)


def test_mixtures_of_durations_keep_their_quantiles():
    rng = np.random.default_rng(5)
    recorded = np.concatenate([rng.lognormal(1.0, 0.4, 3000), rng.lognormal(5.0, 0.8, 5000)])
    drawn = laws.LogMixture.fit(recorded).sample(rng, 40_000)
    q = np.linspace(0.05, 0.95, 19)
    assert np.abs(np.quantile(drawn, q) / np.quantile(recorded, q) - 1.0).max() < 0.10


def test_strata_have_their_own_laws_and_the_rest_the_pooled_one():
    rng = np.random.default_rng(6)
    names = np.array(["fast"] * 500 + ["slow"] * 500 + ["rare"] * 5)
    values = np.concatenate([rng.lognormal(1, 0.3, 500), rng.lognormal(6, 0.3, 505)])
    law = laws.Stratified.fit(values, names)
    assert law.law("fast").mean < 5 < 300 < law.law("slow").mean
    assert law.law("rare") is law.pooled is law.law("never seen")


def test_assets_keep_what_belongs_together():
    rng = np.random.default_rng(7)
    rows = rng.lognormal(9, 1.0, 3000)
    table = np.stack(
        [rows, rng.lognormal(3, 0.3, 3000), rows * 80 * rng.lognormal(0, 0.2, 3000)], 1
    )
    drawn = laws.Assets.fit(table).sample(rng, 20_000)
    assert np.corrcoef(np.log(drawn[:, 0]), np.log(drawn[:, 2]))[0, 1] > 0.9


def one_of_each() -> list:
    fitted = weekly(1, weeks=2)
    positive = np.random.default_rng(0).lognormal(0, 1, 300)
    return [
        laws.Constant(3.0),
        laws.Exponential(4.0),
        laws.Lognormal(2.0, 0.5),
        laws.ExponentiatedWeibull(2.0, 0.6, 40.0),
        laws.Pareto(1.5, 2.0),
        laws.LogMixture.fit(positive),
        laws.Assets.fit(np.stack([positive, positive[::-1], positive**2], 1)),
        laws.Growth(0.1, 1.2, 3.0, 0.1),
        laws.Stratified.fit(positive, ["a"] * 300),
        poisson(44.0),
        laws.HourOfWeek.fit(fitted),
        laws.Trace.fit(fitted),
    ]


def test_every_law_survives_its_file(tmp_path):
    kinds = set()
    for law in one_of_each():
        laws.save_law(law, tmp_path / "law.json", origin="a test")
        again = laws.load_law(tmp_path / "law.json")
        assert plain(again) == plain(law)
        kinds.add(law.kind)
        rng, other = np.random.default_rng(1), np.random.default_rng(1)
        if hasattr(law, "sample"):
            np.testing.assert_array_equal(law.sample(rng, 9), again.sample(other, 9))
        if hasattr(law, "until"):
            np.testing.assert_array_equal(law.until(rng, WEEK), again.until(other, WEEK))
    assert kinds == set(REGISTRY)


def test_damaged_files_are_one_clear_error(tmp_path):
    path = tmp_path / "law.json"
    laws.save_law(laws.Pareto(1.5, 2.0), path)
    whole = path.read_text()
    for text in (
        whole[:-20],
        whole.replace("1.5", "1.6"),
        whole.replace("pareto", "parito"),
        "[]",
        "",
    ):
        path.write_text(text)
        with pytest.raises(LawError, match="saved law"):
            laws.load_law(path)
    with pytest.raises(LawError, match="saved law"):
        laws.load_law(tmp_path / "none.json")
    for broken, named in (
        ({"kind": "parito"}, "did you mean pareto"),
        ({"kind": "pareto", "b": -1.0, "scale": 2.0}, "above 0"),
        ({"kind": "pareto", "b": 1.0}, "b, scale"),
        ({"kind": "log_mixture", "weights": [1.0], "means": ["x"], "deviations": [1.0]}, "numbers"),
        ({"kind": "hour_of_week", "gaps": [], "ceiling": [], "scale": []}, "168"),
        (json.loads("[]"), "kind"),
    ):
        with pytest.raises(LawError, match=named):
            from_plain(broken)


@pytest.mark.parametrize("fit", [laws.best, laws.LogMixture.fit, laws.ExponentiatedWeibull.fit])
def test_samples_that_no_law_fits_are_one_clear_error(fit):
    good = np.random.default_rng(0).lognormal(0, 1, 100)
    for bad, named in (
        (good[:5], "at least 20"),
        (np.full(100, 3.0), "vary"),
        (-good, "above 0"),
        (np.append(good, np.nan), "finite"),
        (["x"] * 30, "numbers"),
    ):
        with pytest.raises(LawError, match=named):
            fit(bad)


def test_arrivals_that_cannot_be_fitted_are_one_clear_error():
    for times, named in (
        ([1.0, 2.0], "at least"),
        ([5.0] * 50, "all at once"),
        ([np.nan] * 50, "finite"),
    ):
        with pytest.raises(LawError, match=named):
            laws.fit_arrivals(times)
    with pytest.raises(LawError, match="did you mean poisson"):
        laws.fit_arrivals(weekly(1, 1), "poison")


def test_a_trace_is_replayed_and_begins_anew():
    times = np.array([10.0, 20.0, 50.0])
    law = laws.Trace.fit(times)
    np.testing.assert_allclose(
        np.diff(law.first(np.random.default_rng(0), 6)), [10, 30, 20, 10, 30]
    )
