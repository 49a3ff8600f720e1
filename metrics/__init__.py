"""Judging synthetic tables: fidelity, efficacy, privacy and time, and the certificate.

Knows two or three tables; never who made them, and never torch.
"""

from __future__ import annotations

import importlib
from typing import Any

from metrics.base import METRICS, Score, Study, names
from metrics.errors import MetricError

_LAZY = {
    "Certificate": "metrics.certificate:Certificate",
    "association_matrix": "metrics.association:association",
    "c2st": "metrics.detection:c2st",
    "certify": "metrics.judge:certify",
    "classification": "metrics.efficacy:classification",
    "dcr": "metrics.privacy:dcr",
    "dcr_distances": "metrics.privacy:dcr_distances",
    "diff_corr": "metrics.association:diff_corr",
    "diff_mlef": "metrics.efficacy:diff_mlef",
    "jsd": "metrics.fidelity:jsd",
    "mlef": "metrics.efficacy:mlef",
    "ranking_fidelity": "metrics.ranking:ranking_fidelity",
    "table_sha256": "metrics.tables:table_sha256",
    "time_figures": "metrics.temporal:time_figures",
    "wd": "metrics.fidelity:wd",
    "write_html": "metrics.report:write_html",
    "write_report": "metrics.report:write_report",
}
"""Names that load their module when first used: {name: "module:attribute"}."""

__all__ = ["METRICS", "MetricError", "Score", "Study", "names", *sorted(_LAZY)]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'metrics' has no attribute {name!r}")
    module, _, attribute = _LAZY[name].partition(":")
    globals()[name] = getattr(importlib.import_module(module), attribute)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted(__all__)
