"""Energy and carbon as costs of a decision: as the log has them, and only where asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import panda_gym  # noqa: F401  registers the environments
from panda_gym.environments.placement.env import PlacementEnv
from panda_gym.errors import SettingError
from panda_gym.sites import Electricity
from tests.panda_gym.placements import PLATFORM, small

COUNTRIES = tuple(("DE", "US", "GB", "NO", "PL")[k % 5] for k in range(len(PLATFORM)))
SETTINGS: dict[str, Any] = small(
    platform=replace(PLATFORM, region=COUNTRIES), costs=("carbon_kg", "energy_kwh")
)


def paid(env: PlacementEnv) -> tuple[np.ndarray, np.ndarray]:
    """Energy and emissions of the decisions of an episode that takes the legal sites in turn."""
    env.reset(seed=3)
    found, done, step = [], False, 0
    while not done:
        legal = np.flatnonzero(env.action_masks())
        _, _, _, done, info = env.step(int(legal[step % len(legal)]))
        assert list(info["costs"]) == ["carbon_kg", "energy_kwh"]
        assert info["cost"] == pytest.approx(sum(info["costs"].values()))
        found.append((info["costs"]["energy_kwh"], info["costs"]["carbon_kg"]))
        step += 1
    energy, carbon = np.array(found).T
    return energy, carbon


def test_the_energy_of_a_decision_is_that_of_the_log() -> None:
    env = PlacementEnv(**SETTINGS)
    energy, carbon = paid(env)
    log = env.episode_log()
    np.testing.assert_allclose(energy, log.energy_kwh[log.judged], rtol=1e-6)
    intensity = 1000.0 * carbon / energy
    sites = Electricity.of(COUNTRIES).intensity[log.site[log.judged]]
    assert (intensity > sites.min(axis=1) - 1e-6).all()
    assert (intensity < sites.max(axis=1) + 1e-6).all()
    flat = sites.min(axis=1) == sites.max(axis=1)
    assert flat.sum() > 5
    np.testing.assert_allclose(carbon[flat], log.carbon_kg[log.judged][flat], rtol=1e-6)


def test_the_vector_pays_what_its_members_pay() -> None:
    vector = gym.make_vec("PandaGrid/Placement-v0", num_envs=3, **SETTINGS)
    env, legal = PlacementEnv(**SETTINGS), 0
    vector.reset(seed=3)
    env.reset(seed=3)
    for _ in range(10):
        legal = int(np.flatnonzero(env.action_masks())[-1])
        info = env.step(legal)[4]
        infos = vector.step(np.full(3, legal))[4]
        for name, value in info["costs"].items():
            assert infos["costs"][name][0] == value
    assert np.ptp(infos["costs"]["energy_kwh"]) > 0.0


def test_a_new_episode_begins_without_costs() -> None:
    env = PlacementEnv(**SETTINGS)
    env.reset(seed=0)
    env.step(0)
    assert set(env.reset(seed=1)[1]["costs"].values()) == {0.0}


def test_several_jobs_at_once_add_up_and_a_deferred_one_costs_nothing() -> None:
    env = PlacementEnv(**SETTINGS, decisions=2, defer=True)
    env.reset(seed=3)
    first = int(np.flatnonzero(env.action_masks()[: len(PLATFORM)])[0])
    one = env.step(np.array([first, len(PLATFORM)]))[4]["costs"]["energy_kwh"]
    env.reset(seed=3)
    assert env.step(np.array([first, first]))[4]["costs"]["energy_kwh"] > one > 0.0


def test_they_are_left_out_unless_named() -> None:
    env = PlacementEnv(**small())
    assert "carbon_kg" not in env.reset(seed=0)[1]["costs"]
    with pytest.raises(SettingError, match="did you mean carbon_kg"):
        PlacementEnv(**small(costs=["carbon"]))
