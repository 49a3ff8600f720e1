"""Train on synthetic, test on real, for classes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from panda_gym.experiments.generator_comparison.classes import f1_interval, macro_f1, predictions


def test_macro_f1_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    true, guessed = rng.integers(0, 3, 500), rng.integers(0, 4, 500)
    expected = f1_score(true, guessed, labels=[0, 1, 2], average="macro")
    assert macro_f1(guessed, true) == pytest.approx(expected)
    weights = rng.poisson(1.0, 500)
    again = macro_f1(np.repeat(guessed, weights), np.repeat(true, weights))
    assert macro_f1(guessed, true, weights) == pytest.approx(again)


def test_a_model_learns_a_rule_and_not_noise() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=600)
    kind = pd.Categorical(np.where(rng.random(600) < 0.1, None, rng.choice(["u", "v"], 600)))
    label = pd.Categorical(np.where(x > 0, "yes", "no"))
    good = pd.DataFrame({"x": x, "kind": kind, "y": label})
    noise = good.assign(y=pd.Categorical(rng.permutation(np.asarray(label))))
    scores = [macro_f1(*predictions(t[:400], good[400:], "y", 0)) for t in (good, noise)]
    assert scores[0] > 0.95 > 0.7 > scores[1]


def test_the_interval_holds_the_value() -> None:
    rng = np.random.default_rng(0)
    true = rng.integers(0, 2, 400)
    value, low, high = f1_interval(np.where(rng.random(400) < 0.8, true, 1 - true), true, rng)
    assert low < value < high < low + 0.15
