"""Every named scenario runs, differs from the default, and gives way to what is asked for."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

import panda_gym  # noqa: F401  (registers the environments)
from panda_gym.benchmarking.episodes import play
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.env import PlacementEnv
from panda_gym.environments.placement.named_scenarios import DEFAULT, SCENARIOS
from panda_gym.environments.placement.policies import create
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.errors import SettingError
from tests.panda_gym.placements import small

BARE = {k: v for k, v in small().items() if k != "load"}


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_runs_and_is_repeatable(name: str) -> None:
    env = gymnasium.make("PandaGrid/Placement-v0", scenario=name, **BARE)
    returns = []
    for _ in range(2):
        env.reset(seed=3)
        returns.append([env.step(k % 10)[1] for k in range(40)])
    assert returns[0] == returns[1]
    assert np.isfinite(returns[0]).all()


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name != DEFAULT])
def test_it_is_another_world_than_the_default(name: str) -> None:
    def waits(**settings: object) -> list[float]:
        env = PlacementEnv(**settings, **BARE)
        env.reset(seed=1)
        for k in range(40):
            env.step(k % 10)
        return env.episode_log().turnaround_s.tolist()

    assert waits(scenario=name) != waits()
    assert SCENARIOS[name].meaning.endswith(".")


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_sets_neither_size_nor_jobs(name: str) -> None:
    size = {"platform", "scale", "jobs", "stream", "surrogate", "warmup"}
    assert not size & SCENARIOS[name].settings.keys()
    assert Scenario.of(scenario=name, scale=0.5).scale == 0.5


def test_what_is_given_beside_it_wins() -> None:
    assert Scenario.of(scenario="saturated", load=0.4).load == 0.4
    assert Scenario.of(load=0.4, scenario="saturated").load == 0.4
    assert vars(Scenario.of(scenario=DEFAULT)) == vars(Scenario.of())


def test_jobs_wait_least_in_a_calm_grid_and_most_in_a_full_one() -> None:
    def wait(name: str) -> float:
        batch = PlacementBatch(Scenario.of(scenario=name, **{**BARE, "jobs": 400}), 4)
        measured = play(batch, create("least_loaded"), range(4))
        return float(np.mean([one["mean_wait"] for one in measured]))

    assert wait("calm") < wait(DEFAULT) < min(wait("saturated"), wait("rush"))


def test_inputs_are_as_large_as_the_scale_says() -> None:
    plain, large = Scenario.of(**BARE).open_stream(), Scenario.of(input_scale=3.0, **BARE)
    np.testing.assert_array_equal(large.open_stream().input_bytes, 3.0 * plain.input_bytes)


@pytest.mark.parametrize("name", ["saturatd", 3, None])
def test_an_unknown_name_is_one_clear_error(name: object) -> None:
    with pytest.raises(SettingError, match="scenario"):
        Scenario.of(scenario=name)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), "2", True])
def test_a_wrong_input_scale_is_one_clear_error(scale: object) -> None:
    with pytest.raises(SettingError, match="input_scale"):
        Scenario.of(input_scale=scale)
