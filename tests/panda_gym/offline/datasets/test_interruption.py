"""A full disk and a killed process never leave a data set that looks whole and is not."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import panda_gym
from panda_gym.errors import RecordsError
from panda_gym.offline import datasets
from panda_gym.offline.datasets.plan import SEED

SCENARIO: dict[str, Any] = {"platform": "tiny4", "scale": 1.0, "jobs": 100, "warmup": 5}
ROOM = 30_000
"""Bytes that a file may have: the manifest fits, a shard does not."""


@contextmanager
def full_disk(room: int = ROOM) -> Iterator[None]:
    """No file grows beyond `room` bytes: writing more fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope="module")
def scenario(records: Any) -> dict[str, Any]:
    return {**SCENARIO, "stream": panda_gym.JobStream.from_records(records)}


@pytest.fixture(scope="module")
def data(
    scenario: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> datasets.OfflineDataset:
    folder = tmp_path_factory.mktemp("interruption") / "random"
    return datasets.collect(folder, ["random"], 1_600, side_by_side=8, **scenario)


def test_a_full_disk_leaves_what_is_plainly_not_whole(
    data: datasets.OfflineDataset, scenario: dict[str, Any], tmp_path: Path
) -> None:
    assert (data.folder / "shard-00000.parquet").stat().st_size > ROOM
    with full_disk(), pytest.raises(OSError, match="too large"):
        datasets.collect(tmp_path, ["random"], 1_600, side_by_side=8, **scenario)
    assert [path.name for path in tmp_path.iterdir()] == ["dataset.json"]
    with pytest.raises(RecordsError, match="0 of 2 shards"):
        datasets.OfflineDataset.open(tmp_path)
    again = datasets.collect(tmp_path, ["random"], 1_600, side_by_side=8, **scenario)
    assert again.document == data.document


@pytest.mark.parametrize("form", datasets.FORMATS)
def test_a_full_disk_leaves_no_export(form: str, scenario: dict[str, Any], tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    settings = {**scenario, "stream_jobs": 400}
    del settings["stream"]
    source = datasets.collect(tmp_path / "source", ["random"], 800, side_by_side=8, **settings)
    target = tmp_path / "made" / "export"
    with full_disk(), pytest.raises(OSError, match="is the disk full"):
        datasets.export(source, form, target)
    assert not [path for path in target.parent.rglob("*") if path.is_file()]
    assert datasets.export(source, form, target).exists()


def test_what_hdf5_cannot_write_is_one_clear_error_and_no_file(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    from panda_gym.offline.datasets.formats.hdf5 import whole_hdf5

    def write(fault: Exception) -> None:
        with whole_hdf5(tmp_path / "d.hdf5", 1_000) as file:
            file["x"] = [1.0]
            raise fault

    for fault in (RuntimeError("Can't decrement id ref count"), OSError(28, "file write failed")):
        with pytest.raises(OSError, match=r"(?s)is the disk full.*d\.hdf5"):
            write(fault)
        assert not list(tmp_path.iterdir())


def test_an_export_removes_what_a_killed_one_left(
    data: datasets.OfflineDataset, tmp_path: Path
) -> None:
    pytest.importorskip("h5py")
    left = tmp_path / ".d.hdf5.x81.hdf5"
    left.write_bytes(b"half")
    other = tmp_path / ".e.hdf5.x81.hdf5"
    other.write_bytes(b"another's")
    datasets.export(data, "dsrl", tmp_path / "d.hdf5")
    assert not left.exists()
    assert other.exists()


PROGRAM = """
import sys
from panda_gym.offline import datasets
settings = dict(platform="tiny4", scale=1.0, jobs=100, warmup=5, stream_jobs=400)
datasets.collect(sys.argv[1], ["random"], 30_000, side_by_side=8, **settings)
"""


def test_a_killed_collection_goes_on_to_the_same_data_set(tmp_path: Path) -> None:
    settings: dict[str, Any] = {**SCENARIO, "stream_jobs": 400}
    running = subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path)])
    try:
        while not (tmp_path / "shard-00001.parquet").is_file():
            assert running.poll() is None, "ended by itself"
            time.sleep(0.01)
    finally:
        running.kill()
        running.wait()
    with pytest.raises(RecordsError, match="a whole data set"):
        datasets.OfflineDataset.open(tmp_path)
    part = datasets.OfflineDataset.open(tmp_path, partial=True)
    kept = list(part.episodes())
    assert kept
    whole = datasets.collect(tmp_path, ["random"], 30_000, side_by_side=8, **settings)
    assert len(whole) == 30_000
    assert not list(tmp_path.glob(".*"))
    seeds = [one.seed for one in whole.episodes()]
    assert seeds == list(range(SEED, SEED + 300))
