"""Scores are sites, and six values are five and the cost."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest

import panda_gym
from panda_gym.environments.placement.wrappers import SafetyTuple, ScoreAction
from panda_gym.errors import SettingError


@pytest.fixture
def make(records: Any) -> Any:
    stream = panda_gym.JobStream.from_records(records)

    def made() -> gymnasium.Env:
        return gymnasium.make(
            "PandaGrid/Placement-v0", stream=stream, platform="tiny4", scale=1.0, jobs=10, warmup=2
        )

    return made


def test_the_highest_legal_score_is_the_site(make: Any) -> None:
    plain, scored = make(), ScoreAction(make())
    plain.reset(seed=1)
    scored.reset(seed=1)
    for site in (0, 3, 1, 2):
        scores = np.full(4, -0.5, dtype=np.float32)
        scores[site] = 0.5
        mine, theirs = plain.step(site), scored.step(scores)
        assert mine[1] == theirs[1]
        np.testing.assert_array_equal(mine[0]["sites"], theirs[0]["sites"])


def test_a_masked_site_is_never_taken(make: Any) -> None:
    env = ScoreAction(make())
    env.reset(seed=0)
    env.unwrapped.batch.simulator.mask[0] = [1, 0, 1, 0]  # type: ignore[attr-defined]
    assert env.action(np.array([-1.0, 1.0, -0.5, 0.9])) == 2


@pytest.mark.parametrize("scores", [np.zeros(3), np.array([0.0, np.nan, 0.0, 0.0])])
def test_wrong_scores_are_one_clear_error(make: Any, scores: np.ndarray) -> None:
    env = ScoreAction(make())
    env.reset(seed=0)
    with pytest.raises(SettingError, match="4 scores"):
        env.step(scores)


def test_the_cost_stands_beside_the_reward(make: Any) -> None:
    env = SafetyTuple(make())
    env.reset(seed=0)
    _, _, cost, _, _, info = env.step(0)
    assert cost == info["cost"]
    assert isinstance(cost, float)


def test_any_sample_of_the_space_is_an_action(make: Any) -> None:
    env = ScoreAction(make())
    env.action_space.seed(0)
    seen, _ = env.reset(seed=0)
    truncated = False
    while not truncated:
        seen, _, _, truncated, _ = env.step(env.action_space.sample())
        assert env.observation_space.contains(seen)
