"""Linkability: do synthetic rows show that two halves of a record belong together?

After Giomi et al. (PoPETs 2023, arXiv 2211.10459). The attacker holds one set of columns of a real
row and, apart, another; for each half the `NEIGHBOURS` nearest synthetic rows are looked up. The
attack succeeds where a synthetic row is among both. The control attacks held-out rows.
NOTE[DIFF] Halves are the columns at even and at odd places of the table. Distances are Gower's with
numbers on the rank scale; equally near rows are taken in random order.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from metrics.base import Score, Study
from metrics.errors import NotApplicable
from metrics.privacy.attack_rates import rate_score
from metrics.tables.gower import Cloud, cloud_of
from metrics.tables.samples import Sample

NEIGHBOURS = 10
"""Synthetic rows looked up for each half of a record."""


def measure(study: Study) -> list[Score]:
    """Score the share of training rows whose halves are linked, against held-out rows."""
    order = study.train.schema.order
    if len(order) < 4:
        raise NotApplicable("at least four columns", str(len(order)), "nothing: left out")
    halves = (order[::2], order[1::2])
    rng = study.rng("linkability")
    rows = study.synthetic.draw(int(study.settings["linking_rows"]), rng)
    rows = rows.take(rng.permutation(len(rows)))
    fitted = [cloud_of(rows, study.train, half) for half in halves]
    results = []
    for word in ("train", "holdout"):
        wanted = int(study.settings["linking_attacks"])
        targets = getattr(study, word).draw(wanted, study.rng(f"linkability/{word}"))
        results.append((int(linked(targets, study.train, halves, fitted).sum()), len(targets)))
    note = f"halves of a row linked through its {NEIGHBOURS} nearest of {len(rows)} synthetic rows"
    return [rate_score(study, "linkability", results[0], results[1], note)]


def linked(
    targets: Sample, train: Sample, halves: tuple[tuple[str, ...], ...], rows: list[Cloud]
) -> np.ndarray:
    """Return which targets have a row among the nearest of both halves, bool[targets]."""
    near = [
        nearest_rows(*cloud_of(targets, train, half), *cloud, NEIGHBOURS)
        for half, cloud in zip(halves, rows, strict=True)
    ]
    return np.array([bool(set(a) & set(b)) for a, b in zip(*near, strict=True)])


@njit(cache=True)
def nearest_rows(
    x: np.ndarray, c: np.ndarray, numbers: np.ndarray, codes: np.ndarray, k: int
) -> np.ndarray:
    """Return the k nearest rows of each query, int64[q, k]; the earlier row where equally near.

    Columns come first: x float32[d, q], c int32[e, q], numbers float32[d, n], codes int32[e, n].
    """
    n = numbers.shape[1] if len(numbers) else codes.shape[1]
    queries = x.shape[1] if len(x) else c.shape[1]
    out = np.full((queries, k), -1, dtype=np.int64)
    for q in range(queries):
        best = np.full(k, np.inf, dtype=np.float32)
        for r in range(n):
            total = np.float32(0.0)
            for j in range(len(codes)):
                if c[j, q] != codes[j, r]:
                    total += np.float32(1.0)
            if total >= best[k - 1]:
                continue
            for i in range(len(numbers)):
                total += abs(x[i, q] - numbers[i, r])
            if total >= best[k - 1]:
                continue
            at = k - 1
            while at > 0 and best[at - 1] > total:
                best[at] = best[at - 1]
                out[q, at] = out[q, at - 1]
                at -= 1
            best[at] = total
            out[q, at] = r
    return out
