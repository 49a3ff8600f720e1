"""Known-answer cases against verdicts: which faults are found, and how many false alarms.

    python -m tests.bench.known_answers measure --out runs/known_answers --seeds 10 --minutes 8
    python -m tests.bench.known_answers measure --out runs/again --seeds 60 --first 1000
    python -m tests.bench.known_answers table --out runs/known_answers --policy default
    python -m tests.bench.known_answers margins --out runs/known_answers

`measure` changes fresh rows of the reference workload (a stand-in, not PanDA data) in known ways,
and scores them; each case and seed is a file, so that it goes on where it stopped. `table` grades
them by a policy: in how many seeds each case is found, and fresh rows are failed, with the exact
bound of that rate (Clopper and Pearson); and in how many the self-test was wrong.
`margins` shows for each score how far fresh rows and known faults lie from the reference, and how
often the bound of fresh rows covers their true excess, none: the policy's margins are calibrated on
it, and rates are to be measured on other seeds (`--first`). Efficacy and the white-box attack are
left out, and what no policy grades, unless --metrics names them.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

import generators
import panda_gym
from metrics import base
from metrics.base import Score, Study
from metrics.certificate import policy, selftest
from metrics.deprecated import SCORE_FIELDS
from metrics.errors import NotApplicable
from metrics.files import write_whole
from metrics.statistics.equivalence import graded
from metrics.tables.samples import read

Rows = pd.DataFrame
Case = Callable[[Rows, Rows, int], Rows]
REAL_ALONE = ("training_space", "holdout_distances")
"""What a study shares that does not depend on the synthetic rows."""
LEFT_OUT = ("mlef", "white_box", "paper_compat", "singling_out")


def copies(share: float) -> Case:
    """Replace a share of fresh rows by training rows."""

    def change(train: Rows, fresh: Rows, seed: int) -> Rows:
        k = round(share * len(fresh))
        picked = np.random.default_rng(seed).choice(len(train), k, replace=False)
        return pd.concat([fresh.iloc[k:], train.iloc[picked]], ignore_index=True)

    return change


def near_copies(train: Rows, fresh: Rows, seed: int) -> Rows:
    """Replace 5 % of the rows by training rows whose workload is off by a thousandth."""
    mixed = copies(0.05)(train, fresh, seed)
    k = round(0.05 * len(fresh))
    work = mixed["workload"].to_numpy(copy=True)
    work[-k:] *= 1 + 0.001 * np.random.default_rng(seed).standard_normal(k)
    return mixed.assign(workload=work)


def redrawn(share: float, column: str) -> Case:
    """Replace a share of fresh rows by training rows with one column of fresh rows."""

    def change(train: Rows, fresh: Rows, seed: int) -> Rows:
        mixed = copies(share)(train, fresh, seed)
        k = round(share * len(fresh))
        values = fresh[column].array[np.random.default_rng(seed).permutation(len(fresh))[:k]]
        last = mixed.iloc[-k:].assign(**{column: values})
        return pd.concat([mixed.iloc[:-k], last], ignore_index=True)

    return change


def tight_copies(train: Rows, fresh: Rows, seed: int) -> Rows:
    """Replace 0.5 % of the rows by training rows whose workload is off by a millionth."""
    mixed = copies(0.005)(train, fresh, seed)
    k = round(0.005 * len(fresh))
    work = mixed["workload"].to_numpy(copy=True)
    work[-k:] *= 1 + 1e-6 * np.random.default_rng(seed).random(k)
    return mixed.assign(workload=work)


def smote(train: Rows, fresh: Rows, seed: int) -> Rows:
    """Return the rows of the registered SMOTE, fitted to the training rows."""
    return generators.create("smote").fit(train, seed=seed).sample(len(fresh), seed=seed)


def overfit(train: Rows, fresh: Rows, seed: int) -> Rows:
    """Return what a generator says that knows a tenth of the training rows by heart.

    Each row is one of those with its numbers off by a hundredth and its time by minutes.
    """
    rng = np.random.default_rng(seed)
    known = rng.choice(len(train), len(train) // 10, replace=False)
    rows = train.iloc[rng.choice(known, len(fresh))].reset_index(drop=True)
    off = pd.to_timedelta(rng.normal(0, 120, len(rows)).round(), unit="s")
    time_of = (rows["creationtime"] + off).astype(rows["creationtime"].dtype)
    noise = 1 + 0.01 * rng.standard_normal((2, len(rows)))
    sizes = (rows["inputfilebytes"].to_numpy(dtype=float) * noise[0]).round()
    return rows.assign(
        creationtime=time_of,
        inputfilebytes=pd.array(sizes).astype(rows["inputfilebytes"].dtype),
        workload=rows["workload"] * noise[1],
    )


def independent(train: Rows, fresh: Rows, seed: int) -> Rows:
    """Permute every column on its own."""
    rng = np.random.default_rng(seed)
    return fresh.assign(**{c: fresh[c].array[rng.permutation(len(fresh))] for c in fresh})


def shuffled_time(train: Rows, fresh: Rows, seed: int) -> Rows:
    """Deal the creation times out anew."""
    order = np.random.default_rng(seed).permutation(len(fresh))
    return fresh.assign(creationtime=fresh["creationtime"].array[order])


def cut_tail(train: Rows, fresh: Rows, seed: int) -> Rows:
    """Clip the workload at train's 98.5 % quantile."""
    return fresh.assign(workload=fresh["workload"].clip(upper=train["workload"].quantile(0.985)))


def no_rare_sites(train: Rows, fresh: Rows, seed: int) -> Rows:
    """Replace the rows of sites that hold fewer than 1 % of the jobs by other rows."""
    share = train["computingsite"].value_counts(normalize=True)
    kept = fresh[fresh["computingsite"].map(share).astype(float) >= 0.01]
    return kept.iloc[np.random.default_rng(seed).integers(len(kept), size=len(fresh))]


FRESH = "fresh real rows"
"""The case that must pass."""
CASES: dict[str, Case] = {
    FRESH: lambda train, fresh, seed: fresh,
    "copies 0.3 %": copies(0.003),
    "copies 0.5 %": copies(0.005),
    "copies 1 %": copies(0.01),
    "copies 5 %": copies(0.05),
    "near copies 5 %": near_copies,
    "copies with noise 0.5 %": tight_copies,
    "time redrawn 20 %": redrawn(0.2, "creationtime"),
    "workload redrawn 5 %": redrawn(0.05, "workload"),
    "SMOTE": smote,
    "overfit generator": overfit,
    "independent columns": independent,
    "shuffled time": shuffled_time,
    "tail cut": cut_tail,
    "rare sites dropped": no_rare_sites,
}
"""The known-answer cases by name."""


def measure(
    out: Path, rows: int, seeds: range, minutes: float, wanted: list[str], only: list[str]
) -> None:
    """Score every case and seed that is not yet on disk, until the minutes of CPU time are over."""
    for seed in seeds:
        tables: tuple[Rows, Rows, Rows] | None = None
        shared: dict[str, Any] = {}
        for name, change in CASES.items():
            path = out / f"{name.replace(' ', '_').replace('%', 'pct')}-{seed}.json"
            if path.is_file() or (only and name not in only):
                continue
            if time.process_time() > 60 * minutes:
                print("the time is over; run it again to go on")
                return
            tables = tables or draw(rows, seed)
            found = scores(tables, change(*tables[:2], seed), seed, wanted, shared)
            entry = {"case": name, "seed": seed, "rows": rows, **found}
            write_whole(path, json.dumps(entry))
            print(f"{name}, seed {seed}: {found['cpu_s']:.1f} CPU-s", flush=True)
    print("all is measured")


def draw(rows: int, seed: int) -> tuple[Rows, Rows, Rows]:
    """Return training, fresh and held-out rows (a quarter as many) of one population."""
    whole = panda_gym.reference_records(2 * rows + rows // 4, seed=100 + seed)
    order = np.random.default_rng(seed).permutation(len(whole))
    cuts = ((0, rows), (rows, 2 * rows), (2 * rows, None))
    train, fresh, holdout = (whole.iloc[order[a:b]].reset_index(drop=True) for a, b in cuts)
    return train, fresh, holdout


def scores(
    tables: tuple[Rows, Rows, Rows],
    rows: Rows,
    seed: int,
    wanted: list[str],
    shared: dict[str, Any],
) -> dict[str, Any]:
    """Return every score of a quick certificate, ready for JSON, without margins.

    `shared` hands what depends on the real tables alone from one case of a seed to the next.
    """
    started = time.process_time()
    rules = policy.load("default")
    train, fresh, holdout = tables
    # The fresh rows are read too, so that all cases of a seed have the same levels.
    found = read({"train": train, "holdout": holdout, "synthetic": rows, "fresh": fresh})
    samples: Mapping[str, Any] = {word: found[word] for word in ("train", "holdout", "synthetic")}
    study = Study(
        **samples,
        target="workload",
        time="creationtime",
        seed=seed,
        settings={**rules.settings, **rules.quick},
        alpha=rules.alpha,
        shared={name: shared[name] for name in REAL_ALONE if name in shared},
    )
    if (
        "self_test" not in shared
    ):  # known-answer cases of real rows: the same for every table of a seed
        tried = selftest.run(replace(study, shared={}), rules)
        shared["self_test"] = {
            name: case["reason"] for name, case in tried.items() if not case["passed"]
        }
    entries: dict[str, Any] = {}
    for name in wanted:
        try:
            entries |= {score.id: score.as_dict() for score in base.load(name)(study)}
        except NotApplicable:
            continue
    shared.update(study.shared)
    spent = time.process_time() - started
    return {"scores": entries, "missed": shared["self_test"], "cpu_s": spent}


def load(out: Path) -> dict[str, list[list[Score]]]:
    """Return the scores on disk, {case: one list for each seed}."""
    found: dict[str, list[list[Score]]] = {name: [] for name in CASES}
    for path in sorted(out.glob("*.json")):
        entry = json.loads(path.read_text())
        found[entry["case"]].append(
            [
                Score(id, **{SCORE_FIELDS.get(k, k): v for k, v in s.items()})
                for id, s in entry["scores"].items()
            ]
        )
    return {name: runs for name, runs in found.items() if runs}


def self_tests(out: Path) -> dict[int, dict[str, str]]:
    """Return what the self-test missed, {seed: {case: reason}}, over all seeds on disk."""
    entries = [json.loads(path.read_text()) for path in sorted(out.glob("*.json"))]
    return {e["seed"]: e["missed"] for e in entries if "missed" in e}


def table(out: Path, name: str) -> None:
    """Print how often each case fails under a policy, by part, and by which scores."""
    rules = policy.load(name)
    print(f"policy {rules.name} {rules.version}\n")
    print("| case | seeds | found | rate | fidelity | privacy | temporal | by |")
    print("|---|---|---|---|---|---|---|---|")
    for case, runs in load(out).items():
        parts: dict[str, int] = dict.fromkeys(base.PARTS, 0)
        by: dict[str, int] = {}
        any_part = 0
        for run in runs:
            failed = failing(run, rules)
            any_part += bool(failed)
            for part in {s.part for s in failed}:
                parts[part] += 1
            for s in failed:
                by[s.id] = by.get(s.id, 0) + 1
        n = len(runs)
        most = sorted(by, key=lambda id: -by[id])[:4]
        cells = [f"{parts[p]}/{n}" for p in ("fidelity", "privacy", "temporal")]
        found = f"{any_part}/{n} | {bound(any_part, n, most=case == FRESH)}"
        print(f"| {case} | {n} | {found} | {' | '.join(cells)} | {', '.join(most)} |")
    missed = self_tests(out)
    if missed:
        void = sum(map(bool, missed.values()))
        print(f"\nself-test: void in {void}/{len(missed)}, {bound(void, len(missed), most=True)}")
    for seed, cases in missed.items():
        for name, reason in cases.items():
            print(f"seed {seed}, {name}: {reason}")


def bound(k: int, n: int, most: bool) -> str:
    """Return the one-sided 95 % bound of a rate from k of n, exact (Clopper and Pearson 1934)."""
    found = binomtest(k, n, alternative="less" if most else "greater").proportion_ci(method="exact")
    return f"at most {found.high:.3f}" if most else f"at least {found.low:.2f}"


def failing(run: list[Score], rules: policy.Policy) -> list[Score]:
    """Return the scores that fail under a policy, after Holm's correction."""
    scored = [replace(s, margin=rules.margin(s.id)) for s in run]
    return [
        s
        for s in graded(scored, rules.alpha, rules.parts)
        if s.passed is False and rules.parts[s.part]
    ]


def margins(out: Path) -> None:
    """Print the bounds of fresh rows and the excesses of each known fault, for every score."""
    found = load(out)
    rules = policy.load("default")
    fresh = found.pop(FRESH)
    heads = [f"{case:>12.12s}" for case in found]
    columns = ("margin", "fresh hi", "width", "covers")
    print(f"{'score':28s} " + " ".join(f"{c:>8s}" for c in columns) + " " + " ".join(heads))
    for id in [s.id for s in fresh[0]]:
        own = [s for run in fresh for s in run if s.id == id]
        high, width = max(s.bound for s in own), max(s.bound - s.excess for s in own)
        covers = sum(s.bound >= 0 for s in own) / len(own)  # the true excess of fresh rows is 0
        cells = []
        for runs in found.values():
            excess = [s.excess for run in runs for s in run if s.id == id]
            cells.append(f"{min(excess):12.4f}" if excess else f"{'':12s}")
        margin = rules.margin(id)
        word = f"{margin:8.4f}" if margin is not None else f"{'-':>8s}"
        print(f"{id:28.28s} {word} {high:8.4f} {width:8.4f} {covers:8.2f} " + " ".join(cells))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("measure", "table", "margins"))
    parser.add_argument("--out", type=Path, default=Path("runs/known_answers"))
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--policy", default="default")
    known = [name for name in base.names() if name not in LEFT_OUT]
    parser.add_argument("--metrics", nargs="*", default=known, choices=base.names())
    parser.add_argument("--only", nargs="*", default=[], choices=list(CASES))
    options = parser.parse_args()
    if options.what == "measure":
        how = (options.minutes, options.metrics, options.only)
        seeds = range(options.first, options.first + options.seeds)
        measure(options.out, options.rows, seeds, *how)
    elif options.what == "table":
        table(options.out, options.policy)
    else:
        margins(options.out)


if __name__ == "__main__":
    main()
