"""Whether a model learnt on synthetic rows serves on real ones.

MLEF (paper, section IV-B): mean squared error, on the real test set, of a CatBoost regressor of
ln(target) trained on the table under test: 200 iterations, depth 10, learning rate 1.0, RMSE
loss. diff-MLEF = MLEF(synthetic) - MLEF(train). Knows tables; imports CatBoost when it fits.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.stats import norm

from metrics.base import Score, Study
from metrics.errors import MetricError
from metrics.tables import Sample, read

PAPER = {"iterations": 200, "depth": 10, "learning_rate": 1.0, "loss_function": "RMSE"}
"""The paper's settings of the regressor."""
LEAST_ROWS = 20
"""Rows below which no regressor is fitted."""


def mlef(
    table: pd.DataFrame,
    test: pd.DataFrame,
    *,
    target: str = "workload",
    seed: int = 0,
    iterations: int = 200,
    depth: int = 10,
    threads: int = 1,
) -> float:
    """Return the machine-learning efficacy of `table` in squared units of ln(target).

    Trains on `table`, tests on `test`; `iterations` and `depth` are the paper's unless a quick
    look is wanted. The result is reproducible for a given number of threads.
    """
    tables = read({"test": test, "table": table})
    settings = {"iterations": iterations, "depth": depth, "thread_count": threads}
    return float(squared_errors(tables["table"], tables["test"], target, seed, settings).mean())


def diff_mlef(
    synthetic: pd.DataFrame,
    train: pd.DataFrame,
    test: pd.DataFrame,
    *,
    target: str = "workload",
    seed: int = 0,
    iterations: int = 200,
    depth: int = 10,
    threads: int = 1,
) -> float:
    """Return diff-MLEF = MLEF(synthetic) - MLEF(train), both tested on `test`."""
    how = {"iterations": iterations, "depth": depth, "threads": threads}
    real = mlef(train, test, target=target, seed=seed, **how)
    return mlef(synthetic, test, target=target, seed=seed, **how) - real


def squared_errors(
    table: Sample, test: Sample, target: str, seed: int, settings: dict[str, int]
) -> np.ndarray:
    """Return the squared errors of ln(target) on the test rows, float64[rows]."""
    from catboost import CatBoostRegressor, Pool

    x, y = _frame(table, target, "the table to learn from")
    x_test, y_test = _frame(test, target, "the test table")
    if len(y) < LEAST_ROWS or np.ptp(y) == 0:
        came = f"{len(y)} rows" if len(y) < LEAST_ROWS else "a constant"
        needed = f"at least {LEAST_ROWS} rows with a varying {target!r} to learn from"
        raise MetricError(needed, came, "pass more rows or another target")
    categories = list(table.schema.categories)
    model = CatBoostRegressor(
        **{**PAPER, **settings}, random_seed=seed, verbose=False, allow_writing_files=False
    )
    model.fit(Pool(x, y, cat_features=categories))
    return (model.predict(Pool(x_test, cat_features=categories)) - y_test) ** 2


def _frame(sample: Sample, target: str, word: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the features and ln(target)."""
    if target not in sample.schema.numbers:
        known = ", ".join(sample.schema.numbers) or "none"
        raise MetricError(f"a number column {target!r}", f"numbers {known}", "name the target")
    y = sample.number(target)
    if not (y > 0).all():
        bad = int((~(y > 0)).sum())
        needed = f"positive values of {target!r} in {word}, since ln is taken"
        raise MetricError(needed, f"{bad} that are not", "repair or drop those rows")
    columns = {name: sample.number(name) for name in sample.schema.numbers if name != target}
    codes = {name: sample.category(name) for name in sample.schema.categories}
    return pd.DataFrame({**columns, **codes}), np.log(y)


def measure(study: Study) -> list[Score]:
    """Score MLEF and diff-MLEF; the floor is a second model learnt on real rows.

    Three models are fitted on as many rows: on synthetic rows, on training rows (the paper's
    reference), and once more on training rows, other ones where there are enough and with another
    seed. How far the last two lie apart is the noise of learning, part of every interval here.
    """
    if study.target is None:
        raise MetricError("a target column", "None", "name the number that models predict")
    n = min(len(study.synthetic), len(study.train), int(study.settings["efficacy_rows"]))
    rng = study.rng("mlef")
    synthetic, first, second = study.synthetic.draw(n, rng), *_two_draws(study.train, n, rng)
    test = study.holdout.draw(int(study.settings["efficacy_test_rows"]), rng)
    if test.schema.numbers.count(study.target) and np.ptp(test.number(study.target)) == 0:
        raise MetricError("a target that varies", "a constant", "pass another target")
    errors = [
        _errors(study, table, test, seed)
        for table, seed in ((synthetic, 0), (first, 0), (second, 1))
    ]
    return _scores(study, test, errors, n)


def _two_draws(train: Sample, n: int, rng: np.random.Generator) -> tuple[Sample, Sample]:
    """Return two draws of n rows that overlap as little as the table allows."""
    order = rng.permutation(len(train))
    return train.take(np.sort(order[:n])), train.take(np.sort(order[-n:]))


def _errors(study: Study, table: Sample, test: Sample, seed: int) -> np.ndarray:
    """Return squared errors on the test rows, averaged over the policy's seeds, float64[rows]."""
    assert study.target is not None
    names = ("iterations", "depth", "thread_count")
    how = {name: int(study.settings[f"catboost_{name}"]) for name in names}
    times = int(study.settings["efficacy_seeds"])
    seeds = [study.seed + seed * times + i for i in range(times)]
    return np.mean([squared_errors(table, test, study.target, s, how) for s in seeds], axis=0)


def _scores(study: Study, test: Sample, errors: list[np.ndarray], n: int) -> list[Score]:
    mine, real, again = errors
    assert study.target is not None
    variance = float(np.log(test.number(study.target)).var())
    noise = abs(float((again - real).mean()))
    rest = f"of ln({study.target}), CatBoost, tested on {len(mine)} held-out rows"
    gap, floor = mine - real, again - real
    return [
        _score(study, "mlef", mine, real, noise, n, f"squared error {rest}"),
        _score(study, "diff_mlef", gap, floor, noise, n, f"MLEF(synthetic) - MLEF(train), {rest}"),
        _score(
            study,
            "efficacy_lost",
            gap / variance,
            floor / variance,
            noise / variance,
            n,
            f"diff-MLEF as a share of the variance of ln({study.target}): explained part lost",
        ),
    ]


def _score(
    study: Study,
    id: str,
    value: np.ndarray,
    floor: np.ndarray,
    noise: float,
    n: int,
    note: str,
) -> Score:
    """Score a mean over test rows; errors of the test rows and of learning add in quadrature."""
    error, excess = (math.hypot(_standard_error(x), noise) for x in (value, value - floor))
    z, z_one = norm.ppf(1 - study.alpha / 2), norm.ppf(1 - study.alpha)
    mean, real = float(value.mean()), float(floor.mean())
    bound = mean - real + float(z_one) * excess
    ends = (float(mean - z * error), float(mean + z * error))
    return Score(id, "efficacy", mean, *ends, real, bound, n, note=note)


def _standard_error(x: np.ndarray) -> float:
    return float(x.std(ddof=1)) / math.sqrt(len(x))
