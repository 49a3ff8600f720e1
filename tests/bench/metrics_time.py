"""What a generator of independent rows loses of time: whole streams against the reference workload.

    python -m tests.bench.metrics_time --rows 200000

Three streams stand against the same reference rows: another seed of the reference workload (what
is reached at best), the reference rows with times drawn one by one from their own days and hours
(the best generator of independent rows), and the shipped surrogate. Nothing is thinned. The
reference workload is a stand-in, not PanDA data. Knows public names only.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

import metrics
import panda_gym
from metrics.tables.samples import frame, read
from metrics.temporal import independent
from panda_gym.surrogate import Surrogate

SHOWN = (
    "fano",
    "autocorrelation_1",
    "autocorrelation_24",
    "hour_of_week",
    "daily",
    "interarrival_ks",
    "batch_size_ks",
    "batch_share.workload",
    "batch_share.inputfilebytes",
)


def alone(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with a time of its own each."""
    sample = read({"table": table})["table"]
    return frame(independent(sample, "creationtime", np.random.default_rng(0)))


def main() -> None:
    """Read the command line and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    options = parser.parse_args()
    real = panda_gym.reference_records(options.rows, seed=0)
    streams = {
        "another seed": panda_gym.reference_records(options.rows, seed=1),
        "independent rows": alone(real),
        "shipped surrogate": Surrogate.open("default").sample(options.rows, seed=0),
    }
    found = {word: metrics.temporal.time_figures(rows, real) for word, rows in streams.items()}
    print(f"{'':28s}" + "".join(f"{word:>20s}" for word in found))
    for id in SHOWN:
        print(f"{id:28s}" + "".join(f"{figures[id]:20.4f}" for figures in found.values()))


if __name__ == "__main__":
    main()
