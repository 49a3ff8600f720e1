"""Concatenate streams on one clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from panda_gym.errors import StreamError
from panda_gym.jobs.fields import ARRAYS, CATEGORIES
from panda_gym.jobs.stream import JobStream


def concatenate(streams: Iterable[JobStream], *, name: str | None = None) -> JobStream:
    """Return all jobs of the streams, sorted by their recorded times; ties keep the given order.

    Streams that overlap in time are merged. Site names and levels are united; datasets of
    different streams stay different. `wall_times` holds only where it holds for all of them.

    Raises:
        StreamError: no stream at all.
    """
    parts = list(streams)
    if not parts:
        raise StreamError("at least one stream", "none", "pass the streams to put together")
    epoch = min(np.datetime64(part.epoch, "s") for part in parts)
    shift = [(np.datetime64(part.epoch, "s") - epoch).astype(np.float64) for part in parts]
    arrival = np.concatenate([p.arrival_s + s for p, s in zip(parts, shift, strict=True)])
    order = np.argsort(arrival, kind="stable")
    arrays: dict[str, Any] = {
        field: np.concatenate([getattr(part, field) for part in parts]) for field in ARRAYS
    }
    site_names, arrays["source"] = _unite([p.site_names for p in parts], [p.source for p in parts])
    levels = {}
    for key in CATEGORIES:
        codes = [getattr(part, key) for part in parts]
        levels[key], arrays[key] = _unite([part.levels[key] for part in parts], codes)
    arrays["dataset"] = np.concatenate(_apart([part.dataset for part in parts]))
    arrays["arrival_s"] = arrival
    return JobStream(
        name=name or parts[0].name,
        origin="; ".join(dict.fromkeys(part.origin for part in parts)),
        epoch=str(epoch),
        site_names=site_names,
        levels=levels,
        wall_times=all(part.wall_times for part in parts),
        **{field: values[order] for field, values in arrays.items()},
    )


def _unite(
    names: Sequence[tuple[str, ...]], codes: Sequence[np.ndarray]
) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the names in order of first use, and the codes that index them, int64; -1 stays."""
    united = tuple(dict.fromkeys(name for part in names for name in part))
    index = {name: k for k, name in enumerate(united)}
    maps = [np.array([*(index[name] for name in part), -1], dtype=np.int64) for part in names]
    return united, np.concatenate([table[code] for table, code in zip(maps, codes, strict=True)])


def _apart(datasets: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the numbers of each part, shifted beyond those of the parts before, int64."""
    sizes = [0, *np.cumsum([int(part.max()) + 1 for part in datasets[:-1]])]
    return [part.astype(np.int64) + size for part, size in zip(datasets, sizes, strict=True)]
