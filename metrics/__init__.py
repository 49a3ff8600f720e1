"""Metrics of synthetic tables (fidelity, efficacy, privacy, time) and their certificates."""

from __future__ import annotations

import importlib
from typing import Any

from metrics.base import METRICS, Score, Study, names
from metrics.deprecated import PUBLIC, warn
from metrics.errors import MetricError

_LAZY = {
    "Certificate": "metrics.certificate.certificate:Certificate",
    "c2st": "metrics.fidelity:c2st",
    "certify": "metrics.certificate.evaluation:certify",
    "dcr": "metrics.privacy:dcr",
    "diff_corr": "metrics.fidelity:diff_corr",
    "jsd": "metrics.fidelity:jsd",
    "mlef": "metrics.efficacy:mlef",
    "table_sha256": "metrics.tables.samples:table_sha256",
    "wd": "metrics.fidelity:wd",
    "write_report": "metrics.report:write_report",
}
"""Names that load their module when first used: {name: "module:attribute"}."""
_ROOMS = ("certificate", "efficacy", "fidelity", "privacy", "report", "tables", "temporal")
"""Packages that load when first used."""

__all__ = [
    "METRICS",
    "Certificate",
    "MetricError",
    "Score",
    "Study",
    "c2st",
    "certify",
    "dcr",
    "diff_corr",
    "jsd",
    "mlef",
    "names",
    "table_sha256",
    "wd",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name in PUBLIC:
        warn(f"metrics.{name}", PUBLIC[name].replace(":", "."))
        return _resolved(PUBLIC[name])
    if name in _ROOMS:
        return importlib.import_module(f"metrics.{name}")
    if name not in _LAZY:
        raise AttributeError(f"module 'metrics' has no attribute {name!r}")
    globals()[name] = _resolved(_LAZY[name])
    return globals()[name]


def _resolved(target: str) -> Any:
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
