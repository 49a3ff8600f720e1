"""Machine-learning efficacy: does a model trained on synthetic rows predict real ones?

MLEF (paper, section IV-B): mean squared error, on the real test set, of a CatBoost regressor of
ln(target) trained on the table under test: 200 iterations, depth 10, learning rate 1.0, RMSE
loss. diff-MLEF = MLEF(synthetic) - MLEF(train).

A category as target is classified by CatBoost with the same settings; its squared error is Brier's
score, half the squared distance of the predicted shares from the true level, beside F1 and AUC as
other work on tables reports them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm, t

from metrics.base import Score, Study
from metrics.errors import MetricError, NotApplicable
from metrics.statistics.resampling import auc, replicate
from metrics.tables.samples import Sample, fingerprint, read

PAPER = {"iterations": 200, "depth": 10, "learning_rate": 1.0, "loss_function": "RMSE"}
"""The paper's settings of the regressor."""
LEAST_ROWS = 20
"""Rows below which no model is fitted."""
LEAST_SEEDS = 2
"""Fits on each table below which the noise of learning cannot be estimated."""


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
    """Return the machine-learning efficacy of `table`: squared error of ln(target), or Brier's.

    Trains on `table`, tests on `test`; `iterations` and `depth` are the paper's unless a quick
    look is wanted. A number is predicted in squared units of its logarithm, a category by Brier's
    score, 0 to 1. The number of threads does not change it.
    """
    tables = read({"test": test, "table": table})
    settings = {"iterations": iterations, "depth": depth, "thread_count": threads}
    found = predictions(tables["table"], tables["test"], target, seed, settings)
    return float(squared_errors(found, tables["test"], target).mean())


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


def classification(
    table: pd.DataFrame,
    test: pd.DataFrame,
    *,
    target: str,
    seed: int = 0,
    iterations: int = 200,
    depth: int = 10,
    threads: int = 1,
) -> dict[str, float]:
    """Return Brier's score, F1 and AUC of a category learnt on `table` and tested on `test`.

    F1 and AUC are means over the levels, each against the rest (macro average).
    """
    tables = read({"test": test, "table": table})
    settings = {"iterations": iterations, "depth": depth, "thread_count": threads}
    if target not in tables["test"].schema.categories:
        known = ", ".join(tables["test"].schema.categories) or "none"
        raise MetricError(f"a category column {target!r}", f"categories {known}", "name another")
    chances = predictions(tables["table"], tables["test"], target, seed, settings)
    truth = tables["test"].category(target)
    return {
        "brier": float(squared_errors(chances, tables["test"], target).mean()),
        "f1": macro_f1(truth, chances.argmax(axis=1))(np.ones(len(truth))),
        "auc": macro_auc(truth, chances)[0],
    }


def predictions(
    table: Sample, test: Sample, target: str, seed: int, settings: Mapping[str, Any]
) -> np.ndarray:
    """Return ln(target) predicted on the test rows, float64[rows], or shares float64[rows, k]."""
    from catboost import CatBoostClassifier, CatBoostRegressor, Pool

    x, y = _features(table, target), truth_of(table, target, "the table to learn from")
    truth_of(test, target, "the test table")
    if len(y) < LEAST_ROWS or np.ptp(y) == 0:
        came = f"{len(y)} rows" if len(y) < LEAST_ROWS else "a constant"
        needed = f"at least {LEAST_ROWS} rows with a varying {target!r} to learn from"
        raise MetricError(needed, came, "pass more rows or another target")
    numeric = target in table.schema.numbers
    loss = "RMSE" if numeric else "Logloss" if len(np.unique(y)) == 2 else "MultiClass"
    how = {**PAPER, "loss_function": loss, **settings}
    maker = CatBoostRegressor if numeric else CatBoostClassifier
    model = maker(**how, random_seed=seed, verbose=False, allow_writing_files=False)
    categories = [name for name in table.schema.categories if name != target]
    model.fit(Pool(x, y, cat_features=categories))
    asked = Pool(_features(test, target), cat_features=categories)
    if numeric:
        return np.asarray(model.predict(asked))
    chances = np.zeros((len(test), len(table.schema.levels[target])))
    chances[:, np.asarray(model.classes_, dtype=np.int64)] = model.predict_proba(asked)
    return chances


def squared_errors(found: np.ndarray, test: Sample, target: str) -> np.ndarray:
    """Return the squared error of each test row, float64[rows] (a category: Brier's score)."""
    truth = truth_of(test, target, "the test table")
    if found.ndim == 1:
        return (found - truth) ** 2
    right = found[np.arange(len(found)), truth]
    return ((found**2).sum(axis=1) - 2 * right + 1) / 2


def truth_of(sample: Sample, target: str, word: str) -> np.ndarray:
    """Return ln(target) of the rows, float64[n], or the codes of a category, int64[n]."""
    if target in sample.schema.categories:
        return sample.category(target).astype(np.int64)
    if target not in sample.schema.numbers:
        known = ", ".join(sample.schema.order)
        raise MetricError(f"a column {target!r} to predict", f"columns {known}", "name the target")
    y = sample.number(target)
    if not (y > 0).all():
        bad = int((~(y > 0)).sum())
        needed = f"positive values of {target!r} in {word}, since ln is taken"
        raise MetricError(needed, f"{bad} that are not", "repair or drop those rows")
    return np.log(y)


def _features(sample: Sample, target: str) -> pd.DataFrame:
    """Return all columns but the target, categories as codes."""
    schema = sample.schema
    columns = {name: sample.number(name) for name in schema.numbers if name != target}
    codes = {name: sample.category(name) for name in schema.categories if name != target}
    if not columns and not codes:
        raise MetricError(f"columns beside the target {target!r}", "none", "pass a wider table")
    return pd.DataFrame({**columns, **codes})


def macro_f1(truth: np.ndarray, guess: np.ndarray) -> Callable[[np.ndarray], float]:
    """Return the mean F1 over the levels that `truth` has, as a function of row weights."""
    k = int(max(truth.max(), guess.max())) + 1
    cells, present = truth * k + guess, np.unique(truth)

    def value(weights: np.ndarray) -> float:
        table = np.bincount(cells, weights, k * k).reshape(k, k)
        both = table.sum(axis=0) + table.sum(axis=1)
        f1 = np.divide(2 * np.diag(table), both, out=np.zeros(k), where=both > 0)
        return float(f1[present].mean())

    return value


def macro_auc(truth: np.ndarray, chances: np.ndarray) -> tuple[float, float]:
    """Return the mean area under the ROC curve over the levels, and its error.

    Errors of the levels are taken as fully dependent, which they nearly are.
    """
    levels = [k for k in np.unique(truth) if 1 < (truth == k).sum() < len(truth) - 1]
    if not levels:
        raise MetricError("two levels with two test rows each", "fewer", "pass another target")
    areas = [auc(chances[truth != k, k], chances[truth == k, k]) for k in levels]
    return float(np.mean([a for a, _ in areas])), float(np.mean([e for _, e in areas]))


def measure(study: Study) -> list[Score]:
    """Score MLEF and diff-MLEF with several seeds; the reference is the same models on real rows.

    As many models are fitted on synthetic rows as on training rows, each with a seed and, where
    there are enough, rows of its own. How far fits on one table lie apart is the noise of learning:
    it enters every interval by Student's t, beside the sampling error of the test rows.
    """
    if study.target is None:
        raise NotApplicable("a target column", "None", "name the column that models predict")
    seeds = int(study.settings["efficacy_seeds"])
    if seeds < LEAST_SEEDS:
        raise MetricError(f"at least {LEAST_SEEDS} efficacy_seeds", str(seeds), "set more")
    n = min(len(study.synthetic), len(study.train), int(study.settings["efficacy_rows"]))
    test = study.holdout.draw(int(study.settings["efficacy_test_rows"]), study.rng("mlef/test"))
    truth = truth_of(test, study.target, "the test table")
    if np.ptp(truth) == 0:
        raise MetricError("a target that varies", "a constant", "pass another target")
    found = [_fits(study, word, n, test, seeds) for word in ("synthetic", "train")]
    scores = _errors(study, test, found, n)
    return scores if found[0].ndim == 2 else scores + _classified(study, truth, found, n)


def _fits(study: Study, word: str, n: int, test: Sample, seeds: int) -> np.ndarray:
    """Return the predictions of several fits, float64[seeds, rows] or float64[seeds, rows, k]."""
    assert study.target is not None
    names = ("iterations", "depth", "thread_count")
    how = {name: int(study.settings[f"catboost_{name}"]) for name in names}
    how["thread_count"] = study.threads or how["thread_count"]
    table: Sample = getattr(study, word)
    order = study.rng(f"mlef/{word}").permutation(len(table))
    found = []
    for i in range(seeds):
        if study.report is not None:
            study.report(f"fit {i + 1} of {seeds} on {n:,} {word} rows")
        rows = table.take(np.sort(np.roll(order, -i * n)[:n]))
        found.append(_fit(study, rows, test, study.seed + i, how))
    return np.array(found)


def _fit(study: Study, rows: Sample, test: Sample, seed: int, how: Mapping[str, int]) -> np.ndarray:
    """Return the predictions of one fit, from the cache where it was made before."""
    assert study.target is not None
    target = study.target
    key = {"fit": fingerprint(rows), "test": fingerprint(test), "target": target, "seed": seed}
    key |= {name: value for name, value in how.items() if name != "thread_count"}
    return study.cache.get(key, lambda: predictions(rows, test, target, seed, how))


def _errors(study: Study, test: Sample, found: list[np.ndarray], n: int) -> list[Score]:
    """Score squared errors: MLEF, diff-MLEF and the share of what is explained that is lost."""
    assert study.target is not None
    mine, real = (np.array([squared_errors(f, test, study.target) for f in own]) for own in found)
    truth = truth_of(test, study.target, "the test table")
    numeric = found[0].ndim == 2
    variance = float(truth.var()) if numeric else (1 - _squares(truth)) / 2
    what = f"of ln({study.target})" if numeric else f"of {study.target} (Brier's score)"
    rest = f"{what}, CatBoost, {len(mine)} fits, tested on {len(truth)} held-out rows"
    noise = _noise(mine.mean(axis=1), real.mean(axis=1))
    gap = (mine - real).mean(axis=0)
    zero = np.zeros_like(gap)
    lost = f"diff-MLEF as a share of the variance {what}: explained part lost"
    return [
        _score(study, "mlef", mine.mean(axis=0), real.mean(axis=0), noise, n, f"error {rest}"),
        _score(study, "diff_mlef", gap, zero, noise, n, f"MLEF(synthetic) - MLEF(train), {rest}"),
        _score(study, "efficacy_lost", gap / variance, zero, noise / variance, n, lost),
    ]


def _squares(codes: np.ndarray) -> float:
    share = np.bincount(codes) / len(codes)
    return float(share @ share)


def _noise(mine: np.ndarray, real: np.ndarray) -> float:
    """Return the standard error of the difference of two means of fits, from their spread."""
    return math.sqrt((mine.var(ddof=1) + real.var(ddof=1)) / len(mine))


def _score(
    study: Study,
    id: str,
    value: np.ndarray,
    reference: np.ndarray,
    noise: float,
    n: int,
    note: str,
) -> Score:
    """Score a mean over test rows; errors of the rows and of learning add in quadrature."""
    mean, real = float(value.mean()), float(reference.mean())
    reach = _reach(study, _standard_error(value), noise, study.alpha / 2)
    bound = mean - real + _reach(study, _standard_error(value - reference), noise, study.alpha)
    return Score(id, mean, mean - reach, mean + reach, real, bound, n, note=note)


def _reach(study: Study, error: float, noise: float, alpha: float) -> float:
    """Return how far a one-sided bound lies away: normal for rows, Student's for the few fits."""
    freedom = 2 * (int(study.settings["efficacy_seeds"]) - 1)
    return math.hypot(float(norm.isf(alpha)) * error, float(t.isf(alpha, freedom)) * noise)


def _standard_error(x: np.ndarray) -> float:
    return float(x.std(ddof=1)) / math.sqrt(len(x))


def _classified(study: Study, truth: np.ndarray, found: list[np.ndarray], n: int) -> list[Score]:
    """Score F1 and AUC of a category."""
    figures = {"f1": _f1, "auc": _auc}
    scores = []
    for id, figure in figures.items():
        own = [[figure(study, truth, chances) for chances in fits] for fits in found]
        (mine, real), errors = (
            [np.array([v for v, _ in fits]) for fits in own],
            [float(np.mean([e for _, e in fits])) for fits in own],
        )
        noise, value, reference = _noise(mine, real), float(mine.mean()), float(real.mean())
        reach = _reach(study, errors[0], noise, study.alpha / 2)
        bound = reference - value + _reach(study, math.hypot(*errors), noise, study.alpha)
        note = f"{id.upper()} of {study.target}, mean over its levels, CatBoost, {len(mine)} fits"
        ends = (max(0.0, value - reach), min(1.0, value + reach), reference, bound)
        scores.append(Score(id, value, *ends, n, better="higher", note=note))
    return scores


def _f1(study: Study, truth: np.ndarray, chances: np.ndarray) -> tuple[float, float]:
    value = macro_f1(truth, chances.argmax(axis=1))
    times = int(study.settings["bootstrap"])
    rng = study.rng("mlef/f1")
    mean, draws = replicate(lambda w: np.array([value(w)]), len(truth), times, rng)
    return float(mean[0]), float(draws.std(ddof=1))


def _auc(study: Study, truth: np.ndarray, chances: np.ndarray) -> tuple[float, float]:
    return macro_auc(truth, chances)
