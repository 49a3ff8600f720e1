"""A generator at any scale, in pieces that survive being stopped: fit, sample, judge.

    python -m tests.bench.scale split runs/paper
    python -m tests.bench.scale split runs/k100 --rows 200000 --fit 100000
    python -m tests.bench.scale fit runs/paper tabddpm --set iterations=4000 batch=4096
    python -m tests.bench.scale sample runs/paper tabddpm --rows 1319007 --set precision=auto
    python -m tests.bench.scale judge runs/paper --labels tabddpm smote --mlef 100000

`split` writes the reference workload, shuffled, as train.parquet (80 % of the rows, or as many as
`--fit` says) and unseen.parquet.
`fit` stopped at any moment and called again goes on from its checkpoint. `judge` compares with the
unseen rows; its first line judges training rows, the floor; each line is kept beside the rows.
`--mlef` is how many rows CatBoost learns from. CPU-seconds are of the process, on one thread.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import generators
import metrics
from metrics.privacy.distances import Space
from metrics.tables.samples import read

PAPER_ROWS = 1_648_759
"""Rows of which 80 % are the paper's 1,319,007."""
HEAD = 50_000
"""Rows on each side of the classifier."""
QUERIES = 200_000
"""Rows asked for their nearest training and unseen rows."""
MLEF_FITS = 3
"""Disjoint parts of a table that a regressor is learnt on."""
PAIRS = 3
"""Disjoint pairs of so many rows that C2ST is the mean of."""
RARE = 0.001
"""Levels with a smaller share of the unseen rows are rare."""


def read_table(path: Path) -> pd.DataFrame:
    """Return a table whose times are whole seconds, which Parquet cannot say."""
    table = pd.read_parquet(path)
    times = table.select_dtypes("datetime").columns
    return table.astype(dict.fromkeys(times, "datetime64[s]"))


def rare_variation(real: pd.DataFrame, fake: pd.DataFrame) -> float:
    """Return the total variation over all rare levels, as a share of their mass."""
    gap = mass = 0.0
    for name in real.columns[[isinstance(t, pd.CategoricalDtype) for t in real.dtypes]]:
        p, q = (t[name].value_counts(normalize=True, sort=False) for t in (real, fake))
        rare = p < RARE
        gap += float((p - q).abs()[rare].sum()) / 2
        mass += float((p + q)[rare].sum()) / 2
    return gap / mass if mass else 0.0


def closer_share(train: pd.DataFrame, unseen: pd.DataFrame, fake: pd.DataFrame) -> float:
    """Return the share of rows nearer to a training row than to one of as many unseen rows.

    The mean over all disjoint parts of the training rows that are as long as the unseen rows: which
    rows one part happens to hold moves the share by a thousandth or two.
    """
    n = min(len(train), len(unseen))
    parts = {f"part {i}": train[i * n : (i + 1) * n] for i in range(len(train) // n)}
    tables = read({**parts, "unseen": unseen[:n], "fake": fake[:QUERIES]})
    first = tables["part 0"]
    nearest = {
        side: Space.fit(tables[side], "rank", fitted_on=first).nearest(tables["fake"])
        for side in ("unseen", *parts)
    }
    other = nearest.pop("unseen")
    shares = [((own < other) + 0.5 * (own == other)).mean() for own in nearest.values()]
    return float(np.mean(shares))


def broken_rules(table: pd.DataFrame) -> dict[str, float]:
    """Return the share of rows that break rules which always hold in the reference workload."""
    files, size = table["ninputdatafiles"] == 0, table["inputfilebytes"] == 0
    finished = table["jobstatus"] == "finished"
    idle = finished & ~(table["workload"] > 0)
    return {
        "files without bytes or bytes without files": float((files != size).mean()),
        "finished without workload": float(idle.mean()),
    }


def separation(fake: pd.DataFrame, unseen: pd.DataFrame) -> list[float]:
    """Return C2ST of up to `PAIRS` disjoint pairs of `HEAD` rows, or one of fewer."""
    size = min(HEAD, len(fake), len(unseen))
    pairs = min(PAIRS, len(fake) // size, len(unseen) // size)
    parts = [slice(i * size, (i + 1) * size) for i in range(pairs)]
    return [metrics.c2st(fake[part], unseen[part]) for part in parts]


def judge(train: pd.DataFrame, unseen: pd.DataFrame, fake: pd.DataFrame) -> dict[str, float]:
    """Return all scores but the efficacy."""
    n = min(len(train), len(unseen), len(fake))
    floor = metrics.diff_corr(train[:n], unseen[:n])
    corr = metrics.diff_corr(fake[:n], unseen[:n])
    areas = separation(fake, unseen)
    return {
        "C2ST": float(np.mean(areas)),
        "C2ST least": min(areas),
        "C2ST most": max(areas),
        "diff-CORR": corr,
        "diff-CORR excess": corr - floor,
        "closer": closer_share(train, unseen, fake),
        "rare TV": rare_variation(unseen, fake),
        **broken_rules(fake),
    }


def efficacy(table: pd.DataFrame, unseen: pd.DataFrame, rows: int) -> dict[str, float]:
    """Return mean and deviation of MLEF over fits on rows of their own, tested on unseen rows."""
    rows = min(rows, len(table))
    parts = [
        table[i * rows : (i + 1) * rows].reset_index(drop=True)
        for i in range(min(MLEF_FITS, len(table) // rows))
    ]
    test = unseen[: min(HEAD, len(unseen))]
    errors = [metrics.mlef(part, test, seed=i) for i, part in enumerate(parts)]
    spread = {"MLEF sd": float(np.std(errors, ddof=1))} if len(errors) > 1 else {}
    return {"MLEF": float(np.mean(errors)), **spread}


def spent() -> dict[str, float]:
    """Return what this process has used: CPU-seconds and peak memory in GB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"CPU-s": time.process_time(), "peak GB": peak / 1e6}


def split(folder: Path, rows: int, cut: int, seed: int) -> None:
    """Write the reference workload as two tables."""
    from panda_gym import reference_records

    table = reference_records(rows, seed=seed)
    order = np.random.default_rng(seed).permutation(rows)
    folder.mkdir(parents=True, exist_ok=True)
    table.iloc[order[:cut]].to_parquet(folder / "train.parquet", index=False)
    table.iloc[order[cut:]].to_parquet(folder / "unseen.parquet", index=False)


def fit(folder: Path, name: str, config: dict[str, Any], seed: int, label: str) -> None:
    """Fit a generator to train.parquet, or go on with it."""
    table = read_table(folder / "train.parquet")

    def progress(done: int, total: int, text: str) -> None:
        print(f"{done}/{total} {text} {show(spent())}", flush=True)

    model = generators.create(name, **config)
    model.fit(table, seed=seed, progress=progress, checkpoint=folder / f"{label}.checkpoint")
    model.save(folder / label)
    print("fit", show(spent()), flush=True)


def sample(folder: Path, rows: int, changes: dict[str, Any], seed: int, label: str) -> None:
    """Write a sample of a fitted generator."""
    model = generators.load(folder / label, **changes)
    model.sample(1)
    before = time.process_time()
    table = model.sample(rows, seed=seed)
    cost = time.process_time() - before
    table.to_parquet(folder / f"{label}.parquet", index=False)
    print(f"{rows} rows in {cost:.1f} CPU-s, {rows / cost:.0f} rows/CPU-s", show(spent()))


def report(folder: Path, labels: list[str], mlef_rows: int) -> None:
    """Judge what is not judged yet, training rows (the floor) first; print one table."""
    train, unseen = (read_table(folder / f"{k}.parquet") for k in ("train", "unseen"))
    n = min(len(train) // 2, len(unseen))
    for label in ["real", *labels]:
        kept, real = folder / f"{label}.scores.json", label == "real"
        scores = json.loads(kept.read_text()) if kept.is_file() else {}
        if scores and ("MLEF" in scores or not mlef_rows):
            continue
        fake = train[:n] if real else read_table(folder / f"{label}.parquet")
        scores = scores or judge(train[n : 2 * n] if real else train, unseen, fake)
        if mlef_rows:
            scores |= efficacy(train if real else fake, unseen, mlef_rows)
        kept.write_text(json.dumps(scores, indent=1) + "\n")
        print(label, show(scores), flush=True)
    found = {k: json.loads((folder / f"{k}.scores.json").read_text()) for k in ["real", *labels]}
    print(pd.DataFrame(found).T.to_string(float_format="{:.4g}".format))


def show(scores: dict[str, float]) -> str:
    """Return scores as one line."""
    return "  ".join(f"{k} {v:.4g}" for k, v in scores.items())


def settings_of(items: list[str]) -> dict[str, Any]:
    """Return settings given as FIELD=VALUE, each JSON or plain text."""
    return {key: _value(text) for key, text in (item.split("=", 1) for item in items)}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def main() -> None:
    """Run one step."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("step", choices=["split", "fit", "sample", "judge"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("name", nargs="?", default="tabddpm")
    parser.add_argument("--label", help="name of this fit, where there are several of a generator")
    parser.add_argument("--rows", type=int, default=PAPER_ROWS)
    parser.add_argument("--fit", type=int, help="rows to fit; 80 % if not named")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--labels", nargs="+", help="fits to judge")
    parser.add_argument("--mlef", type=int, default=0, metavar="ROWS")
    parser.add_argument("--set", nargs="*", default=[], metavar="FIELD=VALUE")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    label = options.label or options.name
    if options.step == "split":
        cut = options.fit or round(0.8 * options.rows)
        split(options.folder, options.rows, cut, options.seed)
    elif options.step == "fit":
        fit(options.folder, options.name, settings_of(options.set), options.seed, label)
    elif options.step == "sample":
        changes = settings_of(options.set)
        sample(options.folder, options.rows, changes, options.seed + 1, label)
    else:
        report(options.folder, options.labels or [label], options.mlef)


if __name__ == "__main__":
    main()
