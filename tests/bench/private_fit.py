"""What differential privacy costs: the fifth generator at several budgets, judged like any other.

    python -m tests.bench.private_fit runs/k100 --epsilons 1 3 10 --plain --marginals

`runs/k100` holds train.parquet and unseen.parquet, as `tests.bench.scale split` writes them.
`--plain` adds the same settings without privacy; `--marginals` every column drawn by itself from
the noisy marginals of epsilon 1: what a budget must beat to be worth its gradients.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

import generators
from generators.training.differential_privacy import Account, noisy_marginals
from tests.bench.scale import judge, read_table

SETTINGS: dict[str, Any] = {
    "iterations": 200,
    "batch": 2048,
    "learning_rate": 5e-3,
    "width": 128,
    "hidden": 64,
    "dropout": 0.0,
    "condition_share": 0.0,
    "evaluate_every": 50,
}


def main() -> None:
    """Print one line a budget."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epsilons", type=float, nargs="*", default=[])
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--marginals", action="store_true")
    parser.add_argument("--delta", type=float, default=1e-6)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    train, unseen = (read_table(options.folder / f"{k}.parquet") for k in ("train", "unseen"))
    rate = SETTINGS["batch"] / len(train)
    for epsilon in [*options.epsilons, *([None] if options.plain else [])]:
        start = time.process_time()
        model = generators.create(
            "autoregressive", epsilon=epsilon, delta=options.delta, **SETTINGS
        ).fit(train, seed=options.seed)
        cost = time.process_time() - start
        noise = "none" if epsilon is None else _noise(epsilon, options.delta, rate)
        fake = model.sample(len(unseen), seed=options.seed + 1)
        _show(f"epsilon {epsilon}, noise {noise}, fit {cost:.0f} CPU-s", judge(train, unseen, fake))
    if options.marginals:
        noise = Account.within(1.0, options.delta, rate, SETTINGS["iterations"]).marginals
        alone = noisy_marginals(train, noise, np.random.default_rng(options.seed))
        _show("marginals alone", judge(train, unseen, alone))


def _noise(epsilon: float, delta: float, rate: float) -> str:
    account = Account.within(epsilon, delta, rate, SETTINGS["iterations"])
    return f"{account.gradients:.2f} and {account.marginals:.1f}"


def _show(title: str, scores: dict[str, float]) -> None:
    print(title, "  ".join(f"{k} {v:.4g}" for k, v in scores.items()), flush=True)


if __name__ == "__main__":
    main()
