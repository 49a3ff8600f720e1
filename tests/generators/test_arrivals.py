"""The process of arrivals: what was put in comes out, and a path is one whatever its pieces."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from generators.arrivals import Arrivals, rate
from generators.arrivals.cycles import Cycles, holidays
from generators.arrivals.excitation import DELAYS_S, Excitation, learn
from generators.errors import GeneratorError

HOUR_S = 3600.0
EPOCH = 19_000 * 24  # hours; a Wednesday


def stream(hours: int, seed: int, mean: float = 6.0) -> np.ndarray:
    """Events with a daily cycle and half as many on the weekend."""
    rng = np.random.default_rng(seed)
    hour = EPOCH + np.arange(hours)
    weekend = (hour // 24 + 3) % 7 >= 5
    level = mean * np.where(weekend, 0.5, 1.0) * (1 + 0.6 * np.sin(2 * np.pi * hour / 24))
    counts = rng.poisson(level)
    return np.sort((np.repeat(hour, counts) + rng.random(counts.sum())) * HOUR_S)


@pytest.fixture(scope="module")
def fitted() -> Arrivals:
    events = stream(24 * 42, 0)
    return Arrivals.fit(events, (EPOCH + 24 * 42) * HOUR_S - 1)


def test_cycles_go_on_after_the_window(fitted: Arrivals) -> None:
    start = fitted.cycles.hours
    events = fitted.path(3).events(start, start + 24 * 7 * 40)
    hour = (events // HOUR_S).astype(int)
    expected = stream(24 * 7 * 40, 9)
    assert len(events) == pytest.approx(len(expected), rel=0.1)
    weekend = ((hour // 24 + 3) % 7 >= 5).mean()
    assert weekend == pytest.approx(1 / 6, abs=0.02)
    for part in range(0, 24, 6):
        ours = ((hour % 24) // 6 == part // 6).mean()
        true = ((expected // HOUR_S).astype(int) % 24 // 6 == part // 6).mean()
        assert ours == pytest.approx(true, abs=0.02)


def test_noise_of_the_rate_is_found_where_it_is_and_not_where_it_is_not(fitted: Arrivals) -> None:
    assert fitted.rate.settings.sd[0] < 0.1
    assert fitted.excitation.branching == 0.0
    rng = np.random.default_rng(1)
    path, level = np.empty(24 * 60), 0.0
    for i in range(len(path)):
        level = 0.7 * level + 0.5 * np.sqrt(1 - 0.7**2) * rng.standard_normal()
        path[i] = level
    counts = rng.poisson(8.0 * np.exp(path))
    events = (EPOCH + np.repeat(np.arange(len(path)), counts) + rng.random(counts.sum())) * HOUR_S
    found = Arrivals.fit(events, (EPOCH + len(path)) * HOUR_S - 1).rate.settings
    assert found.sd[0] == pytest.approx(0.5, abs=0.1)
    assert found.lag[0] == pytest.approx(0.7, abs=0.12)


def test_events_that_call_forth_events_are_told_from_others() -> None:
    rng = np.random.default_rng(2)
    base = np.sort(rng.uniform(0, 600 * HOUR_S, 3000))
    planted = Excitation(np.array([0.1, 0.0, 0.3, 0.0]))
    events = np.sort(np.concatenate([base, planted.offspring(base, rng)]))
    found, chance = learn(events, np.full(len(events), len(events) / (600 * HOUR_S)))
    assert found.weights == pytest.approx(planted.weights, abs=0.05)
    assert chance.sum() == pytest.approx(len(events) - 3000, rel=0.15)
    alone, _ = learn(base, np.full(3000, 3000 / (600 * HOUR_S)))
    assert alone.branching == 0.0


def test_a_path_is_the_same_in_one_piece_or_many(fitted: Arrivals) -> None:
    for replay in (False, True):
        whole = fitted.path(5, replay).events(900, 1100)
        path = fitted.path(5, replay)
        cuts = [900, 901, 950, 1007, 1100]
        parts = [path.events(a, b) for a, b in itertools.pairwise(cuts)]
        np.testing.assert_array_equal(whole, np.concatenate(parts))
        assert not np.array_equal(whole, fitted.path(6, replay).events(900, 1100))


def test_pieces_join_where_events_beget_events_across_the_cut(fitted: Arrivals) -> None:
    busy = Arrivals(
        fitted.cycles,
        fitted.rate,
        Excitation(np.array([0.0, 0.0, 0.0, 0.5])),
        fitted.first_s,
        fitted.last_s,
    )
    whole = busy.path(1).events(1008, 1100)
    path = busy.path(1)
    parts = [path.events(hour, hour + 4) for hour in range(1008, 1100, 4)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_a_replay_follows_the_window_again_and_again() -> None:
    rng = np.random.default_rng(3)
    level = np.where(np.arange(24 * 28) // 24 % 28 == 20, 200.0, 2.0)  # one day stands out
    counts = np.maximum(rng.poisson(level), np.arange(24 * 28) == 0)
    events = (EPOCH + np.repeat(np.arange(24 * 28), counts) + rng.random(counts.sum())) * HOUR_S
    model = Arrivals.fit(events, (EPOCH + 24 * 28) * HOUR_S - 1)
    drawn = model.path(0, replay=True).events(0, 2 * 24 * 28)
    days = np.bincount((drawn // HOUR_S).astype(int) // 24 - EPOCH // 24, minlength=56)
    assert set(np.argsort(days)[-2:]) == {20, 48}
    assert days[20] == pytest.approx(4800, rel=0.1)


def test_restored_arrivals_draw_the_same(fitted: Arrivals) -> None:
    again = Arrivals.restore(fitted.arrays(), fitted.cycles.holidays)
    np.testing.assert_array_equal(fitted.path(0).events(0, 30), again.path(0).events(0, 30))


def test_a_holiday_is_learnt_and_comes_again() -> None:
    days = np.datetime64("2022-11-15", "D") + np.arange(420)
    quiet = holidays(days.astype(np.int64), ("12-20/01-05",))[:, 0] > 0
    assert quiet.sum() == 17 + 17
    rng = np.random.default_rng(4)
    hours = np.repeat(np.where(quiet, 0.4, 2.0), 24)[: 24 * 80]
    counts = np.maximum(rng.poisson(hours), np.arange(len(hours)) == 0)
    first = int(days[0].astype("datetime64[h]").astype(np.int64))
    at = np.repeat(first + np.arange(len(hours)), counts)
    model = Arrivals.fit((at + 0.5) * HOUR_S, (first + len(hours)) * HOUR_S - 1, ("12-20/01-05",))
    drawn = model.path(0).events(len(hours), 24 * 420) // HOUR_S - first
    seen = np.bincount((drawn // 24).astype(int), minlength=420)[80:]
    assert seen[quiet[80:]].mean() < 0.5 * seen[~quiet[80:]].mean()


@pytest.mark.parametrize("n", [1, 2, 30])
def test_few_events_are_enough(n: int) -> None:
    times = np.random.default_rng(n).uniform(0, 5000, n)
    model = Arrivals.fit(times, 6000.0)
    assert np.all(np.diff(model.path(0).events(0, 50)) >= 0)


@pytest.mark.parametrize(
    ("times", "last", "message"),
    [([5.0, 5.0], 5.0, "differ"), ([], 5.0, "differ"), ([0.0, 9e9], 9e9, "five years")],
)
def test_times_that_tell_nothing_are_refused(times: list, last: float, message: str) -> None:
    with pytest.raises(GeneratorError, match=message):
        Arrivals.fit(np.array(times), last)


@pytest.mark.parametrize("span", ["christmas", "12-40/01-02", "12-01", ""])
def test_a_holiday_that_is_none_is_refused(span: str) -> None:
    with pytest.raises(GeneratorError, match="MM-DD"):
        Cycles(0, 48, (span,)).design(np.arange(3))


def test_the_band_algebra_is_that_of_full_matrices() -> None:
    settings = rate.Settings((0.4, 0.2), (0.6, 0.95))
    band = settings.prior(5)
    full = np.zeros((10, 10))
    for k in range(3):
        full += np.diag(band[2 - k, k:], k)
        full += np.diag(band[2 - k, k:], -k) if k else 0
    lags = np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
    for k in (0, 1):
        law = settings.sd[k] ** 2 * settings.lag[k] ** lags
        np.testing.assert_allclose(np.linalg.inv(full)[k::2, k::2], law, atol=1e-10)
    assert settings.log_prior_det(5) == pytest.approx(np.linalg.slogdet(full)[1])
    x = np.random.default_rng(0).standard_normal(10)
    np.testing.assert_allclose(rate._times(band, x), full @ x)
    assert len(DELAYS_S) == 4
