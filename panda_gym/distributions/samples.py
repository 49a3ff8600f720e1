"""Checks of the samples and arrival times to which distributions are fitted."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from panda_gym.errors import DistributionError

Array = np.ndarray

LEAST: Final = 20
"""Fewest samples that a distribution is fitted to."""


def usable(samples: Any, what: str, least: int = LEAST) -> Array:
    """Return the samples as float64[n] above 0.

    Raises DistributionError if they are fewer than `least`, constant, not finite or not positive.
    """
    try:
        values = np.asarray(samples, dtype=np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise DistributionError(f"numbers as {what}", str(error), "convert them") from None
    if len(values) < least:
        raise DistributionError(
            f"at least {least} samples of {what}", f"{len(values)}", "collect more"
        )
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0])
        raise DistributionError(
            f"finite {what}", f"{values[row]} in sample {row}", "drop such samples"
        )
    if values.min() <= 0.0:
        row = int(np.argmin(values))
        came = f"{values[row]:g} in sample {row}"
        raise DistributionError(f"{what} above 0", came, "drop them, or fit what is above 0")
    if values.min() == values.max():
        raise DistributionError(
            f"{what} that vary", f"{len(values)} times {values[0]:g}", "use Constant"
        )
    return values


def rising(times: Any, least: int = LEAST + 1) -> Array:
    """Return arrival times as sorted float64[n], s; times in whole seconds are spread within them.

    A log that rounds to seconds has many gaps of 0, which no continuous distribution has. Each
    time is moved by a low-discrepancy fraction of a second, the same in every call.
    """
    try:
        values = np.sort(np.asarray(times, dtype=np.float64).ravel())
    except (TypeError, ValueError) as error:
        raise DistributionError(
            "numbers as arrival times", str(error), "convert them to s"
        ) from None
    if len(values) < least:
        raise DistributionError(
            f"at least {least} arrivals", f"{len(values)}", "take a longer trace"
        )
    if not np.isfinite(values).all():
        raise DistributionError("finite arrival times", "NaN or infinity", "drop such jobs")
    if values[0] == values[-1]:
        raise DistributionError("arrivals spread in time", "all at once", "take a longer trace")
    if (values == np.rint(values)).all():
        golden = 0.6180339887498949
        values = np.sort(values + (np.arange(len(values)) * golden) % 1.0)
    return values
