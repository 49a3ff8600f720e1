"""Whether streams rank policies alike: a benchmark's values as the outcomes that `metrics` judges.

Knows tables of a benchmark and of `metrics.ranking`, never how policies work.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from metrics import ranking
from panda_gym.benchmarking.intervals import Interval
from panda_gym.benchmarking.table import BenchmarkTable
from panda_gym.errors import PolicyError
from panda_gym.files import whole_file

Array = np.ndarray

REPEATS: Final = 2000


@dataclass(frozen=True)
class Agreement:
    """How alike a stream and the real one rank the same policies."""

    stream: str
    tau: Interval
    """Kendall's tau-b of the two rankings by means over worlds."""
    regret: Interval
    """How much worse on the real stream the stream's best policy is, as a share of the best."""


def outcomes(table: BenchmarkTable, metric: str, stream: str) -> pd.DataFrame:
    """A row a policy, a column a world, lower is better: as `metrics.certify(outcomes=)` takes it."""
    return pd.DataFrame(
        {policy: table.values(policy, metric, stream) for policy in table.policies},
        index=[str(seed) for seed in table.seeds],
    ).T


def agreement(
    table: BenchmarkTable, metric: str, real: str, *, seed: int = 0
) -> tuple[Agreement, ...]:
    """Compare the ranking of every other stream with that of `real`, worlds drawn again.

    The intervals are percentiles of a bootstrap over the worlds of both streams, the same ones for
    every policy; real against the other half of its own worlds is in `metrics.ranking`.
    """
    if len(table.policies) < ranking.LEAST_POLICIES:
        needed = f"at least {ranking.LEAST_POLICIES} policies"
        raise PolicyError(needed, f"{len(table.policies)}", "benchmark more")
    rng = np.random.default_rng(seed)
    judge = _matrix(table, metric, real)
    found = []
    for stream in table.streams:
        if stream == real:
            continue
        mine = _matrix(table, metric, stream)
        value = _figures(judge.mean(axis=1), mine.mean(axis=1))
        draws = np.array([_figures(_drawn(judge, rng), _drawn(mine, rng)) for _ in range(REPEATS)])
        low, high = np.quantile(draws, [(1 - table.level) / 2, (1 + table.level) / 2], axis=0)
        tau, regret = (
            Interval(value[k], float(low[k]), float(high[k]), judge.shape[1]) for k in range(2)
        )
        found.append(Agreement(stream, tau, regret))
    return tuple(found)


def write_outcomes(
    table: BenchmarkTable, metric: str, real: str, synthetic: str, folder: str | Path
) -> tuple[Path, Path]:
    """Write the two tables of outcomes as CSV, and return their paths."""
    paths = []
    for word, stream in (("real", real), ("synthetic", synthetic)):
        path = Path(folder) / f"{word}.csv"
        with whole_file(path) as aside:
            outcomes(table, metric, stream).to_csv(aside, index_label="policy")
        paths.append(path)
    return paths[0], paths[1]


def _matrix(table: BenchmarkTable, metric: str, stream: str) -> Array:
    return np.stack([table.values(policy, metric, stream) for policy in table.policies])


def _drawn(side: Array, rng: np.random.Generator) -> Array:
    return side[:, rng.integers(side.shape[1], size=side.shape[1])].mean(axis=1)


def _figures(judge: Array, mine: Array) -> tuple[float, float]:
    return ranking.tau(judge, mine), ranking.regret(judge, mine)
