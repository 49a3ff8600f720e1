"""A trace is replayed as recorded: waits and run times are those of a plain FCFS, job by job."""

from __future__ import annotations

import heapq
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.errors import SettingError, StreamError
from panda_gym.jobs import JobStream

LCG = "grid_trace/LCG-2005_188041jobs_170sites.swf.gz"


def fcfs(arrival: np.ndarray, cores: np.ndarray, run: np.ndarray, size: int) -> np.ndarray:
    """Start of each job on one machine that starts jobs strictly in order of arrival, s."""
    start, free, running, now = np.empty(len(arrival)), size, [], 0.0
    for j in range(len(arrival)):
        now = max(now, float(arrival[j]))
        while running and (running[0][0] <= now or free < cores[j]):
            end, back = heapq.heappop(running)
            free, now = free + back, max(now, end)
        start[j], free = now, free - int(cores[j])
        heapq.heappush(running, (now + float(run[j]), int(cores[j])))
    return start


def one_site(tmp_path: Path, cores: int) -> Path:
    """A platform of one site with the power that traces are read at."""
    path = tmp_path / "site.json"
    site = {"name": "here", "cores": cores, "power": 10.0}
    path.write_text(json.dumps({"name": "one", "sites": [site]}))
    return path


def replayed(stream: JobStream, site: Path, **more: Any) -> Any:
    """The log of a replay of the whole stream on one site."""
    settings = {"platform": site, "scale": 1.0, "load": None, "competing": None, "jobs": "all"}
    batch = PlacementBatch(Scenario.of(stream=stream, **{**settings, **more}), 1)
    batch.begin([(0, np.random.default_rng(0))])
    actions = np.zeros(1, dtype=np.int64)
    while not batch.simulator.done[0]:
        batch.step(actions)
    return batch.log(0)


def assert_is_fcfs(log: Any, submit: np.ndarray, cores: np.ndarray, run: np.ndarray, size: int):
    """Waits and run times of the log equal those of the plain machine."""
    assert len(log) == len(run)
    wait = fcfs(submit, cores, run, size) - submit
    np.testing.assert_allclose(log.run_s, run, rtol=0, atol=1e-6)
    np.testing.assert_allclose(log.start_s - log.arrival_s, wait, rtol=0, atol=1e-6)


def swf(path: Path, jobs: list[tuple[int, int, int]], more: str = "") -> Path:
    """A log of (submit, run, processors)."""
    line = "{} {} -1 {} {} -1 -1 -1 -1 -1 1 1 1 -1 1 1 -1 -1\n"
    path.write_text(more + "".join(line.format(i + 1, s, r, c) for i, (s, r, c) in enumerate(jobs)))
    return path


def test_four_jobs_run_as_long_as_recorded_and_nothing_else_runs(tmp_path: Path) -> None:
    path = swf(tmp_path / "log.swf", [(0, 3600, 1), (0, 3600, 4), (10, 3600, 2), (3600, 7, 1)])
    log = replayed(JobStream.from_swf(path), one_site(tmp_path, 4))
    assert log.run_s.tolist() == [3600.0, 3600.0, 3600.0, 7.0]
    assert log.arrival_s.tolist() == [0.0, 0.0, 10.0, 3600.0]
    assert log.start_s.tolist() == [0.0, 3600.0, 7200.0, 7200.0]


@pytest.mark.parametrize("seed", range(5))
def test_a_random_log_is_replayed_as_a_plain_fcfs_does(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, size = 400, 16
    submit = np.cumsum(rng.integers(0, 90, n))
    run, cores = rng.integers(0, 3_000, n), rng.integers(1, size + 1, n)
    path = swf(tmp_path / "log.swf", list(zip(submit, run, cores, strict=True)))
    log = replayed(JobStream.from_swf(path), one_site(tmp_path, size))
    assert_is_fcfs(log, submit - submit[0], cores, run, size)


def test_the_whole_stream_is_replayed_from_its_first_job_to_its_last(tmp_path: Path) -> None:
    path = swf(tmp_path / "log.swf", [(s, 60, 1) for s in range(0, 6_000, 30)])
    stream, site = JobStream.from_swf(path), one_site(tmp_path, 2)
    log = replayed(stream, site)
    assert log.arrival_s.tolist() == list(range(0, 6_000, 30))
    part = replayed(stream, site, jobs=7, start=190, warmup=0, running=0)
    assert part.arrival_s.tolist() == [0, 30, 60, 90, 120, 150, 180]
    with pytest.raises(StreamError, match="--jobs all"):
        replayed(stream, site, jobs=201, warmup=0)
    with pytest.raises(SettingError, match='"all"'):
        replayed(stream, site, jobs="some")


def test_a_job_that_ran_longer_than_requested_is_killed_only_on_demand(tmp_path: Path) -> None:
    path = swf(tmp_path / "log.swf", [(0, 100, 4), (0, 100, 4)])
    path.write_text(path.read_text().replace("-1 -1 -1 -1 -1 1 1 1", "-1 -1 -1 60 -1 1 1 1", 1))
    stream, site = JobStream.from_swf(path), one_site(tmp_path, 4)
    assert replayed(stream, site, discipline="easy").run_s.tolist() == [100.0, 100.0]
    killed = replayed(stream, site, kill_at_requested=True)
    assert killed.run_s.tolist() == [60.0, 100.0]
    assert killed.state.tolist() == ["failed", "finished"]


def test_a_site_of_twice_the_power_takes_half_the_time(tmp_path: Path) -> None:
    path = swf(tmp_path / "log.swf", [(0, 100, 1)])
    site = tmp_path / "fast.json"
    site.write_text(json.dumps({"sites": [{"name": "fast", "cores": 1, "power": 20.0}]}))
    assert replayed(JobStream.from_swf(path), site).run_s.tolist() == [50.0]


def test_the_lcg_2005_log_is_replayed_as_a_plain_fcfs_does(
    shared_data: Path, tmp_path: Path
) -> None:
    """On 2,000 cores, where jobs wait; the log's own grid never lets one wait."""
    stream = JobStream.from_swf(shared_data / LCG)
    log = replayed(stream, one_site(tmp_path, 2_000))
    run = stream.workload_true / 10.0 / stream.cores
    assert_is_fcfs(log, stream.arrival_s, stream.cores, run, 2_000)
    assert (log.start_s - log.arrival_s > 0).mean() > 0.1


def test_the_lcg_2005_log_starts_alike_under_all_disciplines(
    shared_data: Path, tmp_path: Path
) -> None:
    """Its jobs have one core each: whoever waits first fits first."""
    stream, site = JobStream.from_swf(shared_data / LCG).window(0, 3_000), one_site(tmp_path, 100)
    assert (stream.requested_s > 0).all()
    logs = [
        replayed(stream, site, discipline=name, reservations=50)
        for name in ("fifo", "easy", "conservative")
    ]
    assert (logs[0].wait_s > 0).mean() > 0.5
    for log in logs[1:]:
        np.testing.assert_array_equal(log.start_s, logs[0].start_s)
