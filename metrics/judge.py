"""The judge: measures every registered metric on three tables and writes down the verdict.

Knows the order of the work; never a formula. A metric that crashes is recorded as a failure.
"""

from __future__ import annotations

import importlib.metadata
import platform
import time as clock
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from metrics import base, profile, selftest
from metrics import policy as policies
from metrics.base import Score, Study
from metrics.certificate import SCHEMA, Certificate, plain, verdict
from metrics.errors import MetricError, NotApplicable, check_seed
from metrics.tables import digest, read

Progress = Callable[[int, int, str], None]
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
    seed: int = 0,
    policy: str | Path = "default",
    quick: bool = False,
    weights_sha256: str | None = None,
    origin: str | None = None,
    progress: Progress | None = None,
) -> Certificate:
    """Judge a synthetic table against the rows it was learnt from and rows that were held out.

    Parameters
    ----------
    train, holdout, synthetic
        Tables with the same columns and dtypes. `holdout` must come from the same population as
        `train` (a random split, not a later period), and the generator must not have seen it.
    target
        The positive number whose logarithm a model predicts (efficacy). None leaves that part
        out, and a policy that gates it then fails.
    time
        The column that orders rows in time; None leaves the temporal part out.
    group
        The column that says which rows came together (a task). It is set apart: no score takes
        it for a column. None: batches are found in the order of time (`metrics.temporal`).
    loss
        The generator's own loss of the rows of a table, float64[rows] or float64[rows, k]: given,
        the white-box attack is tried, as by someone who holds the weights.
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
    progress
        Called as progress(done, total, message).

    Raises
    ------
    MetricError
        For tables, a seed or a policy that cannot be used. A metric that cannot be computed does
        not raise: it fails its part, with the reason in `Certificate.failures`.
    """
    rules = policies.load(policy)
    study = _study(
        {"train": train, "holdout": holdout, "synthetic": synthetic},
        {"target": target, "time": time, "loss": loss, "seed": check_seed(seed)},
        rules,
        group,
        quick,
    )
    hashes = _hashes(study, weights_sha256)
    left_out = {"time": "no time column was named"} if time is None else {}
    wanted = [name for name in base.names() if name not in left_out]
    scores, failures, cpu = _measure(study, wanted, rules, left_out, progress)
    origin = train.attrs.get("origin", "not stated") if origin is None else origin
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "scores": {score.id: score.as_dict() for score in scores},
        "failures": failures,
        "left_out": left_out,
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
        "provenance": {"origin": str(origin), "software": _software()},
        "privacy": _privacy(study, scores, rules),
        "profile": profile.describe(study),
        "curves": study.notes,
        "self_test": _self_test(study, rules, cpu),
        "times": {"issued": datetime.now(UTC).isoformat(timespec="seconds"), "cpu_s": cpu},
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
    return {**hashes, "weights": weights}


def _measure(
    study: Study,
    wanted: list[str],
    rules: policies.Policy,
    left_out: dict[str, str],
    progress: Progress | None,
) -> tuple[list[Score], dict[str, str], dict[str, float]]:
    scores: list[Score] = []
    failures: dict[str, str] = {}
    cpu: dict[str, float] = {}
    for done, name in enumerate(wanted):
        if progress is not None:
            progress(done, len(wanted), f"measuring {name}")
        started = clock.process_time()
        found: list[Score] = []
        try:
            found = base.load(name)(study)
            if not found:
                failures[name] = "it gave no score"
        except NotApplicable as error:
            left_out[name] = str(error)
        except MetricError as error:
            failures[name] = str(error)
        except Exception as error:  # a judge that crashes has not cleared anyone
            failures[name] = f"{type(error).__name__}: {error}"
        scores += [replace(score, margin=rules.margin(score.id)) for score in found]
        cpu[name] = round(clock.process_time() - started, 3)
    if progress is not None:
        progress(len(wanted), len(wanted), "measured")
    return scores, failures, cpu


def _self_test(study: Study, rules: policies.Policy, cpu: dict[str, float]) -> dict[str, Any]:
    started = clock.process_time()
    results = selftest.run(study, rules)
    cpu["self_test"] = round(clock.process_time() - started, 3)
    return results


def _privacy(study: Study, scores: Sequence[Score], rules: policies.Policy) -> dict[str, Any]:
    """Return the statement on privacy and the smallest copy leak that would have been found."""
    if "dcr" not in study.notes:
        return {"statement": "Privacy was not measured.", "least_copy_leak": None}
    notes = study.notes["dcr"]
    least = notes["least_copy_leak"]
    nearer = next((score.value for score in scores if score.id == "dcr_ks"), float("nan"))
    margin = rules.margin("dcr_ks")
    if notes["copy_leak_shown"]:
        word = "A leak was found: more rows are copies of training rows than chance explains."
    elif notes["ks_p"] < study.alpha:
        word = f"A trace of the training rows was found: {nearer:.1%} of the rows, net of those"
        word += " farther away, lie nearer to them than held-out rows do; the policy tolerates "
        word += "any share." if margin is None else f"{margin:.0%}."
    else:
        word = f"No leak found at this power: exact copies of {least:.2%} of the rows or more"
        word += " would have been found. This does not show that there is none."
    return {"statement": word, "least_copy_leak": least}


def _stated(rules: policies.Policy) -> dict[str, Any]:
    words = ("name", "version", "sha256", "alpha", "parts", "margins")
    return {word: getattr(rules, word) for word in words}


def _software() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in SOFTWARE:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
