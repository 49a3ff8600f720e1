"""Efficacy of synthetic rows: models trained on them, and rankings of policies."""

from __future__ import annotations

from metrics.efficacy.models import classification, diff_mlef, mlef
from metrics.efficacy.ranking import ranking_fidelity

__all__ = [
    "classification",
    "diff_mlef",
    "mlef",
    "ranking_fidelity",
]
