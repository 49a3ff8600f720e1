"""Tables and a small policy for the metrics' tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from metrics.certificate import policy

Maker = Callable[..., pd.DataFrame]


def mixed(n: int, seed: int) -> pd.DataFrame:
    """Rows with dependent columns of every kind: time, categories, whole and real numbers."""
    rng = np.random.default_rng(seed)
    site = rng.choice(12, n, p=np.arange(12, 0, -1) / 78)
    kind = (site // 2 + rng.choice(3, n, p=[0.8, 0.15, 0.05])) % 8
    files = np.maximum(1, rng.lognormal(1 + 0.2 * kind, 0.8)).astype(np.int64)
    work = np.exp(5 + 0.5 * np.log(files) + 0.4 * kind + 0.7 * rng.normal(size=n))
    seconds = 1_700_000_000 + np.sort(rng.uniform(0, 30 * 86_400, n)).astype(np.int64)
    return pd.DataFrame(
        {
            "creationtime": pd.to_datetime(seconds, unit="s").astype("datetime64[s]"),
            "computingsite": pd.Categorical([f"SITE_{i}" for i in site]),
            "datatype": pd.Categorical([f"TYPE_{i}" for i in kind]),
            "ninputdatafiles": pd.array(files, dtype="Int64"),
            "workload": work,
        }
    )


def permuted(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The same columns, each permuted on its own."""
    rng = np.random.default_rng(seed)
    return table.assign(**{c: table[c].array[rng.permutation(len(table))] for c in table})


@pytest.fixture(scope="session")
def make() -> Maker:
    return mixed


@pytest.fixture(scope="session")
def independent() -> Maker:
    return permuted


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default policy with fewer and shallower trees: the same rules, a quicker regressor."""
    text = (policy.FOLDER / "default.toml").read_text()
    text = text.replace("catboost_iterations = 200", "catboost_iterations = 20")
    text = text.replace("catboost_depth = 10", "catboost_depth = 4")
    text = text.replace("bootstrap = 30", "bootstrap = 12")
    path = tmp_path_factory.mktemp("policy") / "small.toml"
    path.write_text(text)
    return path
