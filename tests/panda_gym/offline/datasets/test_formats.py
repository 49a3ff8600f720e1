"""Every registered format holds what the data set holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import panda_gym
from panda_gym.errors import SettingError
from panda_gym.offline import datasets

h5py = pytest.importorskip("h5py")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> datasets.OfflineDataset:
    folder = tmp_path_factory.mktemp("formats") / "medley"
    return datasets.collect(
        folder,
        {"random": 1.0, "earliest_completion": 1.0},
        60,
        epsilon=0.1,
        platform="tiny4",
        scale=1.0,
        jobs=20,
        warmup=5,
        stream_jobs=400,
    )


@pytest.fixture(scope="module")
def episodes(data: datasets.OfflineDataset) -> list[datasets.Episode]:
    return list(data.episodes())


def joined(episodes: list[datasets.Episode], take: Any) -> np.ndarray:
    return np.concatenate([take(episode) for episode in episodes])


def test_dsrl_views_are_before_and_after(
    data: datasets.OfflineDataset, episodes: list[datasets.Episode], tmp_path: Path
) -> None:
    with h5py.File(datasets.export(data, "dsrl", tmp_path / "d.hdf5")) as file:
        found = {key: file[key][()] for key in file}
        attributes = dict(file.attrs)
    np.testing.assert_array_equal(
        found["observations"], joined(episodes, lambda one: one.observations[:-1])
    )
    np.testing.assert_array_equal(
        found["next_observations"], joined(episodes, lambda one: one.observations[1:])
    )
    np.testing.assert_array_equal(found["action_masks"], joined(episodes, lambda e: e.masks[:-1]))
    np.testing.assert_array_equal(found["actions"], joined(episodes, lambda one: one.actions))
    np.testing.assert_array_equal(
        found["costs"], joined(episodes, lambda one: one.cost).astype(np.float32)
    )
    np.testing.assert_array_equal(
        found["probabilities"], joined(episodes, lambda one: one.probabilities)
    )
    assert found["timeouts"].nonzero()[0].tolist() == [19, 39, 59]
    assert not found["terminals"].any()
    assert attributes["max_episode_reward"] == data.reference.max_episode_reward
    assert attributes["cost_limits"].tolist() == list(data.cost_limits)
    assert json.loads(attributes["environment"])["id"] == "PandaGrid/Placement-v0"


def test_dsrl_scores_name_the_action(
    data: datasets.OfflineDataset, episodes: list[datasets.Episode], tmp_path: Path
) -> None:
    with h5py.File(datasets.export(data, "dsrl", tmp_path / "d.hdf5", scores=True)) as file:
        scores = file["actions"][()]
    assert scores.shape == (60, 4)
    np.testing.assert_array_equal(scores.argmax(axis=1), joined(episodes, lambda e: e.actions))


def test_d3rlpy_arrays_have_its_shapes(
    data: datasets.OfflineDataset, episodes: list[datasets.Episode], tmp_path: Path
) -> None:
    with h5py.File(datasets.export(data, "d3rlpy", tmp_path / "d.hdf5")) as file:
        assert file["actions"].shape == file["rewards"].shape == (60, 1)
        np.testing.assert_array_equal(
            file["observations"][()], joined(episodes, lambda one: one.observations[:-1])
        )
        np.testing.assert_array_equal(
            file["actions"][:, 0], joined(episodes, lambda one: one.actions)
        )
        assert file["timeouts"][()].nonzero()[0].tolist() == [19, 39, 59]
        assert file.attrs["action_size"] == 4


def test_minari_reads_it_and_recovers_the_environment(
    data: datasets.OfflineDataset,
    episodes: list[datasets.Episode],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    minari = pytest.importorskip("minari")
    datasets.export(data, "minari", tmp_path)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    found = minari.load_dataset("pandagrid/placement/medley-v0")
    assert found.total_episodes == 3
    assert found.total_steps == 60
    assert found.storage.metadata["cost_limits"] == list(data.cost_limits)
    ends = (data.reference.min_episode_reward, data.reference.max_episode_reward)
    np.testing.assert_allclose(minari.get_normalized_score(found, np.array(ends)), [0.0, 1.0])
    for mine, theirs in zip(episodes, found.iterate_episodes(), strict=True):
        for name, part in mine.parts().items():
            np.testing.assert_array_equal(theirs.observations[name], part)
        np.testing.assert_array_equal(theirs.actions, mine.actions)
        np.testing.assert_array_equal(theirs.infos["cost"][1:], mine.cost)
        assert theirs.truncations[-1]
    env = found.recover_environment()
    assert env.observation_space == found.observation_space
    env.close()


def test_an_unknown_format_names_the_nearest(data: datasets.OfflineDataset, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="minari"):
        datasets.export(data, "minary", tmp_path)


def test_the_data_set_makes_its_environment(data: datasets.OfflineDataset) -> None:
    env = data.make(observation="flat")
    first = next(data.episodes())
    seen, _ = env.reset(seed=first.seed)
    np.testing.assert_array_equal(seen, first.observations[0])
    assert panda_gym.__version__ in str(data.document["versions"])
