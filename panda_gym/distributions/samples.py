"""What a law can be fitted to; knows numbers, no law."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from panda_gym.errors import LawError

Array = np.ndarray

LEAST: Final = 20
"""Fewest samples that a law is fitted to."""


def usable(samples: Any, what: str, least: int = LEAST) -> Array:
    """The samples as float64[n] above 0; LawError if they are too few, constant or not positive."""
    try:
        values = np.asarray(samples, dtype=np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise LawError(f"numbers as {what}", str(error), "convert them") from None
    if len(values) < least:
        raise LawError(f"at least {least} samples of {what}", f"{len(values)}", "collect more")
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0])
        raise LawError(f"finite {what}", f"{values[row]} in sample {row}", "drop such samples")
    if values.min() <= 0.0:
        row = int(np.argmin(values))
        came = f"{values[row]:g} in sample {row}"
        raise LawError(f"{what} above 0", came, "drop them, or fit what is above 0")
    if values.min() == values.max():
        raise LawError(f"{what} that vary", f"{len(values)} times {values[0]:g}", "use Constant")
    return values


def rising(times: Any, least: int = LEAST + 1) -> Array:
    """Arrival times as sorted float64[n], s; times in whole seconds are spread within them.

    A log that rounds to seconds has many gaps of 0, which no continuous law has. Each time is
    moved by a low-discrepancy fraction of a second, the same in every call.
    """
    try:
        values = np.sort(np.asarray(times, dtype=np.float64).ravel())
    except (TypeError, ValueError) as error:
        raise LawError("numbers as arrival times", str(error), "convert them to s") from None
    if len(values) < least:
        raise LawError(f"at least {least} arrivals", f"{len(values)}", "take a longer trace")
    if not np.isfinite(values).all():
        raise LawError("finite arrival times", "NaN or infinity", "drop such jobs")
    if values[0] == values[-1]:
        raise LawError("arrivals spread in time", "all at once", "take a longer trace")
    if (values == np.rint(values)).all():
        golden = 0.6180339887498949
        values = np.sort(values + (np.arange(len(values)) * golden) % 1.0)
    return values
