"""Measure a part of a certificate again and compare the numbers.

Settings, seed and margins come from the certificate, so that the policy file is not needed. The
same versions on the same processor give the same numbers. Elsewhere the last digits may
differ, and the comparison says by how much.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from metrics import base
from metrics.base import METRICS, NUMBERS, PARTS, Loss, Score, Study
from metrics.certificate import evaluation
from metrics.certificate.certificate import Certificate
from metrics.errors import MetricError
from metrics.tables.samples import digest, read

TABLES = ("train", "holdout", "synthetic")
TOLERANCE = 1e-9
"""Relative difference up to which two numbers are the same."""


@dataclass(frozen=True)
class Rerun:
    """A part of a certificate, measured again."""

    part: str
    """The part, or the metric, that was measured."""
    certified: Mapping[str, float]
    """Values by score id as the certificate states them."""
    found: Mapping[str, float]
    """Values by score id as they came out."""
    differing: tuple[str, ...]
    """Ids of scores any of whose numbers differ, or that only one side has."""
    failures: Mapping[str, str]
    """Why a metric gave no score this time, by its name."""
    changed: tuple[str, ...]
    """What the numbers may depend on and has changed: "code", "environment", or nothing."""

    @property
    def same(self) -> bool:
        """Whether there were numbers and every one came out again."""
        return bool(self.found) and not self.differing


def rerun(
    certificate: Certificate,
    train: pd.DataFrame,
    holdout: pd.DataFrame,
    synthetic: pd.DataFrame,
    part: str,
    *,
    loss: Loss | None = None,
    outcomes: Mapping[str, pd.DataFrame] | None = None,
    tolerance: float = TOLERANCE,
    threads: int | None = None,
    progress: evaluation.Progress | None = None,
) -> Rerun:
    """Measure a part of a certificate again on the tables that it was issued for.

    `part` is one of `metrics.base.PARTS` or the name of a metric; `threads` are those of the
    regressor, None for as many as the certificate says. `MetricError` if it is neither,
    or if a table is not the one that was certified.
    """
    names = _metrics(part)
    tables = {"train": train, "holdout": holdout, "synthetic": synthetic}
    study = replace(_study(certificate, tables), loss=loss, outcomes=outcomes, threads=threads)
    check_tables(certificate, {word: digest(getattr(study, word)) for word in TABLES})
    if "ranking" in names:
        _check_outcomes(certificate, outcomes)
    found = evaluation.measure(study, names, None, progress)
    mine = {score.id: score for score in found.scores}
    whole = part in PARTS
    real = {
        id: s for id, s in certificate.scores.items() if (s.part == part if whole else id in mine)
    }
    ids = sorted(mine.keys() | real.keys())
    return Rerun(
        part,
        {id: score.value for id, score in real.items()},
        {id: score.value for id, score in mine.items()},
        tuple(id for id in ids if not _same(mine.get(id), real.get(id), tolerance)),
        {**found.failures, **found.left_out},
        changed(certificate),
    )


def check_tables(certificate: Certificate, found: Mapping[str, str]) -> None:
    """Refuse tables whose SHA-256, by name, is not the one that the certificate states."""
    certified = certificate.document["sha256"]
    for word, sha256 in found.items():
        if certified[word] != sha256:
            raise MetricError(
                f"the {word} table of the certificate ({str(certified[word])[:12]}…)",
                f"another one ({sha256[:12]}…)",
                "pass the rows that were certified",
            )


def _check_outcomes(certificate: Certificate, outcomes: Mapping[str, pd.DataFrame] | None) -> None:
    """Refuse outcomes of policies other than those that the certificate ranked, or none of them."""
    certified, found = (
        certificate.document["sha256"]["outcomes"],
        evaluation.outcomes_sha256(outcomes),
    )
    if certified != found:
        words = [f"{sha256[:12]}…" if sha256 else "none" for sha256 in (certified, found)]
        needed = f"the outcomes of policies of the certificate ({words[0]})"
        raise MetricError(needed, words[1], "pass those that were ranked, or another part")


def changed(certificate: Certificate) -> tuple[str, ...]:
    """Return what differs from when the certificate was issued: "code", "environment"."""
    now = {"code": evaluation.code_sha256(), "environment": evaluation.environment_sha256()}
    certified = certificate.document["sha256"]
    return tuple(word for word, sha256 in now.items() if certified[word] != sha256)


def _metrics(part: str) -> list[str]:
    names = [name for name, metric in METRICS.items() if part in (name, metric.part)]
    if not names:
        known = ", ".join([*PARTS, *base.names()])
        raise MetricError("a part or a metric to measure again", repr(part), f"choose of {known}")
    return names


def _study(certificate: Certificate, tables: Mapping[str, pd.DataFrame]) -> Study:
    document = certificate.document
    columns = document["columns"]
    samples: Mapping[str, Any] = read(tables, columns["group"])
    return Study(
        **samples,
        target=columns["target"],
        time=columns["time"],
        seed=document["seed"],
        settings=document["settings"],
        alpha=document["policy"]["alpha"],
    )


def _same(a: Score | None, b: Score | None, tolerance: float) -> bool:
    if a is None or b is None:
        return False
    pairs = ((getattr(a, name), getattr(b, name)) for name in NUMBERS)
    return all(
        (math.isnan(x) and math.isnan(y)) or math.isclose(x, y, rel_tol=tolerance, abs_tol=1e-12)
        for x, y in pairs
    )
