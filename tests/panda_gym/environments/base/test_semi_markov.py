"""Discount by time: of an interval, of a reward inside it, and inside an environment."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

import panda_gym  # noqa: F401  (registers the environments)
from panda_gym.environments.base.semi_markov import TimeDiscount, discount, mean_discount
from panda_gym.errors import SettingError

DAY = 86_400.0


def test_a_day_in_parts_is_a_day():
    parts = np.array([0.25, 0.0, 0.5, 0.25]) * DAY
    assert (
        discount(parts, DAY).prod() == pytest.approx(discount(DAY, DAY)) == pytest.approx(1 / np.e)
    )


def test_the_mean_over_an_interval_is_an_integral():
    for elapsed in (1.0, DAY, 5 * DAY):
        grid = np.linspace(0.0, elapsed, 20_001)
        assert mean_discount(elapsed, DAY) == pytest.approx(discount(grid, DAY).mean(), rel=1e-3)
    assert mean_discount(0.0, DAY) == 1.0


@pytest.mark.parametrize("accrues", [True, False])
def test_a_return_is_discounted_from_the_start(accrues):
    settings = {"models": 4, "days": 3.0}
    plain = gymnasium.make("PandaGrid/Pipelines-v0", **settings)
    env = TimeDiscount(gymnasium.make("PandaGrid/Pipelines-v0", **settings), DAY, accrues)
    plain.reset(seed=3)
    _, begin = env.reset(seed=3)
    assert begin["discount"] == 1.0
    expected = found = clock = 0.0
    over = False
    while not over:
        _, reward, _, over, info = plain.step(plain.action_space.n - 1)
        _, paid, _, same, own = env.step(env.action_space.n - 1)
        share = mean_discount(info["elapsed_s"], DAY) if accrues else 1.0
        expected += reward * share * np.exp(-clock / DAY)
        found, clock = found + paid, info["clock_s"]
        assert same == over
        assert own["discount"] == pytest.approx(discount(info["elapsed_s"], DAY))
    assert found == pytest.approx(expected)
    assert clock == 3 * DAY


@pytest.mark.parametrize("horizon", [0.0, -1.0, float("inf"), float("nan"), "day"])
def test_a_horizon_is_above_zero(horizon):
    with pytest.raises(SettingError, match="horizon_s above 0"):
        TimeDiscount(gymnasium.make("PandaGrid/Pipelines-v0"), horizon)
