"""Run times of a job at a site: predicted, true, requested, and as reservations count them."""

from __future__ import annotations

import math
from typing import Any

from panda_gym.jit.compiled import inline, no_inline


@inline
def predicted_run(w: Any, e: int, s: int, j: int) -> float:
    """Predicted run time of job j at site s, s."""
    job = w.jobs[e, j]
    return job["workload_pred"] / (job["cores"] * w.site_static[s]["speed"])


@inline
def true_run(w: Any, e: int, s: int, j: int) -> float:
    """True run time of job j at site s with its noise, s; without failures and limits."""
    job = w.jobs[e, j]
    return job["workload_true"] / (job["cores"] * w.site_static[s]["speed"]) * job["noise"]


@no_inline
def requested_run(w: Any, e: int, s: int, j: int) -> float:
    """Requested wall time of job j at site s, s, its pilot left out; inf: it requests none.

    A requested time of the stream holds at every site; `requested_factor` goes with the
    predicted run time at the site. Needs `World.requests`, see `RULES.requests`.
    """
    given, factor = w.requests[e, j]["wall"], w.rules[0]["requested_factor"]
    if given > 0.0:
        return given
    return factor * predicted_run(w, e, s, j) if factor > 0.0 else math.inf


@inline
def estimated_run(w: Any, e: int, s: int, j: int) -> float:
    """Run time of job j at site s that reservations count, s: requested if given, else predicted.

    Needs `World.requests`.
    """
    requested = requested_run(w, e, s, j)
    return requested if requested < math.inf else predicted_run(w, e, s, j)
