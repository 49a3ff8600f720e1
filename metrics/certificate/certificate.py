"""The certificate: one JSON file of scores, policy, provenance and the verdict that follows.

The file is canonical JSON (RFC 8785) with a hash of itself and, optionally, a signature. Its
verdict is derived from its scores again when it is read, so that an altered byte is an error. NaN
is written as null and fails.

There are three verdicts: "passed"; "failed"; and "void" where the evaluation itself got a
known-answer case wrong, so that its scores mean nothing and no certificate is issued.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import rfc8785

from metrics.base import METRICS, NUMBERS, PARTS, Score
from metrics.certificate import signature as signatures
from metrics.deprecated import SCORE_FIELDS
from metrics.errors import MetricError
from metrics.files import write_whole
from metrics.statistics.equivalence import adjusted_p, graded

SCHEMA = 3
"""Version of the file's layout."""
READABLE = (2, 3)
"""Layouts that are read; in 2 the real-vs-real reference of a score was its "floor"."""
KEYS = {
    "schema",
    "verdict",
    "scores",
    "failures",
    "left_out",
    "policy",
    "sizes",
    "settings",
    "quick",
    "seed",
    "columns",
    "sha256",
    "provenance",
    "privacy",
    "profile",
    "curves",
    "self_test",
    "times",
}
"""Entries of a certificate, besides its seal and its signature."""
KINDS = ("self-test", "metric", "part", "margin")
"""What may fail beside a score, in the order in which reasons are listed."""


@dataclass(frozen=True)
class Certificate:
    """The sealed evaluation of one synthetic table.

    `document` is the file's content (plain JSON types, without the seal); the properties read it.
    """

    document: Mapping[str, Any]
    """Everything the file says."""
    signature: Mapping[str, str] | None = None
    """Algorithm, public key and signature of the document, in hex, or None."""

    @property
    def verdict(self) -> str:
        """ "passed", "failed", or "void": the evaluation got a known-answer case wrong."""
        return str(self.document["verdict"]["word"])

    @property
    def passed(self) -> bool:
        """Whether every gated part passed and every known-answer case was answered rightly."""
        return self.verdict == "passed"

    @property
    def grades(self) -> dict[str, str]:
        """Grade of each part: A, B, C, F, or "-" for a part that informs only or was left out."""
        parts = self.document["verdict"]["parts"]
        return {part: parts[part]["grade"] for part in PARTS}

    @property
    def scores(self) -> dict[str, Score]:
        """Every score by id, graded ones with the result of Holm's procedure."""
        return {score.id: score for score in _graded(self.document)}

    @property
    def adjusted_p(self) -> dict[str, float]:
        """Holm's adjusted p-value of each graded score: equivalence is shown up to alpha."""
        rules = self.document["policy"]
        return adjusted_p(_scores(self.document), rules["alpha"], rules["parts"])

    @property
    def failures(self) -> dict[str, str]:
        """Why it failed: a reason for each self-test, metric, part, margin or score that did."""
        reasons, places = self.document["verdict"]["reasons"], self._places
        return {id: reasons[id] for id in sorted(reasons, key=lambda id: (places(id), id))}

    def _places(self, id: str) -> int:
        """Return where a reason stands: what makes all others worthless first, scores by part."""
        if id in self.document["scores"]:
            return len(KINDS) + PARTS.index(self.document["scores"][id]["part"])
        return next(i for i, kind in enumerate(KINDS) if id.endswith(f"({kind})"))

    @property
    def seal(self) -> str:
        """SHA-256 of the whole document."""
        return _sha256(self.document)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the document without its times: equal for equal inputs and seeds."""
        return _sha256({key: v for key, v in self.document.items() if key != "times"})

    def signed(self, key: str | Path) -> Certificate:
        """Return the certificate with an ed25519 signature by the private key of a PEM file."""
        return Certificate(self.document, signatures.sign(_bytes(self.document), key))

    def text(self) -> str:
        """Return the file's content: canonical JSON with seal and signature."""
        extra = {} if self.signature is None else {"signature": dict(self.signature)}
        return canonical({**self.document, "seal": self.seal, **extra})

    def to_json(self, path: str | Path) -> Path:
        """Write the certificate, whole or not at all, and return the path."""
        return write_whole(path, self.text())

    @classmethod
    def from_json(cls, path: str | Path) -> Certificate:
        """Read a certificate; a damaged or altered one is a `MetricError`."""
        needed, do = f"certificate in {path}", "certify again, or restore the file"
        try:
            text = Path(path).read_text(encoding="utf-8")
            document = json.loads(text)
        except (OSError, ValueError, RecursionError) as error:
            raise MetricError(f"a {needed}", str(error), do) from error
        card = cls.from_dict(document, str(path))
        if card.text() != text:
            raise MetricError(f"an unaltered {needed}", "JSON that is not canonical", do)
        return card

    @classmethod
    def from_dict(cls, document: Any, where: str = "the document") -> Certificate:
        """Return the certificate of a parsed file, seal included, after checking it."""
        needed, do = f"an unaltered certificate in {where}", "certify again, or restore the file"
        if isinstance(document, dict) and document.get("schema", SCHEMA) not in READABLE:
            known = " and ".join(map(str, READABLE))
            came = f"layout {document['schema']!r}, this version reads {known}"
            raise MetricError(needed, came, "use the version that wrote it, or certify again")
        _check_keys(document, needed, do)
        body = {key: document[key] for key in KEYS}
        signature = document.get("signature")
        try:
            seal = _sha256(body)
        except rfc8785.CanonicalizationError as error:
            raise MetricError(needed, str(error), do) from error
        if document["seal"] != seal:
            raise MetricError(needed, "content that does not fit its seal", do)
        if signature is not None:
            signatures.check(_bytes(body), signature)
        try:
            again = verdict(body)
        except (KeyError, TypeError, AttributeError) as error:
            raise MetricError(needed, f"scores that cannot be read ({error!r})", do) from error
        if not _same_verdict(again, body["verdict"], body["schema"]):
            raise MetricError(needed, "a verdict that does not follow from its scores", do)
        return cls(body, signature)

    def summary(self) -> str:
        """Return the verdict in a few lines of plain text, failures first."""
        word = self.verdict.upper()
        grades = ", ".join(f"{part} {grade}" for part, grade in self.grades.items())
        reasons = [f"  {id}: {why}" for id, why in self.failures.items()]
        return "\n".join([f"{word} ({grades})", *reasons, self.document["privacy"]["statement"]])


def _check_keys(document: Any, needed: str, do: str) -> None:
    found = set(document) if isinstance(document, dict) else set()
    wanted = KEYS | {"seal"}
    if wanted - found or found - wanted - {"signature"}:
        missing, extra = sorted(wanted - found), sorted(found - wanted - {"signature"})
        raise MetricError(needed, f"missing {missing}, extra {extra}", do)


def canonical(document: Any) -> str:
    """Return canonical JSON (RFC 8785): equal content, equal bytes; no NaN."""
    return _bytes(document).decode("utf-8")


def _bytes(document: Any) -> bytes:
    return rfc8785.dumps(document)


def plain(value: Any) -> Any:
    """Return the value in plain JSON types; a number that is not finite becomes None."""
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(entry) for entry in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def verdict(document: Mapping[str, Any]) -> dict[str, Any]:
    """Derive the verdict from scores, failures and gates: each part by its worst gated score.

    A metric that failed fails the certificate, whether or not its part is gated; so does a gated
    part without a gated score, but for efficacy where no target was named. A known-answer case that
    was answered wrongly makes it void.
    """
    scores, gates = _graded(document), document["policy"]["parts"]
    missed = {
        f"{name} (self-test)": entry["reason"]
        for name, entry in document["self_test"].items()
        if not entry["passed"]
    }
    reasons = missed | {f"{name} (metric)": why for name, why in document["failures"].items()}
    for score in scores:
        why = _why(score, bool(gates[score.part]))
        if why:
            reasons[score.id] = why
    reasons |= _unmet(document, scores) | _leaked(document)
    parts = {}
    for part in PARTS:
        own = [s for s in scores if s.part == part]
        failed = any(_part_of(name) == part for name in document["failures"])
        failed |= f"{part} (part)" in reasons
        grade = "F" if failed else _grade(own, bool(gates[part]))
        measured = any(s.margin is not None for s in own)
        if gates[part] and not measured and not _waived(document, part):
            grade = "F"
            reasons[f"{part} (part)"] = "the policy asks for it and nothing was measured"
        parts[part] = {"grade": grade, "gates": bool(gates[part])}
    word = "void" if missed else "failed" if reasons else "passed"
    grades = {score.id: score.grade for score in scores}
    return {"word": word, "parts": parts, "grades": grades, "reasons": reasons}


def _leaked(document: Mapping[str, Any]) -> dict[str, str]:
    """Return a reason where exact copies of training rows are proven, whatever the margin."""
    found = document["curves"].get("dcr", {})
    if not (found.get("copy_leak_proven") and document["policy"]["parts"]["privacy"]):
        return {}
    words = f"{found['copies_found']} rows are exact copies of training rows"
    return {
        "privacy (part)": f"{words}, more than chance explains (p = {found['copy_leak_p']:.1g})"
    }


def _waived(document: Mapping[str, Any], part: str) -> bool:
    """Return whether the caller left a part out: efficacy, by naming no column to predict."""
    no_target = document["columns"]["target"] is None and "mlef" in document["left_out"]
    return part == METRICS["mlef"].part and no_target


def _unmet(document: Mapping[str, Any], scores: list[Score]) -> dict[str, str]:
    """Return a reason for each margin that no score has, which is a misspelt demand.

    Where a metric failed or did not apply, its scores are missing with their reason already. A
    ranking is what the user brings: a policy that demands it is not met without.
    """
    silent = {**document["failures"], **document["left_out"]}
    silent.pop("ranking", None)
    excused = [p for name in silent for p in _ids_of(name)]
    return {
        f"{id} (margin)": "the policy demands it and no score of this name was measured"
        for id in document["policy"]["margins"]
        if not any(id == score.id or fnmatchcase(score.id, id) for score in scores)
        and not any(fnmatchcase(id, pattern) for pattern in excused)
    }


def _part_of(name: str) -> str:
    """Return the part of a metric, "" for one that is no longer registered."""
    return METRICS[name].part if name in METRICS else ""


def _ids_of(name: str) -> tuple[str, ...]:
    """Return the ids of a metric's scores, as patterns."""
    return (f"{name}*", *(METRICS[name].others if name in METRICS else ()))


def _same_verdict(again: Mapping[str, Any], stated: Mapping[str, Any], layout: int) -> bool:
    """Return whether a verdict follows again; reasons of layout 2 were worded otherwise."""
    if layout == SCHEMA:
        return again == stated
    first, second = ({**v, "reasons": sorted(v["reasons"])} for v in (again, stated))
    return first == second


def _scores(document: Mapping[str, Any]) -> list[Score]:
    return [_score(id, entry) for id, entry in document["scores"].items()]


def _graded(document: Mapping[str, Any]) -> list[Score]:
    rules = document["policy"]
    return graded(_scores(document), rules["alpha"], rules["parts"])


def _grade(scores: list[Score], gated: bool) -> str:
    """Return the worst grade of a part's gated scores; an ungated part can only be F or "-"."""
    grades = [score.grade for score in scores]
    if not gated:
        return "F" if any(not score.is_finite for score in scores) else "-"
    return max((grade for grade in grades if grade != "-"), default="-")


def _why(score: Score, gated: bool) -> str:
    if not score.is_finite:
        return "no number could be computed"
    if not gated or score.passed is not False:
        return ""
    seen = f"(value {score.value:.4g}, real vs real {score.real_vs_real:.4g})"
    if score.margin is not None and score.bound <= score.margin:
        return (
            f"excess at most {score.bound:.4g} taken alone, margin {score.margin:.4g}, "
            f"but not shown among all graded scores (Holm) {seen}"
        )
    return (
        f"excess over the real-vs-real reference at most {score.bound:.4g}, "
        f"margin {score.margin:.4g} {seen}"
    )


def _score(id: str, entry: Mapping[str, Any]) -> Score:
    fields = {SCORE_FIELDS.get(key, key): value for key, value in entry.items()}
    for name in NUMBERS:
        fields[name] = math.nan if fields[name] is None else float(fields[name])
    return Score(id, **fields)


def _sha256(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(_bytes(document)).hexdigest()
