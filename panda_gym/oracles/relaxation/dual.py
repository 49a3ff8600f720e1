"""The dual function of the relaxation: a lower bound for any prices of the sites' cores."""

from __future__ import annotations

import math
from typing import Any

from panda_gym.jit.compiled import inline, no_inline
from panda_gym.oracles.forecast import entry


@inline
def bin_of(x: Any, t: float) -> int:
    """Bin of time t; the number of bins from the end of the last one on."""
    b = int((t - x.origin[0]) / x.width[0])
    bins = x.most.shape[1]
    return max(0, min(b, bins))


@inline
def edge(x: Any, b: int) -> float:
    """Start of bin b, s."""
    return x.origin[0] + b * x.width[0]


@inline
def counts(x: Any, s: int, b: int, later: int) -> bool:
    """Whether a job that starts in bin b of site s is charged in a later bin."""
    return x.least[s, later] >= x.most[s, b]


@entry
def sum_prices(x: Any, price: Any, total: Any) -> None:
    """Write what a core costs that is held through all bins after b and before q, total[s, b, q].

    Shape: price [S, B] per core second, total [S, B, B + 1].
    """
    sites, bins = price.shape
    for s in range(sites):
        for b in range(bins):
            paid = 0.0
            for q in range(b + 1, bins + 1):
                total[s, b, q] = paid
                if q < bins and counts(x, s, b, q):
                    paid += price[s, q] * x.width[0]


@inline
def charge(x: Any, price: Any, total: Any, s: int, b: int, t: float, end: float) -> float:
    """What a core of site s costs from t, in bin b, to `end`."""
    q = bin_of(x, end)
    if q <= b:
        return price[s, b] * (end - t)
    paid = price[s, b] * (edge(x, b + 1) - t) + total[s, b, q]
    if q < price.shape[1] and counts(x, s, b, q):
        paid += price[s, q] * (end - edge(x, q))
    return paid


@inline
def value_at(x: Any, y: Any, price: Any, total: Any, i: int, o: int, b: int, t: float) -> float:
    """ln slowdown and charge of job i by option o if it starts at t, in bin b."""
    end = t + y.hold[o]
    cost = math.log(max(1.0, (end - y.came[i]) / y.ideal[i]))
    return cost + y.cores[i] * charge(x, price, total, y.site[o], b, t, end)


@no_inline
def best_start(
    x: Any, y: Any, price: Any, total: Any, i: int, o: int, most: float
) -> tuple[float, float, int]:
    """Least value of job i by option o, its start and bin; `most` if it is not below that.

    Within a bin the charge is linear in the start between the point at which the end passes into
    another bin, and ln is concave: the least value is at one of the ends of these intervals, or
    where the slowdown leaves 1.
    """
    bins, at, where = price.shape[1], -1.0, -1
    t, hold, kink = y.begin[o], y.hold[o], y.came[i] + y.ideal[i] - y.hold[o]
    b = bin_of(x, t)
    while b < bins and math.log(max(1.0, (t + hold - y.came[i]) / y.ideal[i])) < most:
        last = edge(x, b + 1)
        cross = edge(x, bin_of(x, t + hold) + 1) - hold
        for c in range(4):
            one = t
            if c == 1:
                one = cross
            elif c == 2:
                one = kink
            elif c == 3:
                one = last
            if t <= one <= last:
                value = value_at(x, y, price, total, i, o, b, one)
                if value < most:
                    most, at, where = value, one, b
        t, b = last, b + 1
    if b >= bins:
        value = math.log(max(1.0, (t + hold - y.came[i]) / y.ideal[i]))
        if value < most:
            most, at, where = value, t, bins
    return most, at, where


@no_inline
def use(x: Any, y: Any, used: Any, i: int, o: int, b: int, t: float) -> None:
    """Add the core seconds for which job i is charged by option o if it starts at t, in bin b."""
    s, end, bins = y.site[o], t + y.hold[o], used.shape[1]
    for q in range(b, bins):
        begin = max(t, edge(x, q))
        if begin >= end:
            break
        if q == b or counts(x, s, b, q):
            used[s, q] += y.cores[i] * (min(end, edge(x, q + 1)) - begin)


@entry
def dual_value(x: Any, y: Any, price: Any, total: Any, used: Any) -> float:
    """The bound on the sum of ln slowdowns for these prices, and the core seconds used, [S, B].

    total: as `sum_prices` wrote it.
    """
    value = 0.0
    used[:, :] = 0.0
    for i in range(len(y.row)):
        best, chosen, at, where = y.unfinished[i], -1, 0.0, 0
        for o in range(y.first[i], y.first[i + 1]):
            if y.cost[o] >= best:
                break
            least, t, b = best_start(x, y, price, total, i, o, best)
            if least < best:
                best, chosen, at, where = least, o, t, b
        value += best
        if chosen >= 0 and where < price.shape[1]:
            use(x, y, used, i, chosen, where, at)
    for s in range(price.shape[0]):
        for b in range(price.shape[1]):
            value -= price[s, b] * x.capacity[s, b]
    return value
