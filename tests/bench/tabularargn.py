"""mostlyai-engine's TabularARGN on train.parquet, to be judged beside ours; runs in its own venv.

    python3 -m venv argn && argn/bin/pip install mostlyai-engine==2.7.3
    argn/bin/python tests/bench/tabularargn.py runs/k100 --minutes 2
    python -m tests.bench.scale judge runs/k100 --labels tabularargn

On a processor-only build of torch, torchvision and torchaudio must be removed again before it
imports. Protection of rare values is off, so that it shows its best fidelity. One thread;
`--minutes` is wall-clock time, so the CPU-seconds that are printed are what to give to others.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import pandas as pd
import torch
from mostlyai.engine import TabularARGN  # type: ignore[import-not-found]


def main() -> None:
    """Fit, sample, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    table = pd.read_parquet(options.folder / "train.parquet")
    levels = {c: t for c, t in table.dtypes.items() if isinstance(t, pd.CategoricalDtype)}
    plain = table.astype(dict.fromkeys(levels, "object"))
    before = _spent()
    model = TabularARGN(
        max_training_time=options.minutes,
        value_protection=False,
        random_state=options.seed,
        device="cpu",
        verbose=1,
    )
    model.fit(X=plain)
    fitted = _spent()
    fake = model.sample(n_samples=len(table))
    drawn = _spent() - fitted
    fake = fake[list(table.columns)]
    for name, dtype in table.dtypes.items():
        if name not in levels and dtype.kind == "M":
            fake[name] = pd.to_datetime(fake[name]).astype("datetime64[s]")
        else:
            fake[name] = fake[name].astype(dtype)
    fake.to_parquet(options.folder / "tabularargn.parquet", index=False)
    print(f"fit {fitted - before:.1f} CPU-s, {len(table) / drawn:.0f} rows/CPU-s")


def _spent() -> float:
    """Return the CPU-seconds of this process and of those that it started."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main()
