"""Certify a synthetic table: measure every registered metric and derive the verdict.

A metric that crashes is recorded as a failure.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from metrics import base
from metrics.array_cache import ArrayCache
from metrics.base import Score, Study
from metrics.certificate import policy as policies
from metrics.certificate import profile, selftest
from metrics.certificate.certificate import SCHEMA, Certificate, canonical, plain, verdict
from metrics.certificate.score_cache import Finding, ScoreCache
from metrics.errors import MetricError, NotApplicable, check_seed
from metrics.privacy import statement
from metrics.tables.samples import digest, read

Progress = Callable[[int, int, str], None]
AFRESH = ("ranking",)
"""Metrics that are measured every time: quick, and of outcomes that no other metric sees."""
SOFTWARE = ("numpy", "pandas", "scipy", "scikit-learn", "catboost", "panda-grid-gym")


def certify(
    train: pd.DataFrame,
    holdout: pd.DataFrame,
    synthetic: pd.DataFrame,
    *,
    target: str | None = "workload",
    time: str | None = "creationtime",
    group: str | None = None,
    loss: base.Loss | None = None,
    outcomes: Mapping[str, pd.DataFrame] | None = None,
    seed: int = 0,
    policy: str | Path = "default",
    quick: bool = False,
    weights_sha256: str | None = None,
    origin: str | None = None,
    drawn: Mapping[str, Any] | None = None,
    work: str | Path | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Certificate:
    """Evaluate a synthetic table against the rows it was learnt from and rows that were held out.

    Parameters
    ----------
    train, holdout, synthetic
        Tables with the same columns and dtypes. `holdout` must come from the same population as
        `train` (a random split, not a later period), and the generator must not have seen it.
    target
        The positive number whose logarithm a model predicts (efficacy). None leaves that part
        out: it has no grade and is listed among what was left out.
    time
        The column that orders rows in time; None leaves the temporal part out.
    group
        The column that says which rows came together (a task). It is set apart: no score takes
        it for a column. None: batches are found in the order of time (`metrics.temporal`).
    loss
        The generator's own loss of the rows of a table, float64[rows] or float64[rows, k]: given,
        the white-box attack is tried, as by someone who holds the weights.
    outcomes
        Two tables, "real" and "synthetic", of what policies (rows) achieved on worlds (columns),
        lower being better: given, the agreement of both rankings is scored.
    seed
        Seed of every draw: same tables and seed, same certificate, in whatever order the rows.
    policy
        Name of a policy of the package, or path of a TOML file.
    quick
        Subsample as the policy's [quick] table says; the certificate says so too.
    weights_sha256
        Hash of the generator's weights, to bind the certificate to them.
    origin
        A sentence on where the training rows come from; by default `train.attrs["origin"]`.
    drawn
        How the tables were split and drawn, in plain JSON types; recorded as it is, so that someone
        else can repeat it.
    work
        A folder in which each metric and each fit of a model that is done is kept: a run that was
        killed goes on where it stopped, with the same result. Certificates of several synthetic
        tables beside the same real ones share the fits on real rows there.
    threads
        Threads of the regressor, whose fits are most of the time; they change no number. None:
        as many as the policy says.
    progress
        Called as progress(done, total, message).

    Raises
    ------
    MetricError
        For tables, a seed or a policy that cannot be used. A metric that cannot be computed does
        not raise: it fails its part, with the reason in `Certificate.failures`.
    """
    rules = policies.load(policy)
    target, time, group = (None if n is None else str(n) for n in (target, time, group))
    study = _study(
        {"train": train, "holdout": holdout, "synthetic": synthetic},
        {
            "target": target,
            "time": time,
            "loss": loss,
            "outcomes": outcomes,
            "seed": check_seed(seed),
        },
        rules,
        group,
        quick,
    )
    hashes = _hashes(study, weights_sha256)
    study = replace(study, cache=_array_cache(work), threads=_checked(threads))
    if progress is not None:
        progress(0, len(base.names()), "self-test: known-answer cases")
    self_test, spent = _self_test(study, rules)
    wanted = [name for name in base.names() if time is not None or name != "time"]
    found = measure(study, wanted, _score_cache(work, study, hashes), progress)
    if time is None:
        found.left_out["time"] = "no time column was named"
    scores = [replace(score, margin=rules.margin(score.id)) for score in found.scores]
    origin = train.attrs.get("origin", "not stated") if origin is None else origin
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "scores": {score.id: score.as_dict() for score in scores},
        "failures": found.failures,
        "left_out": found.left_out,
        "policy": _stated(rules),
        "settings": dict(study.settings),
        "quick": bool(quick),
        "seed": study.seed,
        "sizes": {w: len(getattr(study, w)) for w in ("train", "holdout", "synthetic")},
        "columns": {
            "order": study.train.schema.order,
            "target": target,
            "time": time,
            "group": group,
        },
        "sha256": hashes,
        "provenance": {"origin": str(origin), "drawn": drawn, "software": software()},
        "privacy": statement.privacy(scores, study.notes, study.alpha),
        "profile": profile.describe(study),
        "curves": study.notes,
        "self_test": self_test,
        "times": {
            "issued": datetime.now(UTC).isoformat(timespec="seconds"),
            "cpu_s": {**found.cpu_s, "self_test": spent},
        },
    }
    document = plain(document)
    document["verdict"] = verdict(document)
    return Certificate(document)


def _study(
    tables: Mapping[str, pd.DataFrame],
    asked: Mapping[str, Any],
    rules: policies.Policy,
    group: str | None,
    quick: bool,
) -> Study:
    samples: Mapping[str, Any] = read(tables, group)
    settings = {**rules.settings, **(rules.quick if quick else {})}
    return Study(**samples, **asked, settings=settings, alpha=rules.alpha)


def _hashes(study: Study, weights: str | None) -> dict[str, str | None]:
    hashes: dict[str, str | None] = {
        word: digest(getattr(study, word)) for word in ("train", "holdout", "synthetic")
    }
    if hashes["train"] == hashes["holdout"]:
        raise MetricError(
            "held-out rows that the generator did not see",
            "a holdout equal to train",
            "split the real table before fitting",
        )
    return {
        **hashes,
        "weights": weights,
        "code": code_sha256(),
        "environment": environment_sha256(),
        "outcomes": outcomes_sha256(study.outcomes),
    }


def outcomes_sha256(outcomes: Mapping[str, pd.DataFrame] | None) -> str | None:
    """Return the SHA-256 of the outcomes of policies as they were given, or None."""
    if outcomes is None:
        return None
    if not all(isinstance(table, pd.DataFrame) for table in outcomes.values()):
        came = ", ".join(type(table).__name__ for table in outcomes.values())
        raise MetricError("outcomes as pandas DataFrames", came, "a row a policy, a column a world")
    tables = {str(word): table.to_csv() for word, table in sorted(outcomes.items())}
    return hashlib.sha256(canonical(tables).encode()).hexdigest()


@dataclass(frozen=True)
class Findings:
    """What the metrics found on one study."""

    scores: list[Score] = field(default_factory=list)
    """Every score, in the order of the registry, without margins."""
    failures: dict[str, str] = field(default_factory=dict)
    """Why a metric gave none, by its name."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Why a metric does not apply, by its name."""
    cpu_s: dict[str, float] = field(default_factory=dict)
    """CPU seconds of each metric."""


def measure(
    study: Study, wanted: Sequence[str], cache: ScoreCache | None, progress: Progress | None
) -> Findings:
    """Measure the named metrics on a study, leaving their curves in its notes."""
    findings = Findings()
    for done, name in enumerate(wanted):
        report = _reporter(progress, done, len(wanted), name)
        if report is not None:
            report("")
        keeping = None if name in AFRESH else cache
        one = None if keeping is None else keeping.read(name)
        if one is None:
            one = _measure_one(replace(study, report=report), name)
            if keeping is not None and name not in one.failures:
                keeping.write(name, one)
        for word, note in one.notes.items():  # several metrics may add to one note
            study.notes[word] = {**study.notes.get(word, {}), **note}
        findings.scores.extend(one.scores)
        findings.failures.update(one.failures)
        findings.left_out.update(one.left_out)
        findings.cpu_s[name] = one.cpu_s
    if progress is not None:
        progress(len(wanted), len(wanted), "measured")
    return findings


def _reporter(
    progress: Progress | None, done: int, total: int, name: str
) -> Callable[[str], None] | None:
    """Return what a metric calls to report its progress, or None without a `progress`."""
    if progress is None:
        return None
    return lambda words: progress(done, total, f"measuring {name}{words and ': '}{words}")


def _measure_one(study: Study, name: str) -> Finding:
    """Measure one metric; whatever it raises is written down."""
    own = replace(study, notes={})
    scores: list[Score] = []
    failures: dict[str, str] = {}
    left_out: dict[str, str] = {}
    started = _cpu_s()
    try:
        scores = base.load(name)(own)
        if not scores:
            failures[name] = "it gave no score"
    except NotApplicable as error:
        left_out[name] = str(error)
    except MetricError as error:
        failures[name] = str(error)
    except Exception as error:  # a crash clears nobody
        failures[name] = f"{type(error).__name__}: {error}"
    spent = round(_cpu_s() - started, 3)
    return Finding(scores, failures, left_out, plain(own.notes), spent)


def _cpu_s() -> float:
    """Return the CPU seconds of this process and of those that it has waited for."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _score_cache(
    work: str | Path | None, study: Study, hashes: Mapping[str, Any]
) -> ScoreCache | None:
    if work is None:
        return None
    asked = {"target": study.target, "time": study.time, "seed": study.seed, "alpha": study.alpha}
    asked |= {"loss": study.loss is not None, "outcomes": None}
    return ScoreCache.of(work, plain({**hashes, **asked, **study.settings}))


def _checked(threads: int | None) -> int | None:
    """Return the number of threads; refuse all but a positive whole number or None."""
    if threads is None or (type(threads) is int and threads > 0):
        return threads
    raise MetricError("a positive number of threads, or None", repr(threads), "pass for example 2")


def _array_cache(work: str | Path | None) -> ArrayCache:
    """Return the cache of arrays that this code makes in this environment."""
    if work is None:
        return ArrayCache()
    makers = f"{code_sha256()} {environment_sha256()}"
    return ArrayCache(Path(work) / f"arrays-{hashlib.sha256(makers.encode()).hexdigest()[:16]}")


def _self_test(study: Study, rules: policies.Policy) -> tuple[dict[str, Any], float]:
    """Return the results of the known-answer cases, and the CPU seconds of it."""
    started = _cpu_s()
    return selftest.run(study, rules), round(_cpu_s() - started, 3)


def _stated(rules: policies.Policy) -> dict[str, Any]:
    words = ("name", "version", "sha256", "alpha", "parts", "margins")
    return {word: getattr(rules, word) for word in words}


def software() -> dict[str, str]:
    """Return the versions of what scores depend on."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in SOFTWARE:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


@cache
def code_sha256() -> str:
    """Return the SHA-256 of the package's sources, by name and content."""
    folder = Path(__file__).parents[1]
    sha = hashlib.sha256()
    for path in sorted(folder.rglob("*.py"), key=lambda p: p.relative_to(folder).as_posix()):
        file = hashlib.sha256(path.read_bytes()).hexdigest()
        sha.update(f"{path.relative_to(folder).as_posix()} {file}\n".encode())
    return sha.hexdigest()


def environment_sha256() -> str:
    """Return the SHA-256 of the versions of what scores depend on."""
    return hashlib.sha256(canonical(software()).encode()).hexdigest()
