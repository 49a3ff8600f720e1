"""Fitting weights: it finds better ones, goes on where it stopped, and sees the past alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from panda_gym.benchmarking import tuning
from panda_gym.benchmarking.standard_suite import EVALUATION_SEEDS
from panda_gym.benchmarking.tuning import Search, past_of, tune
from panda_gym.environments.placement.policies.tuned_terms import NAMES
from panda_gym.errors import StreamError
from panda_gym.jobs.split import split
from tests.oracles.worlds import make_platform, make_stream

pytest.importorskip("cmaes")

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
LONG = make_stream(PLATFORM, jobs=2400)


def test_the_search_finds_the_bottom_of_a_bowl(monkeypatch: pytest.MonkeyPatch) -> None:
    bottom = np.random.default_rng(0).normal(0.0, 0.5, len(NAMES))

    def bowl(batch: Any, weights: np.ndarray, seeds: Any) -> np.ndarray:
        return ((weights - bottom) ** 2).sum(axis=1, keepdims=True)

    monkeypatch.setattr(tuning, "evaluate", bowl)
    fit = tune(replace(SMALL, generations=400, population=16), **SCENARIO)
    np.testing.assert_allclose([fit.weights[name] for name in NAMES], bottom, atol=0.05)


def test_a_search_goes_on_where_it_stopped(tmp_path: Path) -> None:
    whole = tune(SMALL, **SCENARIO)
    tune(replace(SMALL, generations=1), state_file=tmp_path / "state.json", **SCENARIO)
    ahead: list[int] = []
    rest = tune(
        SMALL,
        state_file=tmp_path / "state.json",
        progress=lambda done, total, message: ahead.append(done),
        **SCENARIO,
    )
    assert ahead == [2, 3]
    assert rest == whole


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
    fit = tune(SMALL, **SCENARIO)
    assert min(used) >= tuning.TRAINING_SEEDS > EVALUATION_SEEDS + 100_000
    assert fit.seeds == (min(used), max(used) + 1)


def test_a_recorded_stream_is_fitted_on_its_first_half() -> None:
    past, future = split(LONG, 0.5)
    assert past_of(LONG, None).digest() == past.digest()
    assert past_of(LONG, 0.55).arrival_s[-1] > future.arrival_s[0]
    synthetic = replace(LONG, origin="synthetic jobs of a surrogate")
    assert past_of(synthetic, None) is synthetic


def test_the_future_does_not_change_what_is_fitted() -> None:
    later = np.arange(len(LONG)) >= len(LONG) // 2
    other = replace(LONG, workload_true=np.where(later, 1e5, LONG.workload_true))
    search = replace(SMALL, generations=1)
    fits = [tune(search, until=0.5, **SCENARIO | {"stream": one}) for one in (LONG, other)]
    assert fits[0].weights == fits[1].weights
    assert fits[0].losses == fits[1].losses


def test_a_stream_without_a_past_is_one_clear_error() -> None:
    with pytest.raises(StreamError, match="no past to fit on"):
        tune(SMALL, until="1990-01-01", **SCENARIO | {"stream": LONG})
    with pytest.raises(StreamError, match="1,000 jobs"):
        tune(SMALL, until=0.1, **SCENARIO | {"stream": LONG})
