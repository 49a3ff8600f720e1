"""Measure rows fitted and rows sampled a CPU second, generator by generator.

    python -m tests.bench.generators_speed --rows 100000 --steps 100

A neural generator is fitted twice, for a fifth of the steps and for all of them: rows learnt a
second are the further steps times batch over the further CPU seconds, without what a fit costs
once (encoding, and what follows training). SMOTE learns the table once. CPU seconds are of this
process, which runs on one thread. The ratio is to the official implementation of the same model
where one was measured (rows a CPU second of one thread on another, similar table): tab-ddpm 14
drawn; CTAB-GAN-Plus 161 learnt, 3,700 drawn; ctgan's TVAE 24,300 learnt, 53,000 drawn; SMOTENC of
tab-ddpm 624 drawn.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

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
    known = set(generators.create(name).config.__dataclass_fields__)
    if "iterations" not in known:
        model, cost = _fitted(name, table, {})
        return rows / cost, _drawn(model, draws)
    few = max(steps // 5, 1)
    settings = {"precision": precision, "evaluate_every": steps}
    _fitted(name, table[:1000], {**settings, "iterations": 1})  # loads what is loaded once
    _, less = _fitted(name, table, {**settings, "iterations": few})
    model, more = _fitted(name, table, {**settings, "iterations": steps})
    return (steps - few) * model.config.batch / (more - less), _drawn(model, draws)


def _fitted(name: str, table: Any, settings: dict[str, Any]) -> tuple[Any, float]:
    model = generators.create(name, **settings)
    start = time.process_time()
    model.fit(table)
    return model, time.process_time() - start


def _drawn(model: Any, draws: int) -> float:
    model.sample(1)
    start = time.process_time()
    model.sample(draws, seed=1)
    return draws / (time.process_time() - start)


def main() -> None:
    """Print one line a generator."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=500)
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
