"""Claims about predicted run times: they follow the user, and never know the future."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from panda_gym.jobs import JobStream
from panda_gym.jobs.run_time_prediction import FIRST_S, causal_run_times


def naive(submit: list[float], run: list[float], wait: list[float], user: list[int]) -> list[float]:
    """One job at a time, from the jobs that had ended by its submission."""
    found = []
    for now, who in zip(submit, user, strict=True):
        ended = [
            (s + max(w, 0.0) + r, k, r, u)
            for k, (s, r, w, u) in enumerate(zip(submit, run, wait, user, strict=True))
            if s + max(w, 0.0) + r < now
        ]
        own = [r for _, _, r, u in sorted(ended) if u == who][-2:]
        every = [r for _, _, r, _ in ended]
        found.append(np.mean(own) if own else np.mean(every) if every else FIRST_S)
    return found


def drawn(seed: int, n: int = 120) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    submit = np.sort(rng.integers(0, 20_000, n)).astype(float)
    run, wait = rng.integers(0, 3000, n).astype(float), rng.integers(-1, 500, n).astype(float)
    return submit, run, wait, rng.integers(0, 6, n)


def test_predictions_are_those_of_the_slow_twin() -> None:
    for seed in range(5):
        given = drawn(seed)
        expected = naive(*(values.tolist() for values in given))
        np.testing.assert_allclose(causal_run_times(*given), expected)


def test_no_prediction_knows_a_run_that_had_not_ended() -> None:
    submit, run, wait, user = drawn(0)
    before = causal_run_times(submit, run, wait, user)
    for k in range(0, len(submit), 7):
        longer = run.copy()
        longer[k] += 500.0
        after = causal_run_times(submit, longer, wait, user)
        changed = np.flatnonzero(after != before)
        ended = submit[k] + max(wait[k], 0.0) + run[k]
        assert (submit[changed] > ended).all()


def test_a_trace_is_predicted_from_its_past(tmp_path: Path) -> None:
    """The first half of a file is predicted alike, whatever comes after it."""
    rng = np.random.default_rng(1)
    lines = [
        f"{k} {k * 60} 0 {run} 1 -1 -1 1 -1 -1 1 {user} 1 -1 1 1 -1 -1"
        for k, (run, user) in enumerate(rng.integers((1, 1), (4000, 5), (200, 2)))
    ]
    streams = []
    for count in (100, 200):
        path = tmp_path / f"{count}.swf"
        path.write_text("\n".join(lines[:count]) + "\n")
        streams.append(JobStream.from_swf(path))
    half, whole = streams
    np.testing.assert_array_equal(half.workload_pred, whole.workload_pred[:100])
    assert len(np.unique(whole.workload_pred)) > 50
