"""Predict the run times of a trace from what its users had run before.

Tsafrir, Etsion and Feitelson, "Backfilling using system-generated predictions rather than user
runtime estimates", IEEE TPDS 18(6), 2007: a job is predicted to run as long as the last two jobs of
the same user did on average. Only jobs that had ended when the job was submitted are looked at, so
that no prediction knows the future.
"""

from __future__ import annotations

from typing import Final

import numpy as np

Array = np.ndarray

LAST: Final = 2
"""Jobs of the same user that are averaged."""
FIRST_S: Final = 3600.0
"""Prediction of a job before which no job at all had ended, s."""


def causal_run_times(submit_s: Array, run_s: Array, wait_s: Array, user: Array) -> Array:
    """Return the predicted run time of every job, float64[n], s.

    It is the mean run time of the last two jobs of the same user that ended before the submission;
    of one where there is one; else the mean of all jobs that had ended by then.

    NOTE[DIFF]: the paper takes the user's own estimate for a first job, and no prediction exceeds
    it. Many traces have none, and where they do it stands in the stream's `requested_s`.

    Args:
        submit_s: submission, float64[n].
        run_s: run time, float64[n].
        wait_s: time from submission to start, float64[n]; below 0 counts as 0.
        user: user's number, int[n].
    """
    end_s = submit_s + np.maximum(wait_s, 0.0) + run_s
    found = _mean_before(submit_s, end_s, run_s, len(run_s), FIRST_S)
    order = np.argsort(user, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(user[order])) + 1):
        found[rows] = _mean_before(submit_s[rows], end_s[rows], run_s[rows], LAST, found[rows])
    return found


def _mean_before(
    submit_s: Array, end_s: Array, run_s: Array, last: int, otherwise: Array | float
) -> Array:
    """Mean run time of the `last` jobs that ended before each submission, float64[n]."""
    order = np.argsort(end_s, kind="stable")
    total = np.concatenate([[0.0], np.cumsum(run_s[order])])
    ended = np.searchsorted(end_s[order], submit_s, side="left")
    first = np.maximum(ended - last, 0)
    mean = (total[ended] - total[first]) / np.maximum(ended - first, 1)
    return np.where(ended > 0, mean, otherwise)
