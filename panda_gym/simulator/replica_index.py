"""An index of replicas: least read time and closeness of a dataset at every site.

A cached row holds the best over all replicas for every site. It is updated when it is read, from
the bit sets of the sites that hold the dataset: new replicas are compared with the row, and the
row is computed anew where a replica has gone. The minimum over a set does not depend on order,
so a row equals a scan of all replicas. The datasets read most recently have rows; a new row
replaces the oldest.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from panda_gym.jit.compiled import inline, lowest_bit, no_inline

HELD, KEPT, COUNTED = range(3)
"""Bit sets of sites in `World.holders`: sites where the dataset can be read, sites with a secondary
replica (complete or begun), and sites whose replicas the row includes."""
NO_SITE: Final = np.uint64(0)
_ONE = np.uint64(1)


@inline
def in_set(w: Any, e: int, d: int, which: int, s: int) -> bool:
    """Whether site s is in a set of dataset d."""
    return (w.holders[e, d, which, s >> 6] >> np.uint64(s & 63)) & _ONE != NO_SITE


@inline
def add_to_set(w: Any, e: int, d: int, which: int, s: int) -> None:
    """Add site s to a set of dataset d."""
    w.holders[e, d, which, s >> 6] |= _ONE << np.uint64(s & 63)


@inline
def remove_from_set(w: Any, e: int, d: int, which: int, s: int) -> None:
    """Remove site s from a set of dataset d."""
    w.holders[e, d, which, s >> 6] &= ~(_ONE << np.uint64(s & 63))


@inline
def without_lowest(word: Any) -> Any:
    """A set of sites without the first of them."""
    return word & (word - _ONE)


@no_inline
def new_row(w: Any, e: int, d: int) -> None:
    """Give dataset d an empty row."""
    grid, dataset = w.grids[e], w.datasets[e, d]
    k = dataset["row"]
    if k < 0:
        k = grid["next_row"]
        grid["next_row"] = k + 1 if k + 1 < w.row_datasets.shape[1] else 0
        if w.row_datasets[e, k] >= 0:
            w.datasets[e, w.row_datasets[e, k]]["row"] = -1
        w.row_datasets[e, k] = d
        dataset["row"] = k
    w.read_times[e, k, :] = np.float32(np.inf)
    w.read_closeness[e, k, :] = np.int8(127)
    w.holders[e, d, COUNTED, :] = NO_SITE


@no_inline
def count_replica(w: Any, e: int, d: int, r: int) -> None:
    """Include the replica of dataset d at site r in its row."""
    size, n, k = np.float32(w.datasets[e, d]["bytes"]), len(w.site_static), w.datasets[e, d]["row"]
    compare_times(w.read_times[e, k, :n], w.link_costs[r, 0], w.link_costs[r, 1], size)
    compare_steps(w.read_closeness[e, k, :n], w.closeness[r])


@inline
def compare_times(row: Any, delay: Any, per_byte: Any, size: Any) -> None:
    """Lower the read times to those from one more site, s, where they are less."""
    for s in range(len(row)):
        time = delay[s] + size * per_byte[s]
        row[s] = time if time < row[s] else row[s]


@inline
def compare_steps(row: Any, steps: Any) -> None:
    """Lower the closeness to that of one more site, where it is less."""
    for s in range(len(row)):
        row[s] = steps[s] if steps[s] < row[s] else row[s]


@inline
def row_of(w: Any, e: int, d: int) -> int:
    """The updated row of dataset d, which at least one site holds."""
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


@no_inline
def begin_rows(w: Any, e: int) -> None:
    """Reset to no rows."""
    w.grids[e]["next_row"] = 0
    w.row_datasets[e, :] = -1
