"""Leave out the sites that PanDA's brokerage filters before it weighs the others.

After panda-server's job brokers and panda-docs (August 2026). Of the filters there, cores, site
status and wall time are the action mask's. Two more can be known from an observation:

    recent failures   nFailed + nClosed >= max(2 nFinished, MIN_BAD_JOBS)
    transferring      nTransferring > max(2000, 2 nRunning)

NOTE[DIFF]: an observation holds the recent share of failures, not the counts, so the first one is
share >= 2/3, without MIN_BAD_JOBS. Outputs do not move here, so jobs whose input is on its way
(assigned) stand for those in transfer. Memory, scratch disk and pilots seen lately are not
modelled. Where every site is left out PanDA lets the job pend; here all of them compete.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.settings import at_least

BAD_SHARE: Final = 2.0 / 3.0
"""Share of recent failures from which a site is left out: two failed for one finished."""
MOST_TRANSFERRING: Final = 2000.0
"""Jobs in transfer above which a site is left out unless twice its running jobs are more."""


def filtered(
    view: PlacementView, bad_share: float, most_transferring: float, constant_scale: float
) -> np.ndarray:
    """Return which legal sites the filters leave out, bool[E, S]; none where it would be all.

    bad_share: share of recent failures from which a site is left out; above 1 none is.
    most_transferring: 2000 in PanDA; infinite for no such filter.
    constant_scale: counts are divided by it, as in `production_weight`.
    """
    moving, running = view.site("assigned"), view.site("running")
    limit = np.maximum(most_transferring * constant_scale, 2.0 * running)
    out = view.mask & ((view.site("failure_rate") >= bad_share - 1e-6) | (moving > limit))
    return out & (view.mask & ~out).any(axis=1, keepdims=True)


def check_filters(bad_share: float, most_transferring: float) -> None:
    """PolicyError unless both limits are numbers of at least 0; both may be infinite."""
    for name, value in (("bad_share", bad_share), ("most_transferring", most_transferring)):
        if value != float("inf"):
            at_least(name, value, 0.0)
