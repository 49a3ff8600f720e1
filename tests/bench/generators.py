"""Measure fidelity, privacy and speed of every generator on one table.

    python -m tests.bench.generators --rows 100000 --names smote,tabddpm --set iterations=4000

Each generator is fitted to `rows` rows and judged against as many unseen rows of the same source:
C2ST is the AUC of histogram gradient boosting that tells synthetic from unseen rows (0.5 cannot),
rank WD the mean Wasserstein distance of numbers in ranks of the unseen rows, JSD the mean
Jensen-Shannon distance of categories, diff-CORR the mean absolute difference of the matrices of
association, closer the share of synthetic rows nearer to a fitted than to an unseen row (0.5 is
private). CPU-seconds are of this process, which runs on one thread.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.spatial.distance import jensenshannon
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

import generators


def reference_table(n: int, seed: int) -> pd.DataFrame:
    """Return the reference workload if it is there: the nine columns, n rows."""
    from panda_gym import reference_records

    return reference_records(n, seed=seed)


def as_numbers(table: pd.DataFrame) -> np.ndarray:
    """Return level codes and numbers (times in seconds) as float64[n, columns]."""
    columns = []
    for name in table.columns:
        series = table[name]
        if isinstance(series.dtype, pd.CategoricalDtype):
            columns.append(series.cat.codes.to_numpy(np.float64))
        elif series.dtype.kind == "M":
            columns.append(series.to_numpy().view(np.int64).astype(np.float64))
        else:
            columns.append(series.to_numpy(np.float64, na_value=np.nan))
    return np.stack(columns, axis=1)


def categorical(table: pd.DataFrame) -> np.ndarray:
    """Return which columns are categories, bool[columns]."""
    return np.array([isinstance(t, pd.CategoricalDtype) for t in table.dtypes])


def c2st(real: np.ndarray, fake: np.ndarray, is_category: np.ndarray, seed: int = 0) -> float:
    """Return the AUC of gradient boosting between two tables, fitted to one half of each."""
    n = min(len(real), len(fake))
    x = np.concatenate([real[:n], fake[:n]])
    y = np.repeat([0, 1], n)
    order = np.random.default_rng(seed).permutation(2 * n)
    fit, judge = order[:n], order[n:]
    few = is_category & (x.max(axis=0) < 255)
    model = HistGradientBoostingClassifier(
        categorical_features=few, max_iter=150, random_state=seed
    ).fit(x[fit], y[fit])
    return float(roc_auc_score(y[judge], model.predict_proba(x[judge])[:, 1]))


def rank_wd(real: np.ndarray, fake: np.ndarray) -> float:
    """Return the Wasserstein distance of two columns in mid-ranks of the real one."""
    ordered = np.sort(real)

    def ranks(x: np.ndarray) -> np.ndarray:
        both = np.searchsorted(ordered, x, "left") + np.searchsorted(ordered, x, "right")
        return np.sort(both / (2 * len(ordered)))

    grid = (np.arange(10_000) + 0.5) / 10_000
    return float(np.abs(np.quantile(ranks(real), grid) - np.quantile(ranks(fake), grid)).mean())


def jsd(real: np.ndarray, fake: np.ndarray) -> float:
    """Return the Jensen-Shannon distance (base 2) of two columns of codes."""
    size = int(max(real.max(), fake.max())) + 2
    count = [np.bincount(x.astype(np.int64) + 1, minlength=size) for x in (real, fake)]
    return float(jensenshannon(count[0], count[1], base=2))


def associations(x: np.ndarray, is_category: np.ndarray) -> np.ndarray:
    """Return Pearson of ranks, correlation ratios and Theil's U between all columns."""
    ranks = np.argsort(np.argsort(x, axis=0, kind="stable"), axis=0) / len(x)
    size = x.shape[1]
    out = np.eye(size)
    for i in range(size):
        for j in range(size):
            if i == j:
                continue
            if is_category[i] and is_category[j]:
                out[i, j] = _theil(x[:, i].astype(int) + 1, x[:, j].astype(int) + 1)
            elif is_category[j]:
                out[i, j] = _ratio(ranks[:, i], x[:, j].astype(int) + 1)
            elif is_category[i]:
                out[i, j] = _ratio(ranks[:, j], x[:, i].astype(int) + 1)
            else:
                out[i, j] = np.corrcoef(ranks[:, i], ranks[:, j])[0, 1]
    return out


def _theil(a: np.ndarray, b: np.ndarray) -> float:
    joint = np.bincount(a * (b.max() + 1) + b).astype(float)
    h_joint, h_a, h_b = (_entropy(c) for c in (joint, np.bincount(a), np.bincount(b)))
    return float((h_a + h_b - h_joint) / h_a) if h_a > 0 else 1.0


def _entropy(count: np.ndarray) -> float:
    p = count[count > 0] / count.sum()
    return float(-(p * np.log(p)).sum())


def _ratio(number: np.ndarray, code: np.ndarray) -> float:
    count = np.bincount(code)
    mean = np.bincount(code, number) / np.maximum(count, 1)
    total = ((number - number.mean()) ** 2).sum()
    return float(np.sqrt((count * (mean - number.mean()) ** 2).sum() / total))


def closer_share(
    fake: np.ndarray, fitted: np.ndarray, unseen: np.ndarray, is_category: np.ndarray
) -> float:
    """Return the share of synthetic rows nearer to a fitted than to an unseen row; ties half."""
    size = min(len(fitted), len(unseen), 20_000)
    fake = fake[:5_000]
    ordered = [np.sort(unseen[:, c]) for c in np.flatnonzero(~is_category)]

    def ranks(x: np.ndarray) -> np.ndarray:
        parts = [
            np.searchsorted(o, x[:, c]) / len(o)
            for o, c in zip(ordered, np.flatnonzero(~is_category), strict=True)
        ]
        return np.stack(parts, axis=1).astype(np.float32)

    def nearest(reference: np.ndarray) -> np.ndarray:
        numbers, codes = ranks(reference), reference[:, is_category].astype(np.int16)
        best = []
        for row, code in zip(ranks(fake), fake[:, is_category].astype(np.int16), strict=True):
            distance = np.sqrt(((numbers - row) ** 2).sum(1)) + (codes != code).sum(1)
            best.append(distance.min())
        return np.array(best)

    a, b = nearest(fitted[:size]), nearest(unseen[:size])
    return float((a < b).mean() + (a == b).mean() / 2)


def judge(fitted: pd.DataFrame, unseen: pd.DataFrame, fake: pd.DataFrame) -> dict[str, float]:
    """Return all scores of a synthetic table."""
    kinds = categorical(unseen)
    a, b, f = as_numbers(fitted), as_numbers(unseen), as_numbers(fake)
    numbers, codes = np.flatnonzero(~kinds), np.flatnonzero(kinds)
    n = min(len(b), len(f))
    return {
        "C2ST": c2st(b, f, kinds),
        "rank WD": float(np.mean([rank_wd(b[:, c], f[:, c]) for c in numbers])),
        "JSD": float(np.mean([jsd(b[:, c], f[:, c]) for c in codes])),
        "diff-CORR": float(np.abs(associations(b[:n], kinds) - associations(f[:n], kinds)).mean()),
        "closer": closer_share(f, a, b, kinds),
    }


def _cpu(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def run(
    name: str, fitted: pd.DataFrame, unseen: pd.DataFrame, config: dict[str, Any], seed: int
) -> dict[str, Any]:
    """Return the scores, CPU-seconds, sampling rate and file size of one generator."""
    known = set(generators.create(name).config.__dataclass_fields__)
    own = {key: value for key, value in config.items() if key in known}
    model, cost = _cpu(lambda: generators.create(name, **own).fit(fitted, seed=seed))
    model.sample(1)
    fake, spent = _cpu(lambda: model.sample(len(unseen), seed=seed + 1))
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model")
        size = sum(file.stat().st_size for file in (Path(folder) / "model").iterdir())
    speed = {"fit CPU-s": cost, "rows/CPU-s": len(unseen) / spent, "MB": size / 1e6}
    return judge(fitted, unseen, fake) | speed


def main() -> None:
    """Print one line a generator, the first for fresh real rows (the floor)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--judge", type=int, default=50_000)
    parser.add_argument("--names", default=",".join(generators.names()))
    parser.add_argument("--set", nargs="*", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    config = {k: _value(v) for k, v in (item.split("=") for item in options.set)}
    table = reference_table(options.rows + 2 * options.judge, options.seed)
    table = table.sample(frac=1, random_state=options.seed, ignore_index=True)
    fitted = table[: options.rows]
    unseen = table[options.rows : options.rows + options.judge].reset_index(drop=True)
    fresh = table[options.rows + options.judge :].reset_index(drop=True)
    _show("real", judge(fitted, unseen, fresh))
    for name in options.names.split(","):
        _show(name, run(name, fitted, unseen, config, options.seed))


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _show(name: str, scores: dict[str, Any]) -> None:
    print(f"{name:10s} " + "  ".join(f"{k} {v:.4g}" for k, v in scores.items()), flush=True)


if __name__ == "__main__":
    main()
