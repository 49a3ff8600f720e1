"""Prediction errors: their distribution, repeatable draws, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from panda_gym.errors import StreamError
from panda_gym.jobs.prediction_error import PredictionError
from tests.oracles.worlds import make_platform, make_stream

STREAM = make_stream(make_platform(4), jobs=4000)


def test_errors_follow_their_law() -> None:
    found = PredictionError(sigma=1.5, bias=3.0).apply(STREAM, seed=1)
    logs = np.log(found.workload_pred / STREAM.workload_true)
    assert np.mean(logs) == pytest.approx(np.log(3.0), abs=0.1)
    assert np.std(logs) == pytest.approx(1.5, abs=0.1)
    np.testing.assert_array_equal(found.workload_true, STREAM.workload_true)


def test_a_bias_keeps_the_streams_own_predictions_otherwise() -> None:
    found = PredictionError(bias=1.0 / 3.0, of_truth=False).apply(STREAM)
    np.testing.assert_allclose(found.workload_pred, STREAM.workload_pred / 3.0)


def test_a_seed_repeats_its_predictions() -> None:
    error = PredictionError(sigma=1.0)
    one, same, other = (error.apply(STREAM, seed).workload_pred for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_law_out_of_range_is_refused() -> None:
    with pytest.raises(StreamError, match="sigma"):
        PredictionError(sigma=-1.0)
