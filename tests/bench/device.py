"""One fit and one draw on every device and precision asked for, from the same seed: what differs?

    python -m tests.bench.device table.parquet --runs cpu:float32 cuda:float32 cuda:bfloat16
    python -m tests.bench.device table.parquet --runs cpu:float32 cpu:bfloat16

Everything random is drawn on the processor, so that all runs see the same batches and noise and
differ by rounding alone. Rows a second are of wall-clock time, on one thread of the processor.
"Same entries" is the share of entries that the first run's model gives on this run's device as on
its own, from one seed (numbers to a thousandth). `--launch` also fits by torchrun, one process,
with nccl on a GPU and gloo elsewhere.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import generators

HEAD = ("run", "held-out loss", "rows learnt a s", "rows drawn a s", "same entries")


def fitted(name: str, table: pd.DataFrame, settings: dict[str, Any]) -> tuple[Any, str, float]:
    """Return a fitted generator, its last held-out losses in words and rows learnt a second."""
    generators.create(name, **{**settings, "iterations": 5}).fit(table)  # loads kernels
    model, said = generators.create(name, **settings), []
    start = time.perf_counter()
    model.fit(table, progress=lambda done, total, text: said.append(text.losses))
    rate = settings["iterations"] * settings["batch"] / (time.perf_counter() - start)
    return model, ", ".join(f"{part} {loss:.4f}" for part, loss in said[-1].items()), rate


def drawn(model: Any, rows: int) -> float:
    """Return rows drawn a second."""
    model.sample(1)
    start = time.perf_counter()
    model.sample(rows, seed=1)
    return rows / (time.perf_counter() - start)


def agreement(a: pd.DataFrame, b: pd.DataFrame) -> float:
    """Return the share of entries that are the same, of numbers to a thousandth."""
    shares = []
    for name in a.columns:
        if pd.api.types.is_numeric_dtype(a[name].dtype):
            pair = (t[name].to_numpy(np.float64, na_value=np.nan) for t in (a, b))
            shares.append(np.isclose(*pair, rtol=1e-3, atol=0.0, equal_nan=True).mean())
        else:
            shares.append((a[name] == b[name]).mean())
    return float(np.mean(shares))


def compare(
    name: str, table: pd.DataFrame, runs: list[str], settings: dict[str, Any], rows: int
) -> list[tuple[str, ...]]:
    """Return one line a run."""
    lines, first = [], None
    with tempfile.TemporaryDirectory() as folder:
        for run in runs:
            device, precision = run.split(":")
            where = {"device": device, "precision": precision}
            model, losses, learnt = fitted(name, table, {**settings, **where})
            if first is None:
                model.save(Path(folder) / "first")
                first = model.sample(rows, seed=1)
            again = generators.load(Path(folder) / "first", **where)
            same = agreement(again.sample(rows, seed=1), first)
            speed = drawn(model, rows)
            lines.append(
                (f"{name} {run}", losses, f"{learnt:,.0f}", f"{speed:,.0f}", f"{same:.5f}")
            )
            print(" | ".join(lines[-1]), flush=True)
    return lines


def launched(path: Path, name: str, device: str, settings: dict[str, Any]) -> str:
    """Fit by torchrun, one process, and return what it said last."""
    flags = [f"{key}={value}" for key, value in settings.items()]
    with tempfile.TemporaryDirectory() as folder:
        order = ["fit", str(path), name, str(Path(folder) / "model"), "--device", device]
        launch = ["torch.distributed.run", "--standalone", "--nproc-per-node", "1"]
        command = [sys.executable, "-m", *launch, "-m", "generators", *order, "--set", *flags]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"failed: {done.stderr.strip().splitlines()[-1]}"
        return done.stdout.strip().splitlines()[-1]


def main() -> None:
    """Print and write one table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("table", type=Path, help="Parquet file")
    parser.add_argument("--runs", nargs="+", default=["cpu:float32"], metavar="DEVICE:PRECISION")
    parser.add_argument("--names", nargs="+", default=["tabddpm", "autoregressive"])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch", type=int, default=2048)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--launch", metavar="DEVICE", help="also fit by torchrun there")
    parser.add_argument("--out", type=Path, help="file for the table")
    options = parser.parse_args()
    torch.set_num_threads(1)
    table = pd.read_parquet(options.table)
    settings = {
        "iterations": options.steps,
        "batch": options.batch,
        "evaluate_every": options.steps,
    }
    lines: list[tuple[str, ...]] = [HEAD, ("---",) * len(HEAD)]
    for name in options.names:
        lines += compare(name, table, options.runs, settings, options.rows)
        if options.launch:
            said = launched(options.table, name, options.launch, settings)
            lines.append((f"{name} torchrun {options.launch}", said, "", "", ""))
            print(" | ".join(lines[-1]), flush=True)
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    if options.out:
        options.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
