"""The exact distance to the closest record at the paper's size: CPU-seconds, memory, error.

    python -m tests.bench.nearest --rows 1319007
    python -m tests.bench.nearest --check 2000 --scales rank minmax log --weights 1 0.3

Train and query rows are drawn from the reference workload (a stand-in, not PanDA data). "real" are
fresh rows, as of a good generator, "independent" the same with each column permuted on its own.
Fitting the index and querying it are timed together; `--check` compares that many random queries
with a look at every training row. Knows public names and a double loop.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import pandas as pd
from numba import njit

import panda_gym
from metrics.privacy.distances import Space, points
from metrics.tables.samples import Sample, read


@njit
def every_pair(x: np.ndarray, codes: np.ndarray, rows: np.ndarray, row_codes: np.ndarray, weight):
    """Return the distance of each query to its nearest row: every pair is looked at."""
    out = np.empty(len(x))
    for q in range(len(x)):
        best = np.inf
        for r in range(len(rows)):
            total = 0.0
            for i in range(x.shape[1]):
                total += (x[q, i] - rows[r, i]) ** 2
            for j in range(codes.shape[1]):
                if codes[q, j] != row_codes[r, j]:
                    total += weight
            best = min(best, total)
        out[q] = np.sqrt(best)
    return out


def independent(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Permute every column on its own."""
    return table.assign(**{c: table[c].array[rng.permutation(len(table))] for c in table})


def search(train: Sample, rows: Sample, scale: str, weight: float, check: int) -> str:
    """Return one line: CPU-seconds of index and queries, and the largest error."""
    started = time.process_time()
    space = Space.fit(train, scale, weight)
    found = space.nearest(rows)
    spent = time.process_time() - started
    line = f"{scale:6s} weight {weight:<4g} {spent:6.1f} CPU-s, mean distance {found.mean():.4f}"
    if check:
        at = np.random.default_rng(1).choice(len(rows), min(check, len(rows)), replace=False)
        queries, known = points(rows.take(at), space.scales), points(train, space.scales)
        error = np.abs(found[at] - every_pair(*queries, *known, weight)).max()
        line += f", largest error of {len(at)} checked queries {error:.1e}"
    return line


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_319_007)
    parser.add_argument("--check", type=int, default=0)
    parser.add_argument("--scales", nargs="+", default=["rank"])
    parser.add_argument("--weights", nargs="+", type=float, default=[1.0])
    parser.add_argument("--tables", nargs="+", default=["real", "independent"])
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    whole = panda_gym.reference_records(2 * options.rows, seed=5)
    order = rng.permutation(len(whole))
    train, fresh = whole.iloc[order[: options.rows]], whole.iloc[order[options.rows :]]
    del whole
    for word in options.tables:
        table = fresh if word == "real" else independent(fresh, rng)
        tables = read({"train": train, "rows": table})
        for scale in options.scales:
            for weight in options.weights:
                line = search(tables["train"], tables["rows"], scale, weight, options.check)
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
                print(
                    f"{word:12s} {options.rows:,} squared, {line}, peak {peak:.2f} GB", flush=True
                )


if __name__ == "__main__":
    main()
