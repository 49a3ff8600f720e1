"""Estimates from logged episodes of the grid against rollouts of the policy itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import panda_gym
from panda_gym.environments.placement import policies
from panda_gym.environments.placement.observation import PlacementView
from panda_gym.errors import PolicyError, SettingError
from panda_gym.offline import datasets, off_policy
from panda_gym.offline.off_policy.model import WIDTH, NormalEquations, features

GAMMA, HORIZON, EPSILON = 0.8, 3, 0.4


@pytest.fixture(scope="module")
def scenario(records: Any) -> dict[str, Any]:
    stream = panda_gym.JobStream.from_records(records)
    return {
        "stream": stream,
        "platform": "tiny4",
        "scale": 1.0,
        "jobs": 8,
        "warmup": 20,
        "input_scale": 10.0,
    }


@pytest.fixture(scope="module")
def data(
    scenario: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> datasets.OfflineDataset:
    folder = tmp_path_factory.mktemp("off_policy") / "random"
    return datasets.collect(folder, ["random"], 8 * 1000, side_by_side=500, **scenario)


@pytest.fixture(scope="module")
def few(
    scenario: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> datasets.OfflineDataset:
    folder = tmp_path_factory.mktemp("off_policy") / "few"
    return datasets.collect(folder, ["random"], 8 * 60, side_by_side=60, **scenario)


def rolled(
    scenario: dict[str, Any], folder: Path, policy: str, of: str, seed: int
) -> tuple[float, float]:
    """Mean and its standard error of the policy's own discounted sums."""
    true = datasets.collect(
        folder, [policy], 8 * 1000, seed=seed, epsilon=EPSILON, side_by_side=500, **scenario
    )
    discount = GAMMA ** np.arange(HORIZON)
    series = [one.rewards if of == "reward" else one.cost for one in true.episodes()]
    sums = np.array([one[:HORIZON] @ discount for one in series])
    return float(sums.mean()), float(sums.std(ddof=1) / len(sums) ** 0.5)


@pytest.mark.parametrize("of", ["reward", "cost"])
@pytest.mark.parametrize("policy", ["earliest_completion", "data_locality"])
def test_estimates_agree_with_rollouts(
    data: datasets.OfflineDataset, scenario: dict[str, Any], tmp_path: Path, policy: str, of: str
) -> None:
    found = off_policy.evaluate(
        data, policy, gamma=GAMMA, horizon=HORIZON, of=of, epsilon=EPSILON, repeats=300
    )
    truth, error = rolled(scenario, tmp_path, policy, of, seed=5_000_000)
    assert found.effective_episodes > 50
    for name in ("importance", "per_decision", "weighted_per_decision", "doubly_robust"):
        one = found.estimates[name]
        spread = ((one.high - one.low) ** 2 / 4 + (2 * error) ** 2) ** 0.5
        assert abs(one.value - truth) < 2 * spread, name
    widths = {k: one.high - one.low for k, one in found.estimates.items()}
    assert widths["direct"] < widths["doubly_robust"] < widths["importance"]


def test_the_behaviour_is_worth_what_it_earned(few: datasets.OfflineDataset) -> None:
    found = off_policy.evaluate(few, "random", gamma=1.0, repeats=50)
    mean = float(few.returns.mean())
    assert found.estimates["importance"].value == pytest.approx(mean)
    assert found.estimates["per_decision"].value == pytest.approx(mean)
    assert found.effective_episodes == pytest.approx(len(few.returns))


def test_costs_by_name_add_up(few: datasets.OfflineDataset) -> None:
    episode = next(few.episodes())

    def worth(of: str) -> float:
        found = off_policy.evaluate(few, "data_locality", of=of, horizon=1, repeats=2)
        return found.estimates["per_decision"].value

    assert sum(map(worth, episode.costs)) == pytest.approx(worth("cost"))


def test_the_model_solves_what_its_features_can_say(few: datasets.OfflineDataset) -> None:
    """Rewards that are linear in the features are told exactly where nothing lies ahead."""
    episode = next(few.episodes())
    view = PlacementView(episode.parts())
    rows = features(view)
    assert rows.shape == (9, 4, WIDTH)
    taken = rows[np.arange(8), episode.actions][None]
    wanted = np.random.default_rng(0).standard_normal(WIDTH)
    equations = NormalEquations(gamma=0.0)
    for _ in range(50):
        equations.add(taken, rows[None, :8].mean(axis=2), taken @ wanted)
    np.testing.assert_allclose(taken @ equations.solve(), taken @ wanted, atol=1e-2)
    left = equations.without(equations)
    assert not left.matrix.any()
    assert not left.vector.any()


def test_bad_input_is_one_clear_error(few: datasets.OfflineDataset) -> None:
    with pytest.raises(PolicyError, match="remembers"):
        off_policy.evaluate(few, "round_robin")
    with pytest.raises(PolicyError, match="random"):
        off_policy.evaluate(few, "rndom")
    with pytest.raises(SettingError, match="wan_tb"):
        off_policy.evaluate(few, "random", of="wan")
    with pytest.raises(SettingError, match="horizon"):
        off_policy.evaluate(few, "random", horizon=9)
    with pytest.raises(SettingError, match="gamma"):
        off_policy.evaluate(few, "random", gamma=1.1)


def test_a_policy_given_as_an_object_is_the_named_one(few: datasets.OfflineDataset) -> None:
    named, given = (
        off_policy.evaluate(few, one, horizon=2, repeats=2).estimates["doubly_robust"].value
        for one in ("data_locality", policies.create("data_locality"))
    )
    assert named == given
