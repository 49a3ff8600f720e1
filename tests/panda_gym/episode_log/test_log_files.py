"""Logs of episodes in files: nothing is lost, and their statistics are the environment's own."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panda_gym.benchmarking.episodes import measures_of, play
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.env import PlacementEnv
from panda_gym.environments.placement.policies import create
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.environments.placement.vector_env import PlacementVectorEnv
from panda_gym.episode_log import (
    LEVELS,
    LoggedEpisode,
    derived,
    events_path,
    read_log,
    write_log,
)
from panda_gym.errors import SettingError, StreamError
from panda_gym.simulator import EpisodeLog
from panda_gym.simulator.state import KINDS
from tests.panda_gym.placements import PLATFORM, ROUGH, small


def played(path: Path, level: str = "events", seed: int = 3, **changes: object) -> PlacementEnv:
    """An environment after one episode of seeded random actions, logged at `path`."""
    env = PlacementEnv(log=path, log_level=level, **small(**changes))
    rng = np.random.default_rng(seed)
    env.reset(seed=seed)
    while not env.step(int(rng.integers(0, len(PLATFORM))))[3]:
        pass
    return env


def assert_equal_logs(one: EpisodeLog, other: EpisodeLog) -> None:
    for field in fields(EpisodeLog):
        a, b = getattr(one, field.name), getattr(other, field.name)
        np.testing.assert_array_equal(a, b, err_msg=field.name)
        assert np.asarray(a).dtype == np.asarray(b).dtype, field.name


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PlacementEnv]:
    path = tmp_path_factory.mktemp("log") / "run.parquet"
    return path, played(path)


def test_the_file_is_the_environments_own_log(written: tuple[Path, PlacementEnv]) -> None:
    path, env = written
    found = read_log(path)
    assert found.level == "events"
    assert found.site_names == PLATFORM.names
    assert_equal_logs(found.log, env.episode_log())


def test_reading_and_writing_again_gives_the_same_files(
    written: tuple[Path, PlacementEnv], tmp_path: Path
) -> None:
    path, _ = written
    again = tmp_path / "again.parquet"
    write_log(read_log(path), again)
    assert again.read_bytes() == path.read_bytes()
    assert events_path(again).read_bytes() == events_path(path).read_bytes()


def test_any_reader_of_parquet_opens_both_tables(written: tuple[Path, PlacementEnv]) -> None:
    path, env = written
    jobs, happened = pd.read_parquet(path), pd.read_parquet(events_path(path))
    assert (jobs["state"] == "finished").all()
    assert set(jobs["site_name"]) <= set(PLATFORM.names)
    assert set(happened["kind"]) <= set(KINDS)
    assert happened["time_s"].is_monotonic_increasing
    assert len(jobs) == len(env.episode_log())


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), load=st.floats(0.3, 2.0), rough=st.booleans())
def test_statistics_recomputed_from_the_file_are_the_runs_own(
    tmp_path_factory: pytest.TempPathFactory, seed: int, load: float, rough: bool
) -> None:
    path = tmp_path_factory.mktemp("log") / "run.parquet"
    scenario = Scenario.of(**small(load=load, **(ROUGH if rough else {})))
    batch = PlacementBatch(scenario, 1, log=path, log_level="events")
    (own,) = play(batch, create("random"), [seed])
    again = measures_of(read_log(path))
    assert again.keys() == own.keys()
    for name, value in own.items():
        assert again[name] == pytest.approx(value, rel=1e-12, nan_ok=True), name


def test_what_the_steps_paid_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "run.parquet"
    env = PlacementEnv(log=path, **small())
    _, begin = env.reset(seed=5)
    paid = [env.step(k % 12)[1::3] for k in range(40)]
    steps = read_log(path).steps
    assert steps is not None
    assert steps.count.sum() == 40
    assert steps.reward.sum() == pytest.approx(sum(reward for reward, _ in paid))
    assert steps.cost.sum() == pytest.approx(sum(info["cost"] for _, info in paid))
    assert set(steps.costs) == set(begin["costs"])
    for name, values in steps.costs.items():
        assert values.sum() == pytest.approx(sum(info["costs"][name] for _, info in paid))


def test_writing_leaves_the_grid_as_it_is(tmp_path: Path) -> None:
    logged, plain = played(tmp_path / "a.parquet"), played(tmp_path / "b", level="none")
    assert logged.batch.simulator.world.grids["clock"] == plain.batch.simulator.world.grids["clock"]
    assert_equal_logs(logged.episode_log(drain=False), plain.episode_log(drain=False))


def test_levels_keep_as_much_as_they_say(tmp_path: Path) -> None:
    for level in LEVELS:
        played(tmp_path / level / "run.parquet", level=level)
    kept = {level: sorted(p.name for p in (tmp_path / level).glob("*")) for level in LEVELS}
    assert kept == {
        "none": [],
        "jobs": ["run.parquet"],
        "events": ["run.events.parquet", "run.parquet"],
    }


def test_a_log_of_jobs_takes_the_events_of_another_episode_away(tmp_path: Path) -> None:
    path = tmp_path / "run.parquet"
    played(path)
    played(path, level="jobs")
    assert not events_path(path).exists()
    assert read_log(path).events is None


def test_a_folder_gets_one_numbered_log_an_episode_and_goes_on(tmp_path: Path) -> None:
    for first in (0, 3):
        env = PlacementVectorEnv(3, log=tmp_path, **small())
        env.reset(seed=first)
        for _ in range(40):
            env.step(np.zeros(3, dtype=np.int64))
    names = [path.name for path in sorted(tmp_path.glob("*.parquet"))]
    assert names == [f"episode-00000{k}.parquet" for k in range(6)]
    seeds = {read_log(tmp_path / name).about["seed"] for name in names}
    assert len(seeds) == 6


def test_vector_logs_are_those_of_single_environments(tmp_path: Path) -> None:
    vector = PlacementVectorEnv(2, log=tmp_path / "v", **small())
    vector.reset(seed=[8, 9])
    single = PlacementEnv(log=tmp_path / "s.parquet", **small())
    single.reset(seed=9)
    for k in range(40):
        vector.step(np.array([k % 3, k % 10]))
        single.step(k % 10)
    one, other = (
        read_log(tmp_path / "v" / "episode-000001.parquet"),
        read_log(tmp_path / "s.parquet"),
    )
    assert_equal_logs(one.log, other.log)
    np.testing.assert_array_equal(one.steps.reward, other.steps.reward)


def test_derived_events_replay_to_the_log(written: tuple[Path, PlacementEnv]) -> None:
    path, _ = written
    log = read_log(path).log
    happened = derived(log)
    assert (np.diff(happened["time"]) >= 0.0).all()
    for kind, times in (("arrival", log.arrival_s), ("activation", log.activation_s),
                        ("end", log.end_s)):  # fmt: skip
        rows = happened[happened["kind"] == KINDS.index(kind)]
        np.testing.assert_array_equal(rows["time"][np.argsort(rows["job"])], times)
    used = np.zeros(len(PLATFORM))
    taken, end = KINDS.index("cores_taken"), KINDS.index("end")
    for event in happened:
        if event["kind"] in (taken, end):
            cores = log.cores[event["job"]]
            used[event["site"]] += cores if event["kind"] == taken else -cores
            assert (used >= 0).all()
            assert (used <= PLATFORM.cores).all()
    assert not used.any()


def test_a_rough_episode_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "run.parquet"
    env = played(path, **ROUGH)
    kept = read_log(path)
    assert_equal_logs(kept.log, env.episode_log())
    assert {"finished", "failed"} <= set(kept.log.state)
    assert (kept.log.attempt > 1).any()
    assert kept.about["events_lost"] == 0
    np.testing.assert_array_equal(kept.events, env.batch.simulator.events(0))


def test_recorded_events_of_jobs_are_those_that_follow_from_the_log(tmp_path: Path) -> None:
    path = tmp_path / "run.parquet"
    played(path, **ROUGH)
    kept = read_log(path)
    expected = derived(kept.log)
    for kind in ("placement", "activation", "cores_taken", "end"):
        code = KINDS.index(kind)
        one, other = (e[e["kind"] == code] for e in (kept.events, expected))
        one, other = (e[np.lexsort((e["job"], e["time"]))] for e in (one, other))
        for field in ("time", "job", "site"):
            np.testing.assert_array_equal(one[field], other[field], err_msg=f"{kind} {field}")


def test_bad_input_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="did you mean jobs"):
        PlacementEnv(log=tmp_path, log_level="job", **small())
    with pytest.raises(SettingError, match="folder"):
        PlacementVectorEnv(2, log=tmp_path / "run.parquet", **small())
    with pytest.raises(StreamError, match="choose run"):
        write_log(LoggedEpisode(played(tmp_path / "a", "none").episode_log()), tmp_path / "a.txt")
    with pytest.raises(StreamError, match="log of an episode"):
        read_log(tmp_path / "nowhere.parquet")
    other = tmp_path / "other.parquet"
    pd.DataFrame({"a": [1]}).to_parquet(other)
    with pytest.raises(StreamError, match="log of an episode"):
        read_log(other)


def test_a_damaged_or_lost_file_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "run.parquet"
    played(path)
    events_path(path).unlink()
    with pytest.raises(StreamError, match="log of an episode"):
        read_log(path)
    played(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(StreamError, match="log of an episode"):
        read_log(path)
