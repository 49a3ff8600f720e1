"""Distributions: closed forms, fits that recover what was sampled, files that refuse damage."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from panda_gym import distributions, errors
from panda_gym.distributions.arrivals import HOURS, Trace, poisson
from panda_gym.distributions.parametric import best_fit, ks_distance
from panda_gym.distributions.saved import REGISTRY, from_plain, plain
from panda_gym.errors import DistributionError

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
    distribution = distributions.ExponentiatedWeibull(a=2.0, c=0.6, s=40.0)
    assert distribution.mean == pytest.approx(101.41, abs=0.01)
    drawn = distribution.sample(np.random.default_rng(0), 1_000_000)
    assert drawn.mean() == pytest.approx(distribution.mean, rel=0.01)
    few = drawn[:3000]
    assert ks_distance(distributions.ExponentiatedWeibull.fit(few), few) < 0.02
    assert ks_distance(distributions.Lognormal.fit(few), few) > 0.03


@settings(max_examples=25, deadline=None)
@given(
    a=st.floats(0.3, 4.0), c=st.floats(0.4, 3.0), s=st.floats(0.1, 1e4), u=st.floats(1e-6, 1 - 1e-6)
)
def test_quantiles_and_distribution_functions_are_inverse(a, c, s, u):
    mixture = distributions.LogMixture([0.3, 0.7], [np.log(s), np.log(s) + a], [c, 0.1])
    for distribution in (
        distributions.ExponentiatedWeibull(a, c, s),
        distributions.Lognormal(s, c),
        distributions.Pareto(a, s),
        distributions.Exponential(s),
        mixture,
    ):
        assert float(distribution.cdf(distribution.quantile(np.array([u])))[0]) == pytest.approx(
            u, abs=2e-4
        )
        assert (
            type(distribution).from_dict(distribution.to_dict()).to_dict() == distribution.to_dict()
        )


def test_our_exponentiated_weibull_is_scipy_s():
    distribution, x = (
        distributions.ExponentiatedWeibull(1.7, 0.8, 30.0),
        np.geomspace(0.01, 1000.0, 50),
    )
    np.testing.assert_allclose(
        distribution.cdf(x), stats.exponweib.cdf(x, 1.7, 0.8, scale=30.0), rtol=1e-10
    )


def test_the_best_distribution_is_the_one_that_was_drawn():
    rng = np.random.default_rng(3)
    for distribution in (
        distributions.ExponentiatedWeibull(3.0, 0.5, 9.0),
        distributions.Pareto(1.5, 2.0),
    ):
        assert best_fit(distribution.sample(rng, 4000)).kind == distribution.kind
    # Three parameters come as near to a lognormal as its own two: either may be nearest.
    assert (
        ks_distance(best_fit(drawn := distributions.Lognormal(5.0, 1.0).sample(rng, 4000)), drawn)
        < 0.02
    )


def test_hours_of_the_week_keep_profile_total_and_gaps():
    recorded = weekly(1)
    distribution = distributions.HourOfWeek.fit(recorded)
    drawn = distribution.until(np.random.default_rng(2), 8 * WEEK)
    assert np.corrcoef(hourly(recorded), hourly(drawn))[0, 1] >= 0.95
    assert len(drawn) == pytest.approx(len(recorded), rel=0.05)
    alike = 0
    for hour in range(HOURS):
        gaps = [np.diff(t)[(t[:-1] // 3600).astype(int) % HOURS == hour] for t in (recorded, drawn)]
        alike += stats.ks_2samp(*gaps).pvalue > 0.01
    assert alike >= 0.95 * HOURS


def test_a_start_within_the_week_meets_that_hour():
    distribution = distributions.HourOfWeek.fit(weekly(1))
    night, noon = (
        distribution.until(np.random.default_rng(0), 3600.0, h * 3600.0) for h in (2, 14)
    )
    assert len(noon) > 3 * len(night)


def test_growth_is_found_again():
    rng = np.random.default_rng(0)
    distribution, x = distributions.Growth(0.05, 1.4, 3.0, 0.05), rng.uniform(3.0, 20.0, 4000)
    y = distribution.median(x) * np.exp(distribution.sigma * rng.standard_normal(len(x)))
    found = distributions.Growth.fit(x, y)
    for name in "abc":
        assert getattr(found, name) == pytest.approx(getattr(distribution, name), rel=0.05)
    assert found.sigma == pytest.approx(0.05, rel=0.05)


def test_mixtures_of_durations_keep_their_quantiles():
    rng = np.random.default_rng(5)
    recorded = np.concatenate([rng.lognormal(1.0, 0.4, 3000), rng.lognormal(5.0, 0.8, 5000)])
    drawn = distributions.LogMixture.fit(recorded).sample(rng, 40_000)
    q = np.linspace(0.05, 0.95, 19)
    assert np.abs(np.quantile(drawn, q) / np.quantile(recorded, q) - 1.0).max() < 0.10


def test_strata_have_their_own_distributions_and_the_rest_the_pooled_one():
    rng = np.random.default_rng(6)
    names = np.array(["fast"] * 500 + ["slow"] * 500 + ["rare"] * 5)
    values = np.concatenate([rng.lognormal(1, 0.3, 500), rng.lognormal(6, 0.3, 505)])
    distribution = distributions.Stratified.fit(values, names)
    assert distribution.of("fast").mean < 5 < 300 < distribution.of("slow").mean
    assert distribution.of("rare") is distribution.pooled is distribution.of("never seen")


def test_assets_keep_what_belongs_together():
    rng = np.random.default_rng(7)
    rows = rng.lognormal(9, 1.0, 3000)
    table = np.stack(
        [rows, rng.lognormal(3, 0.3, 3000), rows * 80 * rng.lognormal(0, 0.2, 3000)], 1
    )
    drawn = distributions.Assets.fit(table).sample(rng, 20_000)
    assert np.corrcoef(np.log(drawn[:, 0]), np.log(drawn[:, 2]))[0, 1] > 0.9


def one_of_each() -> list:
    fitted = weekly(1, weeks=2)
    positive = np.random.default_rng(0).lognormal(0, 1, 300)
    return [
        distributions.Constant(3.0),
        distributions.Exponential(4.0),
        distributions.Lognormal(2.0, 0.5),
        distributions.ExponentiatedWeibull(2.0, 0.6, 40.0),
        distributions.Pareto(1.5, 2.0),
        distributions.LogMixture.fit(positive),
        distributions.Assets.fit(np.stack([positive, positive[::-1], positive**2], 1)),
        distributions.Growth(0.1, 1.2, 3.0, 0.1),
        distributions.Stratified.fit(positive, ["a"] * 300),
        poisson(44.0),
        distributions.HourOfWeek.fit(fitted),
        Trace.fit(fitted),
    ]


def test_every_distribution_survives_its_file(tmp_path):
    kinds = set()
    for distribution in one_of_each():
        distributions.save_distribution(distribution, tmp_path / "arrivals.json", origin="a test")
        again = distributions.load_distribution(tmp_path / "arrivals.json")
        assert plain(again) == plain(distribution)
        kinds.add(distribution.kind)
        rng, other = np.random.default_rng(1), np.random.default_rng(1)
        if hasattr(distribution, "sample"):
            np.testing.assert_array_equal(distribution.sample(rng, 9), again.sample(other, 9))
        if hasattr(distribution, "until"):
            np.testing.assert_array_equal(distribution.until(rng, WEEK), again.until(other, WEEK))
    assert kinds == set(REGISTRY)


def test_damaged_files_are_one_clear_error(tmp_path):
    path = tmp_path / "arrivals.json"
    distributions.save_distribution(distributions.Pareto(1.5, 2.0), path)
    whole = path.read_text()
    for text in (
        whole[:-20],
        whole.replace("1.5", "1.6"),
        whole.replace("pareto", "parito"),
        "[]",
        "",
    ):
        path.write_text(text)
        with pytest.raises(DistributionError, match="saved distribution"):
            distributions.load_distribution(path)
    with pytest.raises(DistributionError, match="saved distribution"):
        distributions.load_distribution(tmp_path / "none.json")
    for broken, named in (
        ({"kind": "parito"}, "did you mean pareto"),
        ({"kind": "pareto", "b": -1.0, "scale": 2.0}, "above 0"),
        ({"kind": "pareto", "b": 1.0}, "b, scale"),
        ({"kind": "log_mixture", "weights": [1.0], "means": ["x"], "deviations": [1.0]}, "numbers"),
        ({"kind": "hour_of_week", "gaps": [], "ceiling": [], "scale": []}, "168"),
        (json.loads("[]"), "kind"),
    ):
        with pytest.raises(DistributionError, match=named):
            from_plain(broken)


@pytest.mark.parametrize(
    "fit",
    [best_fit, distributions.LogMixture.fit, distributions.ExponentiatedWeibull.fit],
)
def test_samples_that_no_distribution_fits_are_one_clear_error(fit):
    good = np.random.default_rng(0).lognormal(0, 1, 100)
    for bad, named in (
        (good[:5], "at least 20"),
        (np.full(100, 3.0), "vary"),
        (-good, "above 0"),
        (np.append(good, np.nan), "finite"),
        (["x"] * 30, "numbers"),
    ):
        with pytest.raises(DistributionError, match=named):
            fit(bad)


def test_arrivals_that_cannot_be_fitted_are_one_clear_error():
    for times, named in (
        ([1.0, 2.0], "at least"),
        ([5.0] * 50, "all at once"),
        ([np.nan] * 50, "finite"),
    ):
        with pytest.raises(DistributionError, match=named):
            distributions.fit_arrivals(times)
    with pytest.raises(DistributionError, match="did you mean poisson"):
        distributions.fit_arrivals(weekly(1, 1), "poison")


def test_a_trace_is_replayed_and_begins_anew():
    times = np.array([10.0, 20.0, 50.0])
    distribution = Trace.fit(times)
    np.testing.assert_allclose(
        np.diff(distribution.first(np.random.default_rng(0), 6)), [10, 30, 20, 10, 30]
    )


def test_a_file_of_release_0_1_opens_and_old_names_warn(tmp_path):
    content = {"kind": "pareto", "b": 1.5, "scale": 2.0}
    body = {"origin": "a test", "law": content}
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    path = tmp_path / "old.json"
    path.write_text(json.dumps({"format": 1, "sha256": digest, **body}))
    assert distributions.load_distribution(path) == distributions.Pareto(1.5, 2.0)
    with pytest.warns(FutureWarning, match="load_distribution"):
        assert distributions.load_law is distributions.load_distribution
    with pytest.warns(FutureWarning, match="DistributionError"):
        assert errors.LawError is DistributionError
