"""Monitor a sealed surrogate on new records; refit and certify it when its fidelity drops.

Performance is fidelity on new records: 2 (1 - AUC) of a classifier two-sample test, divided by the
same of two halves of the new records, so that 1 is as good as real. The triggers and the detector
are those of `panda_gym.pipelines`; a triggered run fits and certifies a new surrogate
(`panda_gym.surrogate.build`). It goes into service only if its certificate passed.

    journal.json          a line a batch: performance, reason, outcome
    version-N/            sealed surrogates that went into service
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from panda_gym.errors import PipelineError, check_seed
from panda_gym.files import sha256, whole_file
from panda_gym.pipelines.triggers import PageHinkley, Triggers
from panda_gym.records import load_records
from panda_gym.surrogate import Surrogate, build

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class BatchReport:
    """Result of monitoring one batch of new records."""

    batch: str
    """File name of the records."""
    sha256: str
    """Of the file."""
    rows: int
    """Records in it."""
    performance: float
    """Fidelity of the surrogate in service on them, 1 is as good as real."""
    staleness: float
    """1 - performance over the first performance of that surrogate."""
    reason: str
    """Trigger that asked for a refit; empty: none."""
    outcome: str
    """`kept` (no refit), `refitted` (now in service) or `rejected` (certificate failed)."""
    version: int
    """Version in service afterwards; 0 is the one that was given."""


def performance(surrogate: Surrogate, records: pd.DataFrame, seed: int = 0) -> float:
    """Fidelity on records: 2 (1 - AUC) of synthetic against real, over that of real halves."""
    from metrics import c2st

    if len(records) < 200:
        raise PipelineError("at least 200 new records", f"{len(records)}", "collect more")
    order = np.random.default_rng(check_seed(seed)).permutation(len(records))
    half = len(records) // 2
    first, second = records.iloc[order[:half]], records.iloc[order[half : 2 * half]]
    drawn = surrogate.sample(half, seed=seed)
    found, reference = (2.0 * (1.0 - max(c2st(a, first, seed=seed), 0.5)) for a in (drawn, second))
    return float(min(1.0, found / max(reference, 1e-9)))


def monitor(
    surrogate: str | Path,
    batches: Sequence[str | Path],
    folder: str | Path,
    *,
    triggers: Triggers | None = None,
    generator: str | None = None,
    config: dict[str, Any] | None = None,
    quick: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[BatchReport]:
    """BatchMeasure batches of new records one after the other; refit and certify when asked to.

    Args:
        surrogate: the sealed folder or shipped name that is in service at first.
        batches: files of records in the order of their arrival; batches that the journal
            holds are skipped, so that a run resumes after an interruption or with more files.
        triggers: staleness, improvement or page_hinkley; None: a staleness of 0.1.
        generator: what is refitted; None: what the surrogate was made with.
        config: its settings.

    Raises:
        PipelineError: a trigger that knows time or data volume alone, too few records, or other
            batches than the journal holds.
    """
    triggers = triggers or Triggers(staleness=0.1)
    _check(triggers)
    folder, reports = Path(folder), _journal(Path(folder))
    for n, path in enumerate(map(Path, batches)):
        if n < len(reports):
            _same(reports[n], path)
            continue
        service = Surrogate.open(_in_service(folder, reports, surrogate), allow_uncertified=True)
        records = load_records(path)
        seen = performance(service, records, seed)
        mine = [*_since_refit(reports), seen]
        reason = _reason(triggers, mine)
        outcome, version = "kept", reports[-1].version if reports else 0
        if reason:
            made = generator or str(service.seal.about["generator"])
            outcome = _refit(records, folder, n, version + 1, made, config, quick, seed, progress)
            version += outcome == "refitted"
        stale = max(0.0, 1.0 - seen / mine[0]) if mine[0] > 0.0 else 1.0
        reports.append(
            BatchReport(
                path.name, sha256(path), len(records), seen, stale, reason, outcome, version
            )
        )
        with whole_file(folder / "journal.json") as aside:
            aside.write_text(json.dumps([asdict(report) for report in reports], indent=1) + "\n")
    return reports


def _check(triggers: Triggers) -> None:
    wrong = [n for n in triggers.automatic if n in ("period_s", "new_data")]
    if wrong or not triggers.automatic:
        came = ", ".join(wrong) or "none"
        raise PipelineError(
            "a trigger of staleness, improvement or page_hinkley", came, "set one of them"
        )


def _reason(triggers: Triggers, seen: list[float]) -> str:
    """Name of the trigger that fires after the observations of one version; empty: none."""
    if triggers.staleness is not None and 1.0 - seen[-1] / max(seen[0], 1e-9) >= triggers.staleness:
        return "staleness"
    if triggers.improvement is not None and 1.0 - seen[-1] >= triggers.improvement:
        return "improvement"
    if triggers.page_hinkley is not None:
        detector = PageHinkley(triggers.page_hinkley, triggers.delta)
        if [detector.observe(x) for x in seen][-1]:
            return "page_hinkley"
    return ""


def _since_refit(reports: list[BatchReport]) -> list[float]:
    """Performances that the version in service has shown so far."""
    if not reports:
        return []
    begun = [i + 1 for i, report in enumerate(reports) if report.outcome == "refitted"]
    return [report.performance for report in reports[begun[-1] if begun else 0 :]]


def _refit(
    records: pd.DataFrame, folder: Path, n: int, version: int, generator: str,
    config: dict[str, Any] | None, quick: bool, seed: int, progress: Progress | None,
) -> str:  # fmt: skip
    fitted = folder / "drafts" / f"batch-{n}"
    if not (fitted / "fit.json").exists():
        build.fit(records, fitted, generator=generator, config=config, seed=seed, progress=progress)
    made = build.certify(
        fitted, records, folder / "drafts" / f"sealed-{n}", name=f"version-{version}",
        first_week_rows=min(20_000, len(records)), seed=seed, quick=quick, progress=progress,
    )  # fmt: skip
    if not made.certificate.passed:
        return "rejected"
    made.folder.rename(folder / f"version-{version}")
    return "refitted"


def _in_service(folder: Path, reports: list[BatchReport], first: str | Path) -> str | Path:
    version = reports[-1].version if reports else 0
    return folder / f"version-{version}" if version else first


def _journal(folder: Path) -> list[BatchReport]:
    path = folder / "journal.json"
    if not path.exists():
        return []
    try:
        return [BatchReport(**line) for line in json.loads(path.read_text(encoding="utf-8"))]
    except (ValueError, TypeError) as error:
        do = "move it away to begin anew"
        raise PipelineError(f"a whole {path}", str(error)[:80], do) from error


def _same(report: BatchReport, path: Path) -> None:
    if sha256(path) != report.sha256:
        raise PipelineError(
            f"{report.batch} as the journal holds it",
            f"other records in {path.name}",
            "keep the order",
        )
