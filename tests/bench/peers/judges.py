"""SDMetrics and anonymeter on tables given as Parquet; runs in a virtual environment of its own.

    python judges.py FOLDER ATTACKS

FOLDER holds train.parquet, holdout.parquet and rows.parquet. Prints one JSON object: for each
judge, its figures and CPU-seconds; a judge that fails has its error instead. Knows the peers only.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd


def metadata(table: pd.DataFrame) -> dict:
    """Return SDMetrics' description of a table."""
    kinds = {"O": "categorical", "M": "datetime"}
    columns = {c: {"sdtype": kinds.get(table[c].dtype.kind, "numerical")} for c in table}
    return {"columns": columns}


def quality(train: pd.DataFrame, holdout: pd.DataFrame, rows: pd.DataFrame, attacks: int) -> dict:
    """SDMetrics' QualityReport without subsampling."""
    from sdmetrics.reports.single_table import QualityReport

    report = QualityReport()
    report.generate(train, rows, metadata(train), verbose=False)
    shapes, trends = (report.get_details(p) for p in ("Column Shapes", "Column Pair Trends"))
    found = {"score": report.get_score()}
    found |= {f"shape.{r['Column']}": r["Score"] for _, r in shapes.iterrows()}
    return found | {"pair trends": float(trends["Score"].mean())}


def detection(train: pd.DataFrame, holdout: pd.DataFrame, rows: pd.DataFrame, n: int) -> dict:
    """SDMetrics' LogisticDetection: 1 - (2 max(AUC, .5) - 1), three folds."""
    from sdmetrics.single_table import LogisticDetection

    score = LogisticDetection.compute(holdout, rows.sample(len(holdout), random_state=0))
    return {"score": score}


def closeness(train: pd.DataFrame, holdout: pd.DataFrame, rows: pd.DataFrame, n: int) -> dict:
    """SDMetrics' DCR against train and holdout, on its own subsample of 1,000 rows."""
    from sdmetrics.single_table import DCROverfittingProtection

    found = DCROverfittingProtection.compute_breakdown(
        train, rows, holdout, metadata(train), None, num_rows_subsample=1000
    )
    return {"closer to train": found["synthetic_data_percentages"]["closer_to_training"]}


def copies(train: pd.DataFrame, holdout: pd.DataFrame, rows: pd.DataFrame, n: int) -> dict:
    """SDMetrics' NewRowSynthesis on 1,000 rows: numbers match within 1 %."""
    from sdmetrics.single_table import NewRowSynthesis

    score = NewRowSynthesis.compute(train, rows, metadata(train), synthetic_sample_size=1000)
    return {"matched": 1 - score}


def _risk(evaluator) -> dict:
    found = evaluator.results()
    return {
        "attack": found.attack_rate.value,
        "control": found.control_rate.value,
        "risk": found.risk().value,
        "risk high": found.risk().ci[1],
    }


def singling_out(mode: str):
    """anonymeter's singling-out attack."""

    def run(train: pd.DataFrame, holdout: pd.DataFrame, rows: pd.DataFrame, attacks: int) -> dict:
        from anonymeter.evaluators import SinglingOutEvaluator

        evaluator = SinglingOutEvaluator(
            ori=train, syn=rows, control=holdout, n_attacks=attacks, max_attempts=200_000, seed=0
        )
        evaluator.evaluate(mode=mode)
        return _risk(evaluator)

    return run


def linkability(train: pd.DataFrame, holdout: pd.DataFrame, rows: pd.DataFrame, n: int) -> dict:
    """anonymeter's linkability attack; halves are the columns at even and at odd places."""
    from anonymeter.evaluators import LinkabilityEvaluator

    halves = (list(train.columns[::2]), list(train.columns[1::2]))
    evaluator = LinkabilityEvaluator(
        ori=train, syn=rows, control=holdout, n_attacks=n, aux_cols=halves, n_neighbors=10
    )
    evaluator.evaluate(n_jobs=1)
    return _risk(evaluator)


def inference(train: pd.DataFrame, holdout: pd.DataFrame, rows: pd.DataFrame, n: int) -> dict:
    """anonymeter's inference attack, every column the secret in turn."""
    from anonymeter.evaluators import InferenceEvaluator

    found = {}
    for secret in train.columns:
        known = [c for c in train.columns if c != secret]
        evaluator = InferenceEvaluator(
            ori=train,
            syn=rows,
            control=holdout,
            aux_cols=known,
            secret=secret,
            n_attacks=n,
            regression=train[secret].dtype.kind != "O",
        )
        evaluator.evaluate(n_jobs=1)
        own = _risk(evaluator)
        found |= {f"{secret} {word}": own[word] for word in ("attack", "control")}
    for word in ("attack", "control"):
        found[word] = float(np.mean([v for k, v in found.items() if k.endswith(f" {word}")]))
    return found


JUDGES = {
    "quality": quality,
    "detection": detection,
    "closeness": closeness,
    "copies": copies,
    "singling_out_univariate": singling_out("univariate"),
    "singling_out_multivariate": singling_out("multivariate"),
    "linkability": linkability,
    "inference": inference,
}


def main(folder: Path, attacks: int) -> dict:
    """Run every judge."""
    tables = {w: pd.read_parquet(folder / f"{w}.parquet") for w in ("train", "holdout", "rows")}
    plain = {}
    for word, table in tables.items():
        times = table.select_dtypes("datetime").columns
        plain[word] = table.assign(**{c: table[c].astype("int64") / 1e9 for c in times})
    found = {}
    for name, judge in JUDGES.items():
        used = tables if name in ("quality", "detection", "closeness", "copies") else plain
        started = time.process_time()
        np.random.seed(0)  # noqa: NPY002 (the peers know no other seed)
        try:
            figures = judge(used["train"], used["holdout"], used["rows"], attacks)
        except Exception as error:
            figures = {"error": f"{type(error).__name__}: {error}"}
        found[name] = {**figures, "cpu_s": round(time.process_time() - started, 2)}
    return found


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2])), default=float))
