"""The certificate's scores beside SDMetrics and anonymeter, on the same tables.

    python3 -m venv PEERS && PEERS/bin/pip install sdmetrics anonymeter
    python -m tests.bench.metrics_peers --peers PEERS/bin/python --rows 20000

The peers need their own virtual environment (they pin older libraries). Cases are fresh rows, the
same with 5 % of the training rows copied in, and independent columns, all of the reference workload
(a stand-in, not PanDA data). Each figure is printed as the peers' own and ours, with CPU-seconds.
Knows public names, and the peers by a command line.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import panda_gym
from metrics import base
from metrics.base import Study
from metrics.certificate import policy
from metrics.tables.samples import read

JUDGES = Path(__file__).parent / "peers" / "judges.py"
OURS = ("wd", "jsd", "strata", "c2st", "dcr", "singling_out", "linkability", "inference")


def cases(rows: int) -> dict[str, tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]]:
    """Return train, holdout and synthetic rows by name."""
    rng = np.random.default_rng(0)
    whole = panda_gym.reference_records(3 * rows, seed=0)
    whole = whole.iloc[rng.permutation(len(whole))].reset_index(drop=True)
    train, holdout, fresh = (whole.iloc[i * rows : (i + 1) * rows] for i in range(3))
    k = rows // 20
    leaky = pd.concat([fresh.iloc[k:], train.iloc[:k]], ignore_index=True)
    apart = fresh.assign(**{c: fresh[c].array[rng.permutation(rows)] for c in fresh})
    return {
        "fresh rows": (train, holdout, fresh),
        "5 % copies": (train, holdout, leaky),
        "independent": (train, holdout, apart),
    }


def peers(python: str, tables: tuple[pd.DataFrame, ...], attacks: int) -> dict[str, Any]:
    """Return what the peers say."""
    with tempfile.TemporaryDirectory() as folder:
        for word, table in zip(("train", "holdout", "rows"), tables, strict=True):
            levels = table.select_dtypes("category").columns
            whole = table.select_dtypes("Int64").columns
            plain = table.astype(dict.fromkeys(levels, object) | dict.fromkeys(whole, "int64"))
            plain["creationtime"] = plain["creationtime"].astype("datetime64[ns]")
            plain.to_parquet(Path(folder) / f"{word}.parquet", index=False)
        command = [python, str(JUDGES), folder, str(attacks)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def ours(tables: tuple[pd.DataFrame, ...], attacks: int) -> tuple[dict[str, Any], dict[str, float]]:
    """Return our scores by id, and CPU-seconds by metric."""
    rules = policy.load("default")
    train, holdout, rows = tables
    n = len(rows)
    sizes = {"fidelity_rows": n, "detection_rows": n, "singling_out_rows": n, "linking_rows": n}
    attacked = {"linking_attacks": attacks, "singling_out_attacks": attacks}
    study = Study(
        **read({"train": train, "holdout": holdout, "synthetic": rows}),
        target="workload",
        time="creationtime",
        seed=0,
        settings={**rules.settings, **sizes, **attacked},
    )
    scores, cpu = {}, {}
    for name in OURS:
        started = time.process_time()
        scores |= {s.id: s for s in base.load(name)(study)}
        cpu[name] = time.process_time() - started
    return scores, cpu


def lines(found: dict[str, Any], scores: dict[str, Any], cpu: dict[str, float]) -> list[str]:
    """Return one line for each thing that both measure."""

    def theirs(judge: str, *words: str) -> str:
        own = found[judge]
        if "error" in own:
            return f"error: {own['error'][:60]}"
        return ", ".join(f"{w} {own[w]:.4f}" for w in words)

    def score(id: str) -> str:
        own = scores[id]
        return f"{own.value:.4f} (real vs real {own.real_vs_real:.4f}, bound {own.bound:.4f})"

    pairs = [
        ("single columns", "quality", ("score",), ("wd", "jsd"), "wd"),
        ("pairs of columns", "quality", ("pair trends",), ("pair_tv",), "strata"),
        ("logistic detection", "detection", ("score",), ("c2st_logistic", "c2st"), "c2st"),
        (
            "closer to train",
            "closeness",
            ("closer to train",),
            ("closer_to_train", "dcr_ks"),
            "dcr",
        ),
        ("copies", "copies", ("matched",), ("exact_copies", "near_copies"), "dcr"),
    ]
    rates = ("attack", "control")
    attacks = ["singling_out_univariate", "singling_out_multivariate", "linkability", "inference"]
    pairs += [
        (word, word, rates, (word,), word.partition("_u")[0].partition("_m")[0]) for word in attacks
    ]
    return [
        f"{what:26s} | {theirs(judge, *words):44s} {found[judge]['cpu_s']:7.1f} CPU-s | "
        + "; ".join(f"{id} {score(id)}" for id in ids if id in scores)
        + f" {cpu[metric]:5.1f} CPU-s"
        for what, judge, words, ids, metric in pairs
    ]


def main() -> None:
    """Read the command line and print every case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", required=True, help="python of the peers' virtual environment")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--attacks", type=int, default=500)
    parser.add_argument("--cases", nargs="*", help="names of cases; all if not given")
    options = parser.parse_args()
    for name, tables in cases(options.rows).items():
        if options.cases and name not in options.cases:
            continue
        print(f"{name}: {options.rows:,} rows in each of train, holdout and synthetic", flush=True)
        found = peers(options.peers, tables, options.attacks)
        print("\n".join(lines(found, *ours(tables, options.attacks))), flush=True)


if __name__ == "__main__":
    main()
