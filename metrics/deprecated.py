"""Names of release 0.1 that changed: they work until release 0.3 and warn."""

from __future__ import annotations

import warnings
from typing import Final

REMOVED_IN: Final = "0.3"
"""Release in which the old names go."""
PUBLIC: Final = {
    "association_matrix": "metrics.fidelity:association_matrix",
    "classification": "metrics.efficacy:classification",
    "dcr_distances": "metrics.privacy:dcr_distances",
    "diff_mlef": "metrics.efficacy:diff_mlef",
    "ranking_fidelity": "metrics.efficacy:ranking_fidelity",
    "time_figures": "metrics.temporal:time_figures",
    "write_html": "metrics.report:write_html",
}
"""Names that stood in `metrics` and stand in a room now: {name: "module:name"}."""
SCORE_FIELDS: Final = {"floor": "real_vs_real"}
"""Old key of a number in a certificate to the new one."""


def warn(old: str, new: str, stacklevel: int = 3) -> None:
    """Warn that `old` is now `new`, and say in which release the old name goes."""
    message = f"{old} is now {new}; the old name is removed in release {REMOVED_IN}"
    warnings.warn(message, FutureWarning, stacklevel=stacklevel)
