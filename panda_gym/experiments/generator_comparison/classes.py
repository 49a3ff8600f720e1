"""Train a classifier on synthetic rows, test it on real rows, report its F1 score."""

from __future__ import annotations

import numpy as np
import pandas as pd

SETTINGS = {"iterations": 300, "depth": 6, "learning_rate": 0.1}
"""Settings of the CatBoost classifier."""
DRAWS = 200
"""Bootstrap draws of the test rows behind an interval."""


def predictions(
    table: pd.DataFrame, test: pd.DataFrame, target: str, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return predicted and true class codes of the test rows; the model learns from `table`."""
    from catboost import CatBoostClassifier, Pool

    levels = test[target].cat.categories
    x, y = _frame(table, target), _codes(table[target], levels)
    names = [c for c in x.columns if x[c].dtype != np.float64]
    model = CatBoostClassifier(
        **SETTINGS, random_seed=seed, thread_count=1, verbose=False, allow_writing_files=False
    )
    model.fit(Pool(x, y, cat_features=names))
    guessed = model.predict(Pool(_frame(test, target), cat_features=names))
    return np.asarray(guessed).reshape(-1).astype(np.int64), _codes(test[target], levels)


def macro_f1(guessed: np.ndarray, true: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Return the F1 score averaged over the classes that the true labels have."""
    weights = np.ones(len(true)) if weights is None else weights
    size = int(max(guessed.max(), true.max())) + 1
    table = np.bincount(true * size + guessed, weights, size * size).reshape(size, size)
    hit, there, said = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    some = there > 0
    return float((2 * hit[some] / (there + said)[some]).mean())


def f1_interval(
    guessed: np.ndarray, true: np.ndarray, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Return the macro F1 with its 95 % interval over a bootstrap of the test rows."""
    draws = [macro_f1(guessed, true, rng.poisson(1.0, len(true))) for _ in range(DRAWS)]
    low, high = np.quantile(draws, [0.025, 0.975])
    return macro_f1(guessed, true), float(low), float(high)


def _frame(table: pd.DataFrame, target: str) -> pd.DataFrame:
    columns: dict[str, np.ndarray] = {}
    for name in table.columns.drop(target):
        column = table[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            words = np.array([*map(str, column.cat.categories), "(missing)"], object)
            columns[name] = words[column.cat.codes.to_numpy()]
        elif column.dtype.kind == "M":
            columns[name] = column.astype("int64").to_numpy(float)
        else:
            columns[name] = column.to_numpy(np.float64, na_value=np.nan)
    return pd.DataFrame(columns)


def _codes(column: pd.Series, levels: pd.Index) -> np.ndarray:
    return levels.get_indexer(column)
