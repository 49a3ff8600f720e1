"""Bad instances, files and settings give one clear error; good files come back whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from panda_gym.errors import InstanceError
from panda_gym.joint import (
    ordered,
    random_instance,
    read_instance,
    read_schedule,
    write_instance,
    write_schedule,
)
from panda_gym.joint.random_instances import EXPONENTS, INPUTS
from tests.panda_gym.joint.instances import small

GOOD: dict[str, Any] = {
    "format": "joint-instance/1", "name": "two jobs", "work_per_size": 20.0,
    "remote_stores": ["tape"],
    "local_stores": {"disk0": {"quota": 2e5}, "disk1": {"quota": None}},
    "nodes": {"n0": {"speed": 8000.0}},
    "datasets": {"d0": {"size": 1e5, "source": "tape"}, "d1": {"size": 9e4, "source": "tape"}},
    "containers": {"both": ["d0", "d1"], "all": ["both", "d1"]},
    "jobs": {"j0": ["d0"], "j1": ["all", "d0"]},
    "remote_bandwidth": [[8e6, 7e6]], "local_bandwidth": [[8e7], [7e7]],
}  # fmt: skip


def written(path: Path, **changes: Any) -> Path:
    path.write_text(json.dumps({**GOOD, **changes}))
    return path


def test_a_file_with_containers_is_read(tmp_path: Path) -> None:
    instance = read_instance(written(tmp_path / "i.json"))
    assert [instance.inputs_of(j).tolist() for j in range(2)] == [[0], [0, 1]]
    assert instance.quota.tolist() == [2e5, np.inf]
    assert instance.work().tolist() == [2e6, 3.8e6]


@pytest.mark.parametrize("seed", [0, 1])
def test_files_come_back_whole(tmp_path: Path, seed: int) -> None:
    instance = small(seed)
    write_instance(tmp_path / "i.json", instance)
    again = read_instance(tmp_path / "i.json")
    for name, value in vars(instance).items():
        np.testing.assert_array_equal(getattr(again, name), value)
    schedule = ordered(instance, np.zeros(12, int), np.zeros(instance.datasets, int))
    write_schedule(tmp_path / "s.json", schedule)
    for name, value in vars(read_schedule(tmp_path / "s.json")).items():
        np.testing.assert_array_equal(getattr(schedule, name), value)


def dataset(**values: Any) -> dict[str, Any]:
    return {"datasets": {**GOOD["datasets"], "d1": {"size": 9e4, "source": "tape", **values}}}


BAD = {
    "no source": (dataset(source=None), "a source of dataset 'd1'"),
    "unknown source": (dataset(source="tap"), "did you mean tape"),
    "negative size": (dataset(size=-1.0), r"size finite and above 0; got size\[1\] = -1"),
    "text as size": (dataset(size="9e4"), "'size' as int or float in dataset 'd1'"),
    "cycle": ({"containers": {"a": ["b"], "b": ["a"]}}, "a -> b -> a"),
    "own member": ({"containers": {"a": ["a"]}}, "a -> a"),
    "unknown member": ({"containers": {"a": ["d2"]}}, "members of container 'a'"),
    "one name twice": ({"containers": {"d0": ["d1"]}}, "dataset and container 'd0'"),
    "small quotas": (
        {"local_stores": {"disk0": {"quota": 9.5e4}, "disk1": {"quota": 9e4}}},
        "a quota for the largest dataset",
    ),
    "little room": (
        {"local_stores": {"disk0": {"quota": 1e5}, "disk1": {"quota": 8e4}}},
        "quotas that hold all datasets",
    ),
    "negative quota": (
        {"local_stores": {"disk0": {"quota": -1.0}, "disk1": None}}, "every quota at least 0",
    ),
    "cut link": ({"remote_bandwidth": [[8e6, 0.0]]}, "remote_bandwidth finite and above 0"),
    "ragged": ({"remote_bandwidth": [[8e6], [1, 2]]}, "remote_bandwidth as rows of numbers"),
    "shape": ({"local_bandwidth": [[8e7]]}, "remote_bandwidth of shape"),
    "no inputs": ({"jobs": {"j0": []}}, "a list of inputs of job 'j0'"),
    "unknown input": ({"jobs": {"j0": ["d9"]}}, "inputs of job 'j0' that exist"),
    "no jobs": ({"jobs": {}}, "at least a job"),
    "no datasets": ({"datasets": {}, "jobs": {}, "containers": {}}, "at least a"),
    "gamma": ({"work_per_size": -1}, "work_per_size"),
    "format": ({"format": "joint-instance/9"}, "format 'joint-instance/1'"),
    "deep": (
        {"containers": {f"c{k}": [f"c{k + 1}"] for k in range(2000)} | {"c2000": ["d0"]}},
        "at most 100 deep",
    ),
    "huge size": (dataset(size=10**400), "size finite and above 0"),
    "stores": ({"remote_stores": [["tape"]]}, "names of remote stores"),
    "a list": ({"nodes": []}, "'nodes' as dict"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_one_clear_error(tmp_path: Path, case: str) -> None:
    changes, text = BAD[case]
    with pytest.raises(InstanceError, match=text):
        read_instance(written(tmp_path / "i.json", **changes))


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, '{"format": NaN}'])
def test_damaged_files_are_one_clear_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "i.json").write_text(text)
    for read in (read_instance, read_schedule):
        with pytest.raises(InstanceError, match=r"i\.json"):
            read(tmp_path / "i.json")


def test_random_instances_follow_the_published_distribution() -> None:
    instance = random_instance(0, jobs=2000)
    counts = np.diff(instance.first)
    assert (counts.min(), counts.max()) == INPUTS
    assert counts.mean() == pytest.approx(7.5, abs=0.12)
    assert instance.size.mean() == pytest.approx(1e5, rel=1e-3)
    assert instance.size.std() == pytest.approx(1e3, rel=0.05)
    assert set(np.log2(instance.speed / 500.0)) <= set(range(EXPONENTS[0], EXPONENTS[1] + 1))
    assert instance.remote_bandwidth.shape == (16, 114)
    assert instance.local_bandwidth.shape == (114, 148)
    for values, factor in ((instance.remote_bandwidth, 1.0), (instance.local_bandwidth, 10.0)):
        assert values.min() >= 5.6e6 * factor
        assert values.max() < 1.04e7 * factor
        assert values.mean() == pytest.approx(8e6 * factor, rel=0.02)
    assert not instance.has_quotas


def test_the_same_seed_gives_the_same_instance() -> None:
    one, two, other = small(4), small(4), small(4 + 6)
    assert all(np.array_equal(value, vars(two)[name]) for name, value in vars(one).items())
    assert not np.array_equal(one.remote_bandwidth, other.remote_bandwidth)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"jobs": 0}, "jobs as a whole number"),
        ({"nodes": 1.5}, "nodes as a whole number"),
        ({"readers": 0.5}, "readers of at least 1"),
        ({"quota": 0.5}, "quota of at least 1"),
        ({"work_per_size": -1.0}, "work_per_size"),
        ({"seed": -1}, "seed"),
    ],
)
def test_wrong_settings_are_refused(settings: dict, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        random_instance(**settings)
