"""Do rows under a condition follow the law given it? C2ST of given and drawn columns together.

    python -m tests.bench.conditions runs/paper autoregressive --rows 30000

Some columns are taken from unseen rows and given to the generator; the rows it makes of them are
told from the same unseen rows. What was given is exact, so only the conditional law is judged;
`again` gives the same columns to the pool that generators without such a law fall back on.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch

import generators
import metrics
from generators.base import Generator
from tests.bench.scale import read_table

CONDITION = {
    "nothing": [],
    "site": ["computingsite"],
    "site and datatype": ["computingsite", "datatype"],
    "status": ["jobstatus"],
    "time": ["creationtime"],
    "workload": ["workload"],
    "bytes and files": ["inputfilebytes", "ninputdatafiles"],
    "all but site": [
        "creationtime", "project", "prodstep", "datatype",
        "ninputdatafiles", "inputfilebytes", "jobstatus", "workload",
    ],
}  # fmt: skip


def main() -> None:
    """Print one line a condition."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("label")
    parser.add_argument("--rows", type=int, default=30_000)
    parser.add_argument("--pool", action="store_true", help="also the fallback's figures")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = generators.load(options.folder / options.label)
    rows = read_table(options.folder / "unseen.parquet")[: options.rows].reset_index(drop=True)
    _show(model, rows, "")
    if options.pool:
        type(model)._draw_conditional = Generator._draw_conditional  # type: ignore[method-assign]
        _show(model, rows, "pool: ")


def _show(model: Generator, rows: object, title: str) -> None:
    for name, columns in CONDITION.items():
        conditions = rows[columns] if columns else None  # type: ignore[index]
        start = time.process_time()
        drawn = model.sample(len(rows), seed=1, conditions=conditions)  # type: ignore[arg-type]
        rate = len(drawn) / (time.process_time() - start)
        area = metrics.c2st(drawn, rows)
        print(f"{title}{name:18s} C2ST {area:.4f}  {rate:.0f} rows/CPU-s", flush=True)


if __name__ == "__main__":
    main()
