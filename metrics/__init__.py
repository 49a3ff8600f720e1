"""Judging synthetic tables: fidelity, efficacy, privacy and time, and the certificate.

Knows two or three tables; never who made them, and never torch.
"""

from __future__ import annotations

import importlib
from typing import Any

from metrics.base import METRICS, Score, Study, names
from metrics.errors import MetricError

_LAZY = {
    "Certificate": "metrics.certificate.certificate:Certificate",
    "association_matrix": "metrics.fidelity.association:association",
    "c2st": "metrics.fidelity.detection:c2st",
    "certify": "metrics.certificate.evaluation:certify",
    "classification": "metrics.efficacy.models:classification",
    "dcr": "metrics.privacy.distances:dcr",
    "dcr_distances": "metrics.privacy.distances:dcr_distances",
    "diff_corr": "metrics.fidelity.association:diff_corr",
    "diff_mlef": "metrics.efficacy.models:diff_mlef",
    "jsd": "metrics.fidelity.columns:jsd",
    "mlef": "metrics.efficacy.models:mlef",
    "ranking_fidelity": "metrics.efficacy.ranking:ranking_fidelity",
    "table_sha256": "metrics.tables.samples:table_sha256",
    "time_figures": "metrics.temporal:time_figures",
    "wd": "metrics.fidelity.columns:wd",
    "write_html": "metrics.report.html:write_html",
    "write_report": "metrics.report.html:write_report",
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
