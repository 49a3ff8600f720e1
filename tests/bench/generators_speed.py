"""Rows learnt and rows drawn in a CPU second, generator by generator; knows no quality.

    python -m tests.bench.generators_speed --rows 100000 --steps 100

A neural generator takes so many optimiser steps, so that its rows learnt a second are steps times
batch over CPU seconds, everything included; SMOTE learns the table once. CPU seconds are of this
process, which runs on one thread. The ratio is to the official implementation of the same model
where one was measured (rows a CPU second of one thread on another, similar table): tab-ddpm 14
drawn; CTAB-GAN-Plus 161 learnt, 3,700 drawn; ctgan's TVAE 24,300 learnt, 53,000 drawn; SMOTENC of
tab-ddpm 624 drawn.
"""

from __future__ import annotations

import argparse
import time

import torch

import generators
from tests.bench.generators import reference_table

OFFICIAL = {
    "tabddpm": (5_300, 14),
    "ctabgan": (161, 3_700),
    "tvae": (24_300, 53_000),
    "smote": (None, 624),
}
"""Rows learnt and drawn in a CPU second by the official implementations, where measured."""


def measure(name: str, rows: int, steps: int, draws: int, precision: str) -> tuple[float, float]:
    """Return rows learnt and rows drawn in a CPU second."""
    table = reference_table(rows, seed=0)
    wanted = {"iterations": steps, "precision": precision, "evaluate_every": steps}
    known = set(generators.create(name).config.__dataclass_fields__)
    model = generators.create(name, **{k: v for k, v in wanted.items() if k in known})
    start = time.process_time()
    model.fit(table)
    fit = time.process_time() - start
    model.sample(1)
    start = time.process_time()
    model.sample(draws, seed=1)
    drawn = draws / (time.process_time() - start)
    learnt = steps * model.config.batch if "batch" in known else rows
    return learnt / fit, drawn


def main() -> None:
    """Print one line a generator."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--draws", type=int, default=20_000)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--names", default=",".join(generators.names()))
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in options.names.split(","):
        draws = options.draws * (25 if name == "smote" else 1)
        found = measure(name, options.rows, options.steps, draws, options.precision)
        texts = []
        for word, rate, official in zip(
            ("learnt", "drawn"), found, OFFICIAL.get(name, (None, None)), strict=True
        ):
            ratio = f" ({rate / official:,.1f} times the official)" if official else ""
            texts.append(f"{word} {rate:,.0f} rows/CPU-s{ratio}")
        print(f"{name:15s} {'; '.join(texts)}", flush=True)


if __name__ == "__main__":
    main()
