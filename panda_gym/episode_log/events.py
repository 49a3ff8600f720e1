"""An episode as events in order of time: `EVENT[m]` of `panda_gym.simulator`.

A simulator with an event buffer records every event; `derived` computes those of the jobs from a
log without events.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from panda_gym.simulator import EVENT, KINDS, EpisodeLog

Array = np.ndarray

AT: Final = {
    "arrival": "arrival_s",
    "placement": "placed_s",
    "activation": "activation_s",
    "cores_taken": "starting_s",
    "end": "end_s",
}
"""The column of the log with the time of each kind of event."""
COLUMNS: Final = {
    "time_s": "time", "kind": "kind", "job": "job", "site": "site", "other": "other",
    "bytes": "bytes",
}  # fmt: skip
"""Columns of a file of events, and their fields of EVENT."""


def derived(log: EpisodeLog) -> Array:
    """Return the events of the jobs up to `log.now_s` as they follow from a log, EVENT[m].

    At equal times the order is ends, activations, cores taken, arrivals, placements; then by row.
    """
    found = np.concatenate([_of_kind(log, kind) for kind in AT])
    rank = np.array([ORDER.get(kind, 0) for kind in KINDS])[found["kind"]]
    return found[np.lexsort((found["job"], rank, found["time"]))]


ORDER: Final = {"end": 0, "activation": 1, "cores_taken": 2, "arrival": 3, "placement": 4}


def as_columns(found: Array) -> dict[str, Array]:
    """Return EVENT[m] as the columns of a table, with kinds by name."""
    table = {name: found[field] for name, field in COLUMNS.items()}
    return {**table, "kind": np.array(KINDS)[found["kind"]]}


def from_columns(table: Mapping[str, Array]) -> Array:
    """Return the events of such a table, EVENT[m]; KeyError for an unknown kind or column."""
    code = {name: k for k, name in enumerate(KINDS)}
    found = np.zeros(len(table["time_s"]), dtype=EVENT)
    for name, field in COLUMNS.items():
        if name != "kind":
            found[field] = table[name]
    kinds, which = np.unique(np.asarray(table["kind"], dtype=np.str_), return_inverse=True)
    found["kind"] = np.array([code[str(kind)] for kind in kinds], dtype=np.int32)[which]
    return found


def _of_kind(log: EpisodeLog, kind: str) -> Array:
    when = getattr(log, AT[kind])
    happened = when <= log.now_s
    if kind != "arrival":
        happened &= log.site >= 0
    rows = np.flatnonzero(happened)
    found = np.zeros(len(rows), dtype=EVENT)
    found["time"], found["job"], found["kind"] = when[rows], rows, KINDS.index(kind)
    found["site"] = -1 if kind == "arrival" else log.site[rows]
    found["other"] = _other(log, kind, rows)
    planned = np.where(log.source >= 0, log.input_bytes, 0.0)
    sizes = {"arrival": log.input_bytes, "placement": planned}
    found["bytes"] = sizes[kind][rows] if kind in sizes else 0.0
    return found


def _other(log: EpisodeLog, kind: str, rows: Array) -> Array | int:
    """The field `other` of events of that kind."""
    columns = {"arrival": log.origin, "placement": log.source, "cores_taken": log.cores,
            "end": log.state_code}  # fmt: skip
    return columns[kind][rows] if kind in columns else -1
