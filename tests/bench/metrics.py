"""What the judge sees: planted cases against verdicts, and the exact search at scale.

    python -m tests.bench.metrics cases --rows 40000 --seeds 3
    python -m tests.bench.metrics search --rows 1319007 --check 200

`cases` changes fresh rows of the reference workload in known ways and certifies them under the
default policy (without the regressor unless --trees): the margins of that policy are calibrated on
this table. `search` times the distance to the closest record in CPU-seconds and compares it with a
look at every pair for some queries. Knows public names and the tests' slow twin.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

import metrics
import panda_gym
from metrics import base
from metrics.privacy import Space
from metrics.tables import read
from tests.oracles import metrics_twins as twins

Rows = pd.DataFrame
Case = Callable[[Rows, Rows, np.random.Generator], Rows]


def copies(share: float) -> Case:
    """Replace a share of fresh rows by training rows."""

    def change(train: Rows, fresh: Rows, rng: np.random.Generator) -> Rows:
        k = round(share * len(fresh))
        picked = train.iloc[rng.choice(len(train), k, replace=False)]
        return pd.concat([fresh.iloc[k:], picked], ignore_index=True)

    return change


def near_copies(train: Rows, fresh: Rows, rng: np.random.Generator) -> Rows:
    """Replace 5 % of the rows by training rows whose workload is off by a thousandth."""
    mixed = copies(0.05)(train, fresh, rng)
    k = round(0.05 * len(fresh))
    work = mixed["workload"].to_numpy(copy=True)
    work[-k:] *= 1 + 0.001 * rng.standard_normal(k)
    return mixed.assign(workload=work)


def interpolated(train: Rows, fresh: Rows, rng: np.random.Generator) -> Rows:
    """Return rows between training rows that share all categories, as SMOTE does."""
    levels = [c for c in train if isinstance(train[c].dtype, pd.CategoricalDtype)]
    order = train.sort_values([*levels, "workload"]).reset_index(drop=True)
    after = order.shift(-1).ffill()
    same = (order[levels].astype(str) == after[levels].astype(str)).all(axis=1)
    share = rng.random(len(order)) * same
    work = order["workload"] + share * (after["workload"] - order["workload"])
    return order.assign(workload=work).iloc[rng.permutation(len(order))[: len(fresh)]]


def independent(train: Rows, fresh: Rows, rng: np.random.Generator) -> Rows:
    """Permute every column on its own."""
    return fresh.assign(**{c: fresh[c].array[rng.permutation(len(fresh))] for c in fresh})


def shuffled_time(train: Rows, fresh: Rows, rng: np.random.Generator) -> Rows:
    """Deal the creation times out anew."""
    return fresh.assign(creationtime=fresh["creationtime"].array[rng.permutation(len(fresh))])


def cut_tail(train: Rows, fresh: Rows, rng: np.random.Generator) -> Rows:
    """Clip the largest hundredth of the workload."""
    return fresh.assign(workload=fresh["workload"].clip(upper=train["workload"].quantile(0.985)))


def no_rare_sites(train: Rows, fresh: Rows, rng: np.random.Generator) -> Rows:
    """Replace rows of sites rarer than 1 % by others."""
    share = train["computingsite"].value_counts(normalize=True)
    kept = fresh[fresh["computingsite"].map(share).astype(float) >= 0.01]
    return kept.iloc[rng.integers(len(kept), size=len(fresh))].drop_duplicates()


CASES: dict[str, Case] = {
    "fresh real rows": lambda train, fresh, rng: fresh,
    "copies 0.3 %": copies(0.003),
    "copies 0.5 %": copies(0.005),
    "copies 1 %": copies(0.01),
    "copies 5 %": copies(0.05),
    "near copies 5 %": near_copies,
    "interpolated": interpolated,
    "independent columns": independent,
    "shuffled time": shuffled_time,
    "tail cut": cut_tail,
    "rare sites dropped": no_rare_sites,
}


def judge(rows: int, seeds: int, trees: bool) -> None:
    """Print, for each case, the share of seeds that fail and the parts' grades."""
    if not trees:
        base.METRICS.pop("mlef")
    print(f"{'case':22s} fails  fidelity privacy  reasons (first seed)")
    for name, change in CASES.items():
        failed, cards = 0, []
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            whole = panda_gym.reference_records(2 * rows + rows // 4, seed=seed)
            whole = whole.iloc[rng.permutation(len(whole))]
            train, fresh, holdout = (
                whole.iloc[a:b] for a, b in ((0, rows), (rows, 2 * rows), (2 * rows, None))
            )
            card = metrics.certify(train, holdout, change(train, fresh, rng), quick=True, seed=seed)
            cards.append(card)
            failed += any(card.grades[part] not in "AB" for part in ("fidelity", "privacy"))
        reasons = [id for id in cards[0].failures if "efficacy" not in id]
        grades = ["".join(card.grades[part] for card in cards) for part in ("fidelity", "privacy")]
        print(f"{name:22s} {failed}/{seeds}    {grades[0]:8s} {grades[1]:8s} {' '.join(reasons)}")


def search(rows: int, check: int) -> None:
    """Print CPU-seconds and peak memory of the search, and its largest error."""
    rng = np.random.default_rng(0)
    whole = panda_gym.reference_records(2 * rows, seed=5)
    order = rng.permutation(len(whole))
    train, fresh = whole.iloc[order[:rows]], whole.iloc[order[rows:]]
    del whole
    for word, table in (("real", fresh), ("independent", independent(train, fresh, rng))):
        tables = read({"train": train, "rows": table})
        started = time.process_time()
        space = Space.fit(tables["train"], "rank")
        found = space.nearest(tables["rows"])
        spent = time.process_time() - started
        at = rng.choice(rows, check, replace=False)
        points = [
            (np.column_stack([f(s.numbers[:, i]) for i, f in enumerate(space.scales)]), s.codes)
            for s in (tables["rows"].take(at), tables["train"])
        ]
        error = np.abs(found[at] - twins.nearest(*points[0], *points[1], 1.0)).max()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(
            f"{word:12s} {rows:,} x {rows:,}: {spent:.1f} CPU-s, peak {peak:.2f} GB, "
            f"largest error of {check} checked queries {error:.1e}"
        )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("cases", "search"))
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--check", type=int, default=200)
    parser.add_argument("--trees", action="store_true")
    options = parser.parse_args()
    if options.what == "cases":
        judge(options.rows, options.seeds, options.trees)
    else:
        search(options.rows, options.check)


if __name__ == "__main__":
    main()
