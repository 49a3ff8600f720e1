"""Compute the weight that PanDA gives a site for a production job.

After panda-server's production job broker and panda-docs (August 2026), for each candidate site:

    manyAssigned = clip((nAssigned + 1) / (nActivated + 1), 1, 2)
    W = (nRunning + 1) / (nActivated + nStarting + nDefined + 10)               input is here
    W = (nRunning + 1) / (nActivated + nAssigned + nStarting + nDefined + 10)
        / manyAssigned                                                          input must move
    W *= (totalSize + localSize) / totalSize / (nFilesToMove / 100 + 1)
    W *= networkWeight = (queuedWeight + throughputWeight) / 2                  input must move
    skipped if nActivated + nStarting (+ nAssigned if input must move) > max(20, 2 nRunning),
            or by a filter (see `brokerage_filters`)

with nRunning = max(running, min(nWorkers, 20) where running < 20, numSlots / coreCount).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.brokerage_filters import (
    BAD_SHARE,
    MOST_TRANSFERRING,
    filtered,
)

QUEUE_OFFSET: Final = 10.0
"""Jobs added to every queue, so that small queues do not decide."""

FEW_RUNNING: Final = 20.0
"""Below this many running jobs, workers that are ready count as running."""

CLOSENESS_FAR: Final = 11.0
"""MAXcl: the farthest closeness; the nearest, MINcl, is 0."""


def production_weight(
    view: PlacementView,
    constant_scale: float = 1.0,
    bad_share: float = BAD_SHARE,
    most_transferring: float = MOST_TRANSFERRING,
) -> np.ndarray:
    """Return W of every site, float64[E, S]; 0 for a skipped site unless all legal are skipped.

    Counts are divided by `constant_scale`, so that on a platform of that scale the absolute
    constants mean what they mean at full size.

    NOTE[DIFF] terms that an observation does not hold:
    nStarting, nDefined: 0, a job here starts and is defined in no time of its own.
    nWorkers: pilots that wait are not counted; cores that stand free, in jobs of this size, are
        what such pilots would hold, so nWorkers = running + free cores / job cores.
    numSlots: only sites with standby slots have it; none here.
    queuedWeight: files queued on a link are not seen; 1, its value where nothing is measured.
    A job whose every site is skipped would pend for an hour; here it must be placed, so the
    skipped sites that no filter leaves out compete with their weights.
    """
    running, activated, assigned = _counts(view, constant_scale)
    moves = view.site("local_share") < 1.0
    moves &= view.job("input_bytes") > 0.0
    many_assigned = np.clip((assigned + 1.0) / (activated + 1.0), 1.0, 2.0)
    queue = activated + np.where(moves, assigned, 0.0)
    weight = (running + 1.0) / (queue + QUEUE_OFFSET) / np.where(moves, many_assigned, 1.0)
    weight = weight * data_factor(view) * np.where(moves, network_weight(view), 1.0)
    out = filtered(view, bad_share, most_transferring, constant_scale)
    skipped = queue > np.maximum(FEW_RUNNING, 2.0 * running)
    open_somewhere = (view.mask & ~out & ~skipped).any(axis=1, keepdims=True)
    return np.where(out | (skipped & open_somewhere), 0.0, weight)


def _counts(view: PlacementView, scale: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """nRunning, nActivated and nAssigned in units of `scale` jobs."""
    real = view.site("running") / scale
    workers = real + view.site("free_cores") / np.maximum(view.job("cores"), 1.0) / scale
    ready = np.where(real < FEW_RUNNING, np.minimum(workers, FEW_RUNNING), 0.0)
    running = np.maximum(real, ready)
    return running, view.site("activated") / scale, view.site("assigned") / scale


def data_factor(view: PlacementView) -> np.ndarray:
    """(totalSize + localSize) / totalSize / (nFilesToMove / 100 + 1); 1 without input."""
    local = view.site("local_share")
    files_to_move = view.job("input_files") * (1.0 - local)
    factor = (1.0 + local) / (files_to_move / 100.0 + 1.0)
    return np.where(view.job("input_bytes") > 0.0, factor, 1.0)


def network_weight(view: PlacementView) -> np.ndarray:
    """Half of queuedWeight (1) + throughputWeight, 1 + (MAXcl - closeness) / (MAXcl - MINcl)."""
    throughput = 1.0 + (CLOSENESS_FAR - view.site("closeness")) / CLOSENESS_FAR
    return 0.5 * (1.0 + throughput)
