"""What a certificate costs: CPU-seconds of each metric and peak memory, at any size.

    python -m tests.bench.metrics_scale --rows 1319007
    python -m tests.bench.metrics_scale --rows 50000 --quick
    python -m tests.bench.metrics_scale --rows 1319007 --one-fit

Train and synthetic have `--rows` rows each, holdout a quarter of that, all of them fresh rows of
the reference workload (a stand-in, not PanDA data). `--without mlef` leaves the regressor out,
whose fits are most of the time; `--one-fit` times a single one of its fits, of which the default
policy makes four. Knows public names only.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd

import metrics
import panda_gym
from metrics import base
from metrics.certificate import policy


def main() -> None:
    """Read the command line and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--without", nargs="*", default=[])
    parser.add_argument("--work", help="folder that keeps what is measured; a rerun goes on there")
    parser.add_argument("--report", help="folder for the certificate and its report")
    parser.add_argument("--threads", type=int, help="threads of the regressor; the policy's: 2")
    parser.add_argument("--one-fit", action="store_true", help="time one fit of the regressor")
    options = parser.parse_args()
    for name in options.without:
        base.METRICS.pop(name)
    n = options.rows
    whole = panda_gym.reference_records(2 * n + n // 4, seed=0)
    whole = whole.iloc[np.random.default_rng(0).permutation(len(whole))]
    train, fresh, holdout = (whole.iloc[a:b] for a, b in ((0, n), (n, 2 * n), (2 * n, None)))
    del whole
    if options.one_fit:
        one_fit(train, holdout, options.threads)
        return
    started = time.process_time(), time.perf_counter()
    card = metrics.certify(
        train,
        holdout,
        fresh,
        quick=options.quick,
        work=options.work,
        threads=options.threads,
        progress=lambda done, total, message: print(f"[{done}/{total}] {message}", flush=True),
    )
    spent = time.process_time() - started[0], time.perf_counter() - started[1]
    for name, seconds in card.document["times"]["cpu_s"].items():
        print(f"{name:16s} {seconds:8.1f} CPU-s")
    if options.report:
        card.to_json(Path(options.report) / "certificate.json")
        metrics.write_report(options.report, {"fresh reference rows": card})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{'all':16s} {spent[0]:8.1f} CPU-s, {spent[1]:.1f} s of wall time, peak {peak:.2f} GB")
    print(card.summary())
    for score in card.scores.values():
        ends = f"[{score.low:.4f}, {score.high:.4f}]"
        print(
            f"{score.id:28s} {score.value:9.4f} {ends:22s} real vs real {score.real_vs_real:9.4f} "
            f"bound {score.bound:9.4f} margin {score.margin} {score.grade} {score.n:,}"
        )


def one_fit(train: pd.DataFrame, holdout: pd.DataFrame, threads: int | None) -> None:
    """Print what one fit of the regressor costs, by default with the policy's threads."""
    threads = threads or int(policy.load("default").settings["catboost_thread_count"])
    started = time.process_time(), time.perf_counter()
    value = metrics.mlef(train, holdout, threads=threads)
    spent = time.process_time() - started[0], time.perf_counter() - started[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"one fit on {len(train):,} rows, {threads} threads: {spent[0]:.1f} CPU-s, "
        f"{spent[1]:.1f} s of wall time, peak {peak:.2f} GB, MLEF {value:.4f}"
    )


if __name__ == "__main__":
    main()
