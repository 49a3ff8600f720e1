"""Data sets: what was stepped is what is read, in any company, after any interruption."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import panda_gym
from panda_gym.benchmarking.standard_suite import EVALUATION_SEEDS
from panda_gym.benchmarking.tuning import TRAINING_SEEDS
from panda_gym.cli.dataset import dataset
from panda_gym.credit import difference_rewards
from panda_gym.environments.placement import policies
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.errors import PolicyError, RecordsError, SettingError
from panda_gym.offline import datasets
from panda_gym.offline.datasets.behaviour import sample_sites
from panda_gym.offline.datasets.plan import SEED, allocated, shards
from panda_gym.training.config import FIRST_SEED
from tests.panda_gym.placements import ROUGH, small

SCENARIO: dict[str, Any] = {"platform": "tiny4", "scale": 1.0, "jobs": 25, "warmup": 5}
BEHAVIOURS = {"random": 1.0, "panda_production_draw": 2.0, "round_robin": 1.0}


@pytest.fixture(scope="module")
def scenario(records: Any) -> dict[str, Any]:
    return {**SCENARIO, "stream": panda_gym.JobStream.from_records(records)}


@pytest.fixture(scope="module")
def data(
    scenario: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> datasets.OfflineDataset:
    folder = tmp_path_factory.mktemp("data") / "medley"
    return datasets.collect(folder, BEHAVIOURS, 200, epsilon=0.2, side_by_side=3, **scenario)


def test_reading_back_equals_what_is_stepped(
    data: datasets.OfflineDataset, scenario: dict[str, Any]
) -> None:
    env = gymnasium.make("PandaGrid/Placement-v0", observation="flat", **scenario)
    for episode in data.episodes():
        seen, _ = env.reset(seed=episode.seed)
        masks, rewards, costs, frames = [], [], [], [seen]
        for action in episode.actions:
            masks.append(env.unwrapped.action_masks())  # type: ignore[attr-defined]
            seen, reward, _, truncated, info = env.step(int(action))
            frames.append(seen)
            rewards.append(reward)
            costs.append(info["costs"])
        assert truncated
        np.testing.assert_array_equal(np.stack(frames), episode.observations)
        np.testing.assert_array_equal(np.stack(masks), episode.masks[:-1])
        np.testing.assert_array_equal(rewards, episode.rewards)
        for name, values in episode.costs.items():
            np.testing.assert_array_equal([cost[name] for cost in costs], values)


def test_episodes_do_not_depend_on_their_company(
    data: datasets.OfflineDataset, scenario: dict[str, Any], tmp_path: Path
) -> None:
    alone = datasets.collect(tmp_path, BEHAVIOURS, 200, epsilon=0.2, side_by_side=1, **scenario)
    pairs = list(zip(data.episodes(), alone.episodes(), strict=True))
    assert len(pairs) == 8
    assert all(one.equals(other) for one, other in pairs)


def test_probabilities_are_those_of_the_behaviour(data: datasets.OfflineDataset) -> None:
    for episode in data.episodes():
        policy = policies.create(episode.behaviour)
        policy.reset(1)
        for step, action in enumerate(episode.actions):
            seen = {name: part[step][None] for name, part in episode.parts().items()}
            view = policies.base.PlacementView(seen)
            legal = view.mask[0].mean() * view.mask.shape[1]
            chance = (
                0.8 * policy.action_probabilities(view, np.random.default_rng(0))[0] + 0.2 / legal
            )
            if episode.behaviour != "round_robin":  # whose memory saw its choice, not the action
                assert episode.probabilities[step] == pytest.approx(chance[action])
            assert 0.0 < episode.probabilities[step] <= 1.0


def test_a_collection_that_was_stopped_goes_on(
    data: datasets.OfflineDataset, scenario: dict[str, Any], tmp_path: Path
) -> None:
    class Stopped(Exception):
        pass

    def stop(done: int, total: int, message: str) -> None:
        if done > total // 2:
            raise Stopped

    call: dict[str, Any] = {"epsilon": 0.2, "side_by_side": 3, **scenario}
    with pytest.raises(Stopped):
        datasets.collect(tmp_path, BEHAVIOURS, 200, progress=stop, **call)
    (tmp_path / ".shard-00003.parquet.left").write_bytes(b"half")
    with pytest.raises(RecordsError, match="a whole data set"):
        datasets.OfflineDataset.open(tmp_path)
    assert 0 < len(datasets.OfflineDataset.open(tmp_path, partial=True)) < 200
    first = tmp_path / "shard-00000.parquet"
    before = first.stat().st_mtime_ns
    again = datasets.collect(tmp_path, BEHAVIOURS, 200, **call)
    assert first.stat().st_mtime_ns == before
    assert not list(tmp_path.glob(".shard-*"))
    assert all(
        one.equals(other) for one, other in zip(data.episodes(), again.episodes(), strict=True)
    )


def test_a_missing_data_set_names_the_nearest_beside_it(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="collect one first"):
        datasets.OfflineDataset.open(tmp_path / "medly")
    for name in ("medley", "expert"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "dataset.json").write_text("{}")
    with pytest.raises(RecordsError, match=r"did you mean medley\?"):
        datasets.OfflineDataset.open(tmp_path / "medly")


def test_seeds_are_those_of_no_evaluation_and_of_no_training(
    data: datasets.OfflineDataset,
) -> None:
    option = inspect.signature(dataset).parameters["seed"].default
    assert min(one.seed for one in data.episodes()) == SEED == option
    assert EVALUATION_SEEDS + 100_000 < SEED < TRAINING_SEEDS - 100_000
    assert TRAINING_SEEDS == FIRST_SEED


def test_another_data_set_in_the_folder_is_refused(
    data: datasets.OfflineDataset, scenario: dict[str, Any]
) -> None:
    with pytest.raises(SettingError, match="another"):
        datasets.collect(data.folder, ["random"], 200, **scenario)


def test_an_altered_shard_is_refused_and_collected_anew(
    scenario: dict[str, Any], tmp_path: Path
) -> None:
    data = datasets.collect(tmp_path, ["random"], 25, **scenario)
    (episode,) = data.episodes()
    shard = tmp_path / "shard-00000.parquet"
    shard.write_bytes(shard.read_bytes()[:-1] + b"?")
    with pytest.raises(RecordsError, match="altered"):
        list(data.episodes())
    (again,) = datasets.collect(tmp_path, ["random"], 25, **scenario).episodes()
    assert again.equals(episode)


def test_a_foreign_manifest_is_one_clear_error(tmp_path: Path) -> None:
    for text in ("", "[]", json.dumps({"format": 99})):
        (tmp_path / "dataset.json").write_text(text)
        with pytest.raises(RecordsError, match="data set"):
            datasets.OfflineDataset.open(tmp_path)


def test_bad_settings_are_one_clear_error(scenario: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="random"):
        datasets.collect(tmp_path, ["rndom"], 25, **scenario)
    with pytest.raises(SettingError, match="transition"):
        datasets.collect(tmp_path, ["random"], 0, **scenario)
    with pytest.raises(SettingError, match="epsilon"):
        datasets.collect(tmp_path, ["random"], 25, epsilon=1.5, **scenario)
    with pytest.raises(SettingError, match="weight"):
        datasets.collect(tmp_path, {"random": -1.0}, 25, **scenario)
    with pytest.raises(SettingError, match="one site"):
        datasets.collect(tmp_path, ["random"], 25, decisions=2, **scenario)
    assert not list(tmp_path.iterdir())


def test_normalized_scores_span_the_reference(data: datasets.OfflineDataset) -> None:
    known = data.reference
    assert data.get_normalized_score(known.max_episode_reward, 2.0, 4.0) == (1.0, 0.5)
    assert data.get_normalized_score(known.min_episode_reward, 0.0, 0.0) == (0.0, 1.0)
    best = max(known.returns, key=lambda label: known.returns[label])
    low, high = known.min_episode_cost, known.costs[best]
    between = [low + part * (high - low) for part in (0.25, 0.5, 0.75)]
    assert low < high
    assert list(data.cost_limits) == pytest.approx(between)
    with pytest.raises(SettingError, match="cost limit"):
        data.get_normalized_score(0.0, 1.0, float("nan"))


def test_the_reference_is_of_the_environment_and_not_of_the_data(
    data: datasets.OfflineDataset, scenario: dict[str, Any], tmp_path: Path
) -> None:
    other = datasets.collect(tmp_path, ["fastest"], 25, seed=5, **scenario)
    assert other.reference == data.reference
    known, ended = 25 * data.reference.episodes, {**scenario, "tail_jobs": 25}
    played = datasets.collect(tmp_path / "random", ["random"], known, seed=2_000_000, **ended)
    assert len(played.returns) == data.reference.episodes
    assert played.returns.mean() == pytest.approx(data.reference.returns["random"])
    assert played.costs.mean() == pytest.approx(data.reference.costs["random"])


def test_a_cost_limit_that_nobody_keeps_is_one_clear_error(data: datasets.OfflineDataset) -> None:
    least = min(float(data.costs.min()), data.reference.min_episode_cost)
    assert data.check_cost_limit(least) == least
    for limit in (least - 1e-6, float("nan")):
        with pytest.raises(SettingError, match="the least that any policy"):
            data.check_cost_limit(limit)
    with pytest.raises(SettingError, match="episode to learn from"):
        datasets.Transitions.of(data, lambda one: one.cost.sum() < 0.0)


@pytest.mark.parametrize("name", datasets.RECIPES)
def test_every_recipe_is_collected(name: str, scenario: dict[str, Any], tmp_path: Path) -> None:
    data = datasets.collect(tmp_path, datasets.recipe(name), 100, epsilon=0.1, **scenario)
    assert len(data) == 100
    assert len(set(data.behaviours)) == len(datasets.recipe(name))
    assert "/" not in str(data.document["behaviours"])


def test_an_unknown_recipe_names_the_nearest() -> None:
    with pytest.raises(SettingError, match="medium-expert"):
        datasets.recipe("medium-exprt")


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 4000), st.integers(1, 60), st.lists(st.floats(0.1, 9.0), min_size=1, max_size=5)
)
def test_the_plan_covers_what_was_asked(transitions: int, jobs: int, weights: list[float]) -> None:
    plan = shards(transitions, jobs, weights, 7, 4)
    seeds = [seed for shard in plan for seed in shard.seeds]
    assert seeds == list(range(7, 7 + len(seeds)))
    assert len(seeds) * jobs >= transitions
    assert len(seeds) == max(-(-transitions // jobs), len(weights))
    assert {shard.behaviour for shard in plan} == set(range(len(weights)))
    assert all(count >= 1 for count in allocated(len(seeds), weights))


def test_a_draw_follows_its_law_and_never_takes_the_impossible() -> None:
    law = np.tile([0.0, 0.3, 0.0, 0.7, 0.0], (40_000, 1))
    sites = sample_sites(law, np.random.default_rng(0).random(40_000))
    np.testing.assert_allclose(np.bincount(sites, minlength=5) / 40_000, law[0], atol=0.01)
    edge = np.nextafter(1.0, 0.0)
    assert sample_sites(law[:2], np.array([0.0, edge])).tolist() == [1, 3]


def test_scores_count_every_attempt_of_a_judged_job_and_no_other(tmp_path: Path) -> None:
    """Every decision is the policy's: those about judged jobs and their retries are counted."""
    rough = small(jobs=25, tail_jobs=20, **ROUGH)
    data = datasets.collect(tmp_path, ["random"], 60, **rough)
    batch = PlacementBatch(Scenario.of(**rough), 1)
    for episode, length, total in zip(data.episodes(), data.lengths, data.returns, strict=True):
        batch.begin([(0, np.random.default_rng(episode.seed))])
        for action in episode.actions:
            batch.step(np.array([action]))
        log = batch.log(0, drain=False)
        assert batch.simulator.done.all()
        assert length == len(episode) == batch.simulator.decided[0]
        assert episode.judged.sum() == (log.judged[log.origin] & (log.site >= 0)).sum() > 25
        assert total == episode.rewards[episode.judged].sum()
    assert data.reference.to_end


def test_a_reference_of_release_0_1_scores_as_it_was_measured(
    data: datasets.OfflineDataset,
) -> None:
    document = json.loads(json.dumps(data.document))
    del document["reference"]["to_end"]
    document["reference"]["worlds"] = document["reference"].pop("episodes")
    old = datasets.OfflineDataset(data.folder, document)
    assert not old.reference.to_end
    assert old.reference.returns == data.reference.returns


def test_the_column_of_difference_rewards_is_what_the_decisions_cost(
    data: datasets.OfflineDataset, scenario: dict[str, Any], tmp_path: Path
) -> None:
    assert data.document["objective"] == "ln_slowdown"
    for episode in data.episodes():
        batch = PlacementBatch(Scenario.of(**scenario), 1)
        batch.begin([(0, np.random.default_rng(episode.seed))])
        rows = []
        for action in episode.actions:
            rows.append(int(batch.simulator.pending[0, 0]))
            batch.step(np.array([action]))
        log = batch.log(0)
        expected = difference_rewards(batch.simulator, 0, log)[rows]
        np.testing.assert_array_equal(episode.difference_rewards, expected)
    learned = datasets.Transitions.of(data, reward="difference_reward")
    assert (learned.rewards != datasets.Transitions.of(data).rewards).any()
    none = datasets.collect(tmp_path, ["random"], 25, objective=None, **scenario)
    with pytest.raises(SettingError, match="without"):
        datasets.Transitions.of(none, reward="difference_reward")
