"""Slow, obvious twins of the metrics: loops over rows, dictionaries, no shared code."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pandas as pd


def nearest(
    queries: np.ndarray,
    query_codes: np.ndarray,
    rows: np.ndarray,
    row_codes: np.ndarray,
    weight: float,
) -> np.ndarray:
    """Distance of each query to its nearest row: every pair is looked at."""
    out = []
    for x, c in zip(queries, query_codes, strict=True):
        squared = ((rows - x) ** 2).sum(axis=1) + weight * (row_codes != c).sum(axis=1)
        out.append(math.sqrt(squared.min()))
    return np.array(out)


def wasserstein(a: list[float], b: list[float]) -> float:
    """Mean distance of sorted values, both samples repeated to the same length."""
    size = math.lcm(len(a), len(b))
    left = sorted(v for v in a for _ in range(size // len(a)))
    right = sorted(v for v in b for _ in range(size // len(b)))
    return sum(abs(x - y) for x, y in zip(left, right, strict=True)) / size


def jensen_shannon(a: list[str], b: list[str]) -> float:
    """Jensen-Shannon divergence in bits, from the definition by entropies."""
    p, q = Counter(a), Counter(b)
    total = 0.0
    for level in set(p) | set(q):
        x, y = p[level] / len(a), q[level] / len(b)
        m = (x + y) / 2
        total -= m * math.log2(m)
        total += sum(v * math.log2(v) / 2 for v in (x, y) if v)
    return total


def theils_u(x: list, y: list) -> float:
    """U(x | y): the share of the entropy of x that y takes away."""
    whole = _entropy(x)
    if whole == 0:
        return 0.0
    given = sum(
        count / len(y) * _entropy([a for a, b in zip(x, y, strict=True) if b == level])
        for level, count in Counter(y).items()
    )
    return (whole - given) / whole


def correlation_ratio(values: list[float], levels: list) -> float:
    """Root of the share of the variance of values that lies between levels."""
    mean = sum(values) / len(values)
    between = 0.0
    for level in set(levels):
        own = [v for v, k in zip(values, levels, strict=True) if k == level]
        between += len(own) * (sum(own) / len(own) - mean) ** 2
    around = sum((v - mean) ** 2 for v in values)
    return math.sqrt(between / around) if around else 0.0


def mid_ranks(x: list[float], reference: list[float]) -> list[float]:
    """Share of the reference below x, plus half of the share equal to it."""
    n = len(reference)
    return [(sum(r < v for r in reference) + sum(r == v for r in reference) / 2) / n for v in x]


def ks_plus(a: list[float], b: list[float]) -> float:
    """Largest lead of the distribution function of a over that of b."""
    return max(
        0.0,
        *(sum(v <= x for v in a) / len(a) - sum(v <= x for v in b) / len(b) for x in (*a, *b)),
    )


def area_under_curve(negatives: list[float], positives: list[float]) -> float:
    """Share of pairs that are in order, ties counting half."""
    won = sum((p > q) + (p == q) / 2 for p in positives for q in negatives)
    return won / (len(positives) * len(negatives))


def copies(table: pd.DataFrame, reference: pd.DataFrame) -> int:
    """Rows of a table that stand in the reference, as text."""
    known = {tuple(map(str, row)) for row in reference.itertuples(index=False)}
    return sum(tuple(map(str, row)) in known for row in table.itertuples(index=False))


def _entropy(x: list) -> float:
    return -sum(c / len(x) * math.log(c / len(x)) for c in Counter(x).values())
