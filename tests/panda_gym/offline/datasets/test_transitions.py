"""Minibatches are what was logged, and a trial is what the policy itself does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from panda_gym.environments.placement import policies
from panda_gym.errors import SettingError
from panda_gym.offline import datasets

SETTINGS: dict[str, Any] = {
    "platform": "tiny4",
    "scale": 1.0,
    "jobs": 30,
    "warmup": 5,
    "stream_jobs": 400,
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> datasets.OfflineDataset:
    folder = tmp_path_factory.mktemp("transitions") / "two"
    return datasets.collect(folder, ["random", "earliest_completion"], 240, **SETTINGS)


def test_every_transition_stands_beside_what_followed_it(data: datasets.OfflineDataset) -> None:
    found = datasets.Transitions.of(data)
    assert len(found) == 240
    row = 0
    for episode in data.episodes():
        parts = episode.parts()
        for step in range(len(episode)):
            before = found.before[row]
            for name, part in parts.items():
                np.testing.assert_array_equal(found.seen[name][before], part[step])
                np.testing.assert_array_equal(found.seen[name][before + 1], part[step + 1])
            assert found.actions[row] == episode.actions[step]
            assert found.costs[row] == np.float32(episode.cost[step])
            row += 1


def test_a_minibatch_is_drawn_by_its_generator(data: datasets.OfflineDataset) -> None:
    found = datasets.Transitions.of(data, lambda one: one.behaviour == "random")
    assert len(found) == 120
    one, other = (found.draw(np.random.default_rng(3), 500) for _ in range(2))
    np.testing.assert_array_equal(one.actions, other.actions)
    assert one.observation["sites"].shape == one.following["sites"].shape == (500, 15, 4)
    assert one.rewards.dtype == np.float32
    legal = one.observation["action_mask"][np.arange(500), one.actions]
    assert legal.all()
    with pytest.raises(SettingError, match="episode to learn from"):
        datasets.Transitions.of(data, lambda one: False)


def test_a_trial_is_the_data_set_of_the_policy(
    data: datasets.OfflineDataset, tmp_path: Path
) -> None:
    found = datasets.trial(data, policies.create("earliest_completion"), range(50, 53), 2)
    same = datasets.collect(tmp_path, ["earliest_completion"], 90, seed=50, **SETTINGS)
    np.testing.assert_array_equal(found.returns, same.returns)
    np.testing.assert_array_equal(found.costs, same.costs)
    limit = data.cost_limits[0]
    expected = data.get_normalized_score(found.returns.mean(), found.costs.mean(), limit)
    assert found.normalized(data, limit) == pytest.approx(expected)
