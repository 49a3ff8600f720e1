"""Where tasks run changes nothing: here, on two Ray nodes, with a worker or a node lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from panda_gym.benchmarking import benchmark
from panda_gym.errors import SettingError
from panda_gym.executors import RayExecutor, SerialExecutor
from panda_gym.offline import datasets

SCENARIO: dict[str, Any] = {
    "platform": "tiny4",
    "scale": 1.0,
    "jobs": 200,
    "warmup": 5,
    "stream_jobs": 400,
}
BEHAVIOURS = {"random": 1.0, "round_robin": 1.0, "panda_production_draw": 1.0}


def half(shared: int, task: int) -> int:
    """A task that fails for odd numbers."""
    if task % 2:
        raise SettingError("an even number", str(task), "pass one")
    return shared + task // 2


def test_here_answers_in_order() -> None:
    assert list(SerialExecutor().each(half, 10, [0, 2, 4])) == [(0, 10), (1, 11), (2, 12)]
    with pytest.raises(SettingError, match="even"):
        list(SerialExecutor().each(half, 10, [0, 1]))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes of one core each on this machine."""
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    size = {"num_cpus": 1, "object_store_memory": 150_000_000}
    found = Cluster(initialize_head=True, head_node_args=size)
    found.add_node(**size)
    ray.init(address=found.address, log_to_driver=False)
    yield found
    ray.shutdown()
    found.shutdown()


def collect(folder: Path, **more: Any) -> datasets.OfflineDataset:
    return datasets.collect(
        folder, BEHAVIOURS, 24 * 200, epsilon=0.2, side_by_side=2, **more, **SCENARIO
    )


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> datasets.OfflineDataset:
    return collect(tmp_path_factory.mktemp("workers") / "alone")


def assert_same(one: datasets.OfflineDataset, other: datasets.OfflineDataset) -> None:
    """The same manifest, and with it the same SHA-256 of every shard."""
    assert one.document == other.document
    pairs = zip(one.episodes(), other.episodes(), strict=True)
    assert all(mine.equals(theirs) for mine, theirs in pairs)


@pytest.mark.long
def test_two_nodes_collect_what_one_process_does(
    cluster: Any, alone: datasets.OfflineDataset, tmp_path: Path
) -> None:
    assert_same(alone, collect(tmp_path, workers=RayExecutor()))


@pytest.mark.long
def test_a_worker_killed_in_the_middle_changes_nothing(
    cluster: Any, alone: datasets.OfflineDataset, tmp_path: Path
) -> None:
    killed: list[int] = []

    def kill(done: int, total: int, label: str) -> None:
        if not killed and done > total // 4:
            killed.extend(busy()[:1])
            os.kill(killed[0], signal.SIGKILL)

    data = collect(tmp_path, workers=RayExecutor(), progress=kill)
    assert killed
    assert_same(alone, data)


def busy() -> list[int]:
    """Processes of this machine in which a task runs, as Ray titles them."""
    titles = {path.parent.name: path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")}
    return [int(pid) for pid, title in titles.items() if title.startswith(b"ray::_run")]


@pytest.mark.long
def test_a_task_of_bad_input_is_its_own_clear_error(cluster: Any) -> None:
    found = dict(RayExecutor().each(half, 10, [0, 2, 4]))
    assert found == {0: 10, 1: 11, 2: 12}
    with pytest.raises(SettingError, match="needed an even number; got 3; pass one"):
        list(RayExecutor().each(half, 10, [0, 3]))


@pytest.mark.long
def test_a_sweep_on_two_nodes_is_the_one_of_one_process(cluster: Any) -> None:
    def sweep(**more: Any) -> Any:
        policies = ["random", "round_robin", "earliest_completion"]
        return benchmark(policies, seeds=range(2), **more, **{**SCENARIO, "jobs": 40})

    assert sweep(workers=RayExecutor()).rows == sweep().rows


@pytest.mark.long
def test_a_lost_node_changes_nothing(
    cluster: Any, alone: datasets.OfflineDataset, tmp_path: Path
) -> None:
    """Last of this file: the cluster is left with one node."""
    lost: list[Any] = []

    def lose(done: int, total: int, label: str) -> None:
        if not lost and done > total // 4:
            lost.extend(cluster.worker_nodes)
            cluster.remove_node(lost[0], allow_graceful=False)

    data = collect(tmp_path, workers=RayExecutor(), progress=lose)
    assert lost
    assert_same(alone, data)


def test_without_ray_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(SettingError, match=r"panda-grid-gym\[ray\]"):
        list(RayExecutor().each(half, 10, [0]))
