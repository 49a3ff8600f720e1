"""The white-box loss attack on a generator that learns its rows by heart, step by step.

    python -m tests.bench.white_box --rows 3000 --iterations 200 1000 4000

TabDDPM is fitted to `--rows` rows of the reference workload (a stand-in, not PanDA data) without
early stopping and without dropout. The longer it trains on so few rows, the more of them the attack
should find at 10 % false positives, and the more the black-box attack on its sample. Knows public
names only.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

import generators
import panda_gym
from metrics import base
from metrics.base import Study
from metrics.certificate import policy
from metrics.tables.samples import read


def main() -> None:
    """Read the command line and print one line a fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--generator", default="tabddpm")
    parser.add_argument("--iterations", type=int, nargs="+", default=[200, 1000, 4000])
    options = parser.parse_args()
    n, rules = options.rows, policy.load("default")
    whole = panda_gym.reference_records(20 * n, seed=0)
    order = np.random.default_rng(0).permutation(len(whole))
    train, holdout = whole.iloc[order[:n]], whole.iloc[order[n : 2 * n]]
    for iterations in options.iterations:
        started = time.process_time()
        settings = {"iterations": iterations, "holdout": 0.0, "dropout": 0.0}
        model = generators.create(options.generator, **settings).fit(train)
        rows = model.sample(n, seed=1)
        study = Study(
            **read({"train": train, "holdout": holdout, "synthetic": rows}),
            target="workload",
            time="creationtime",
            seed=0,
            settings={**rules.settings, **rules.quick},
            loss=model.losses,
        )
        scores = {s.id: s for name in ("white_box", "membership") for s in base.load(name)(study)}
        spent = time.process_time() - started
        ids = ("white_box_tpr", "white_box_auc", "membership_tpr", "membership_auc")
        found = ", ".join(
            f"{id} {scores[id].value:.3f} [{scores[id].low:.3f}, {scores[id].high:.3f}]"
            for id in ids
        )
        attack = study.notes["white_box"]["attack"]
        print(f"{iterations:6d} steps: {found}; attack: {attack}; {spent:.0f} CPU-s", flush=True)


if __name__ == "__main__":
    main()
