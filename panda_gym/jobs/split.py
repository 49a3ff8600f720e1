"""Split a stream by time into its past, to fit on, and its future, to be judged on."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np

from panda_gym.errors import StreamError
from panda_gym.jobs.fields import ARRAYS
from panda_gym.jobs.part import StreamPart
from panda_gym.jobs.stream import JobStream

LEAST_JOBS: Final = 1000
"""Fewest jobs of a past and of a future."""
SYNTHETIC: Final = "synthetic"
"""First word of the origin of streams that a generator made."""
HALF: Final = 0.5
"""Share of the jobs that are the past of a recorded trace, unless another split is asked for."""


def split(stream: JobStream, at: str | float) -> tuple[JobStream, JobStream]:
    """Return the jobs before a time and those from it on, on the same clock.

    Args:
        stream: the whole stream.
        at: ISO time (UTC), or a share of the jobs in (0, 1): the split is at the arrival of the
            first job after that share.

    Raises:
        StreamError: no time or share, or fewer than `LEAST_JOBS` jobs on one of the sides.
    """
    time_s = split_time(stream, at)
    row = int(np.searchsorted(stream.arrival_s, time_s, side="left"))
    _check_side(stream, row, "before", time_s, "a later time")
    _check_side(stream, len(stream) - row, "from", time_s, "an earlier time")
    whole = stream.digest()
    return (
        _rows(stream, slice(0, row), StreamPart(whole, -math.inf, time_s)),
        _rows(stream, slice(row, None), StreamPart(whole, time_s, math.inf)),
    )


def split_time(stream: JobStream, at: str | float) -> float:
    """Return the time of a split on the stream's clock, s; arguments as in `split`."""
    share = _share(at)
    if share is None:
        try:
            time = np.datetime64(str(at).removesuffix("Z"), "s")
            return float((time - np.datetime64(stream.epoch, "s")).astype(np.float64))
        except ValueError:
            pass
    elif 0.0 < share < 1.0:
        return float(stream.arrival_s[min(int(share * len(stream)), len(stream) - 1)])
    needed = "an ISO time (UTC) or a share of the jobs between 0 and 1"
    raise StreamError(needed, repr(at), f"pass for example {time_text(stream, 0.5)}, or 0.5")


def time_text(stream: JobStream, at: str | float) -> str:
    """Return the time of a split as an ISO time."""
    seconds = np.timedelta64(round(split_time(stream, at)), "s")
    return str(np.datetime64(stream.epoch, "s") + seconds)


def is_recorded(stream: JobStream) -> bool:
    """Whether the jobs were recorded (or come from a table of records), not made by a surrogate."""
    return not stream.origin.startswith(SYNTHETIC)


def has_halves(stream: JobStream) -> bool:
    """Whether both halves of a stream have the `LEAST_JOBS` jobs that a split needs."""
    row = int(np.searchsorted(stream.arrival_s, split_time(stream, HALF), side="left"))
    return min(row, len(stream) - row) >= LEAST_JOBS


def _share(at: str | float) -> float | None:
    try:
        return float(at)
    except ValueError:
        return None


def _check_side(stream: JobStream, jobs: int, word: str, time_s: float, do: str) -> None:
    if jobs >= LEAST_JOBS:
        return
    when = np.datetime64(stream.epoch, "s") + np.timedelta64(round(time_s), "s")
    ends = [time_text(stream, share) for share in (1e-9, 1.0 - 1e-9)]
    needed = f"at least {LEAST_JOBS:,} jobs of stream {stream.name!r} {word} {when}"
    came = "none: it has no past to fit on" if jobs == 0 and word == "before" else f"{jobs:,}"
    raise StreamError(needed, came, f"pass {do}; its jobs arrive from {ends[0]} to {ends[1]}")


def _rows(stream: JobStream, rows: slice, part: StreamPart) -> JobStream:
    arrays = {name: getattr(stream, name)[rows] for name in ARRAYS}
    return replace(stream, part=part, **arrays)
