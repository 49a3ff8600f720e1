"""The competing load: its law, its limits, its bad settings."""

from __future__ import annotations

import numpy as np
import pytest

from panda_gym.errors import SettingError
from panda_gym.simulator import Competing, Settings, Simulator
from panda_gym.simulator.competing import widest
from tests.oracles.grid_twin import nearly_normal
from tests.oracles.worlds import ENCODING, make_episode, make_platform


def levels(load: Competing, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Cores of others at each of three sites at each of many moments, and the site's cores."""
    platform = make_platform(3, most_cores=200, seed=1)
    episode = make_episode(platform, jobs=days * 24, load=1.0)
    object.__setattr__(episode, "arrival_s", np.arange(days * 24) * 3600.0)
    simulator = Simulator(
        platform,
        batch=1,
        capacity=days * 24,
        encoding=ENCODING,
        settings=Settings(competing=load),
    )
    simulator.load(0, episode, seed=5)
    simulator.begin()
    rows = []
    for _ in range(days * 24 - 1):
        simulator.step(np.zeros(1, np.int64))
        rows.append(simulator.world.sites["competing_cores"][0].copy())
    return np.array(rows), platform.cores


def test_the_mean_share_and_the_spread_are_as_set():
    others, cores = levels(Competing(mean=0.4, daily=0.0, spread=0.2, memory=0.5), days=60)
    share = others / cores
    np.testing.assert_allclose(share.mean(axis=0), 0.4, atol=0.02)
    np.testing.assert_allclose(share.std(axis=0), 0.08, rtol=0.15)


def test_the_daily_cycle_has_its_peak_where_it_is_set():
    others, _ = levels(Competing(mean=0.5, daily=0.5, spread=0.0, peak_hour=6.0), days=20)
    # The day's shape does not depend on the day: compare moments 12 hours apart.
    assert np.abs(np.diff(others, axis=0)).max() > 0
    assert np.ptp(others[:24, 0]) > 0.4 * others[:, 0].mean()
    np.testing.assert_array_equal(others[:24], others[24:48])


def test_draws_are_nearly_normal_and_uncorrelated():
    draws = np.array([[nearly_normal(9, s, k) for k in range(2000)] for s in range(4)])
    assert abs(draws.mean()) < 0.03
    assert abs(draws.std() - 1.0) < 0.02
    assert np.abs(np.corrcoef(draws)[np.triu_indices(4, 1)]).max() < 0.07
    assert abs(np.corrcoef(draws[0, 1:], draws[0, :-1])[0, 1]) < 0.07


def test_room_is_left_for_the_widest_job_that_fits():
    cores = np.array([1, 4, 8, 20])
    np.testing.assert_array_equal(widest(cores, np.array([2, 8, 2])), [0, 2, 8, 8])
    load = Competing(mean=0.9)
    share = load.mean_share(cores, np.ones(4), np.array([2, 8, 2]))
    assert share == pytest.approx((0.9 + 2.0 + 0.0 + 12.0) / 33.0)


@pytest.mark.parametrize(
    "wrong",
    [{"mean": 1.0}, {"mean": float("nan")}, {"memory": -0.1}, {"interval_s": 0.0}, {"mean": True}],
)
def test_a_setting_out_of_range_is_one_clear_error(wrong):
    with pytest.raises(SettingError, match=next(iter(wrong))):
        Competing(**wrong)
