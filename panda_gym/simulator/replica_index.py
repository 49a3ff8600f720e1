"""How soon each site can read a dataset, and how near it lies; knows replicas, never queues.

A row holds the best of all replicas for every site. It is brought up to date when it is looked at,
from the bits of the sites that hold the dataset: those that have come since are compared with
what stands there, and it is written anew where one has gone. The best of a set depends on no
order, so a row says what reading all replicas would. Rows go to the datasets looked at last; one
that is written anew takes the place of the oldest.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from panda_gym.jit.compiled import inner, lowest_bit, shared

HELD, KEPT, COUNTED = range(3)
"""Sets of sites in `World.holders`: where a dataset may be read, where a secondary replica of it
is, there or begun, and whose replicas its row has counted."""
NO_SITE: Final = np.uint64(0)
_ONE = np.uint64(1)


@inner
def in_set(w: Any, e: int, d: int, which: int, s: int) -> bool:
    """Whether site s is in a set of dataset d."""
    return (w.holders[e, d, which, s >> 6] >> np.uint64(s & 63)) & _ONE != NO_SITE


@inner
def put_in(w: Any, e: int, d: int, which: int, s: int) -> None:
    """Put site s into a set of dataset d."""
    w.holders[e, d, which, s >> 6] |= _ONE << np.uint64(s & 63)


@inner
def take_off(w: Any, e: int, d: int, which: int, s: int) -> None:
    """Take site s out of a set of dataset d."""
    w.holders[e, d, which, s >> 6] &= ~(_ONE << np.uint64(s & 63))


@inner
def without_lowest(word: Any) -> Any:
    """A set of sites without the first of them."""
    return word & (word - _ONE)


@shared
def new_row(w: Any, e: int, d: int) -> None:
    """Give dataset d a row, in which nothing is counted."""
    grid, dataset = w.grids[e], w.datasets[e, d]
    k = dataset["row"]
    if k < 0:
        k = grid["next_row"]
        grid["next_row"] = k + 1 if k + 1 < w.owner.shape[1] else 0
        if w.owner[e, k] >= 0:
            w.datasets[e, w.owner[e, k]]["row"] = -1
        w.owner[e, k] = d
        dataset["row"] = k
    w.soon[e, k, :] = np.float32(np.inf)
    w.near[e, k, :] = np.int8(127)
    w.holders[e, d, COUNTED, :] = NO_SITE


@shared
def count_replica(w: Any, e: int, d: int, r: int) -> None:
    """Compare the row of dataset d with what its replica at site r offers."""
    size, n, k = np.float32(w.datasets[e, d]["bytes"]), len(w.places), w.datasets[e, d]["row"]
    compare_times(w.soon[e, k, :n], w.lanes[r, 0], w.lanes[r, 1], size)
    compare_steps(w.near[e, k, :n], w.steps[r])


@inner
def compare_times(row: Any, delay: Any, per_byte: Any, size: Any) -> None:
    """Time to read from one more site, s, where it is the least."""
    for s in range(len(row)):
        time = delay[s] + size * per_byte[s]
        row[s] = time if time < row[s] else row[s]


@inner
def compare_steps(row: Any, steps: Any) -> None:
    """Closeness of one more site, where it is the least."""
    for s in range(len(row)):
        row[s] = steps[s] if steps[s] < row[s] else row[s]


@inner
def row_of(w: Any, e: int, d: int) -> int:
    """The row of dataset d, which some site holds, brought up to date."""
    words = w.holders.shape[3]
    stale, more = w.datasets[e, d]["row"] < 0, False
    for k in range(words):
        held, counted = w.holders[e, d, HELD, k], w.holders[e, d, COUNTED, k]
        stale = stale or counted & ~held != NO_SITE
        more = more or held & ~counted != NO_SITE
    if stale:
        new_row(w, e, d)
    if stale or more:
        for k in range(words):
            held = w.holders[e, d, HELD, k]
            left = held & ~w.holders[e, d, COUNTED, k]
            while left != NO_SITE:
                count_replica(w, e, d, (k << 6) + lowest_bit(left))
                left = without_lowest(left)
            w.holders[e, d, COUNTED, k] = held
    return w.datasets[e, d]["row"]


@shared
def begin_rows(w: Any, e: int) -> None:
    """No dataset has a row."""
    w.grids[e]["next_row"] = 0
    w.owner[e, :] = -1
