"""Fitting weights: it finds better ones, goes on where it stopped, and keeps to its seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from panda_gym.benchmarking import tuning
from panda_gym.benchmarking.standard_suite import (
    EVALUATION_SEEDS,
    expand_policies,
    expand_scenarios,
)
from panda_gym.benchmarking.tuning import Search, tune, update, write_column
from panda_gym.environments.placement.policies.tuned import WEIGHTS, read_table
from panda_gym.errors import SettingError
from tests.oracles.worlds import make_platform, make_stream

PLATFORM = make_platform(5)
SCENARIO: dict[str, Any] = {
    "platform": PLATFORM,
    "stream": make_stream(PLATFORM, jobs=200),
    "scale": 1.0,
    "warmup": 10,
    "running": 0,
    "load": 1.2,
}
SMALL = Search(generations=3, population=6, episodes=2, jobs=20)


def test_the_search_finds_the_bottom_of_a_bowl() -> None:
    rng, bottom = np.random.default_rng(0), np.array([1.0, -2.0, 0.5])
    mean, spread = np.zeros(3), np.eye(3)
    for _ in range(60):
        drawn = rng.multivariate_normal(mean, spread, 20)
        mean, spread = update(mean, spread, drawn, ((drawn - bottom) ** 2).sum(axis=1))
    np.testing.assert_allclose(mean, bottom, atol=0.05)


def test_a_search_goes_on_where_it_stopped(tmp_path: Path) -> None:
    whole = tune(SMALL, **SCENARIO)
    part = Search(generations=1, population=6, episodes=2, jobs=20)
    tune(part, state_file=tmp_path / "state.json", **SCENARIO)
    ahead: list[int] = []
    rest = tune(
        SMALL,
        state_file=tmp_path / "state.json",
        progress=lambda done, total, message: ahead.append(done),
        **SCENARIO,
    )
    assert ahead == [2, 3]
    assert rest.losses == whole.losses
    np.testing.assert_allclose(rest.mean, whole.mean, rtol=1e-12)


def test_a_damaged_state_is_started_anew(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"key": ')
    end = tune(SMALL, state_file=tmp_path / "state.json", **SCENARIO)
    assert len(end.losses) == 3


def test_training_and_evaluation_share_no_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[int] = []
    play = tuning.play

    def spy(batch: Any, policy: Any, seeds: Any, **others: Any) -> Any:
        used.extend(seeds)
        return play(batch, policy, seeds, **others)

    monkeypatch.setattr(tuning, "play", spy)
    tune(SMALL, **SCENARIO)
    assert min(used) >= tuning.TRAINING_SEEDS > EVALUATION_SEEDS + 100_000


def test_a_column_joins_the_table(tmp_path: Path) -> None:
    path = tmp_path / "tuned.csv"
    write_column(path, "one", np.arange(float(len(WEIGHTS))))
    write_column(path, "two", np.zeros(len(WEIGHTS)))
    table = read_table(path)
    assert list(table) == ["one", "two"]
    np.testing.assert_allclose(table["one"], np.arange(float(len(WEIGHTS))))


def test_groups_stand_for_their_members() -> None:
    names = expand_policies(["tuned", "heuristics", "bound"])
    assert names[0] == "tuned"
    assert names.count("tuned") == 1
    assert names[-1] == "oracle:clairvoyant"
    assert "atlas" in expand_scenarios(["standard"])
    with pytest.raises(SettingError, match="outage"):
        expand_scenarios(["outages"])
