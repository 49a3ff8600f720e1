"""Estimators against a decision process small enough to add up every trajectory."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from panda_gym.offline.off_policy import ESTIMATORS, LoggedEpisodes, estimate, interval

STATES, ACTIONS, STEPS, GAMMA = 2, 2, 3, 0.8
REWARD = np.array([[1.0, -0.5], [0.3, 2.0]])
MOVE = np.array([[[0.7, 0.3], [0.2, 0.8]], [[0.5, 0.5], [0.9, 0.1]]])  # [state, action, next]
BEHAVIOUR = np.array([[0.5, 0.5], [0.25, 0.75]])
TARGET = np.array([[0.9, 0.1], [0.6, 0.4]])


def values() -> tuple[np.ndarray, np.ndarray]:
    """Q [STEPS, states, actions] and V [STEPS + 1, states] of the target, backwards in time."""
    q, v = np.zeros((STEPS, STATES, ACTIONS)), np.zeros((STEPS + 1, STATES))
    for step in reversed(range(STEPS)):
        q[step] = REWARD + GAMMA * MOVE @ v[step + 1]
        v[step] = (TARGET * q[step]).sum(axis=1)
    return q, v


TRUTH = float(values()[1][0, 0])  # every episode begins in state 0


def logged(paths: list[tuple[tuple[int, int], ...]], model: float) -> LoggedEpisodes:
    """Episodes of (state, action) pairs, with the exact model times `model`."""
    states, actions = (np.array([[pair[k] for pair in path] for path in paths]) for k in (0, 1))
    steps = np.arange(STEPS)
    q, v = values()
    after = np.column_stack([v[steps, states], np.zeros(len(paths))])
    ratios = TARGET[states, actions] / BEHAVIOUR[states, actions]
    return LoggedEpisodes(
        ratios, REWARD[states, actions], model * q[steps, states, actions], model * after
    )


def every_path() -> tuple[list[tuple[tuple[int, int], ...]], np.ndarray]:
    """All trajectories from state 0 and the behaviour's probability of each."""
    pairs = list(itertools.product(range(STATES), range(ACTIONS)))
    paths = [path for path in itertools.product(pairs, repeat=STEPS) if path[0][0] == 0]
    chances = []
    for path in paths:
        chance = 1.0
        for (state, action), follow in zip(path, [*path[1:], None], strict=True):
            chance *= BEHAVIOUR[state, action]
            chance *= 1.0 if follow is None else MOVE[state, action, follow[0]]
        chances.append(chance)
    return paths, np.array(chances)


def drawn(n: int, seed: int) -> LoggedEpisodes:
    paths, chances = every_path()
    picked = np.random.default_rng(seed).choice(len(paths), size=n, p=chances)
    return logged([paths[k] for k in picked], model=1.0)


@pytest.mark.parametrize("name", ["importance", "per_decision", "doubly_robust"])
@pytest.mark.parametrize("model", [0.0, 1.0, -3.0])
def test_the_expectation_over_all_trajectories_is_the_truth(name: str, model: float) -> None:
    paths, chances = every_path()
    assert chances.sum() == pytest.approx(1.0)
    single = [estimate(logged([path], model), name, GAMMA) for path in paths]
    assert float(chances @ single) == pytest.approx(TRUTH, abs=1e-12)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_large_samples_come_to_the_truth(name: str) -> None:
    assert estimate(drawn(60_000, seed=1), name, GAMMA) == pytest.approx(TRUTH, abs=0.05)


def test_the_behaviour_itself_is_judged_by_its_mean_return() -> None:
    sample = drawn(50, seed=2)
    same = LoggedEpisodes(np.ones_like(sample.ratios), sample.rewards, 0 * sample.q, 0 * sample.v)
    mean = float((sample.rewards @ GAMMA ** np.arange(STEPS)).mean())
    for name in set(ESTIMATORS) - {"direct"}:
        assert estimate(same, name, GAMMA) == pytest.approx(mean)
    assert same.effective_episodes == pytest.approx(50.0)


def test_a_good_model_narrows_the_interval() -> None:
    sample = drawn(200, seed=3)
    plain, robust = (interval(sample, k, GAMMA) for k in ("per_decision", "doubly_robust"))
    assert robust.high - robust.low < 0.7 * (plain.high - plain.low)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    held = 0
    for seed in range(60):
        found = interval(drawn(150, seed), "doubly_robust", GAMMA, repeats=200, seed=seed)
        held += found.low <= TRUTH <= found.high
    assert held >= 50  # of 60 at 95 %: fewer than 50 has probability below 1e-4


def test_episodes_without_support_say_nothing() -> None:
    sample = drawn(20, seed=4)
    none = LoggedEpisodes(np.zeros_like(sample.ratios), sample.rewards, sample.q, sample.v)
    assert none.effective_episodes == 0.0
    assert estimate(none, "weighted_per_decision", GAMMA) == 0.0
    assert estimate(none, "doubly_robust", GAMMA) == pytest.approx(float(sample.v[:, 0].mean()))
