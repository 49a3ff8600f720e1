"""The certificate: what was measured, on what, by which rules, and the verdict; one JSON file.

Knows scores and policies; never tables. The file is canonical (sorted keys, no spaces), carries
a hash of itself, and its verdict is derived from its scores again when it is read, so that a
changed byte is met with an error. NaN is written as null and is a fail.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metrics.base import PART_OF, PARTS, Score
from metrics.errors import MetricError

SCHEMA = 1
"""Version of the file's layout."""
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
"""Entries of a certificate, besides its seal."""
_NUMBERS = ("value", "low", "high", "floor", "bound")


@dataclass(frozen=True)
class Certificate:
    """A sealed judgement of one synthetic table.

    `document` is the file's content (plain JSON types, without the seal); the properties read it.
    """

    document: Mapping[str, Any]
    """Everything the file says."""

    @property
    def passed(self) -> bool:
        """Whether every gated part passed."""
        return bool(self.document["verdict"]["passed"])

    @property
    def grades(self) -> dict[str, str]:
        """Grade of each part: A, B, C, F, or "-" for a part that informs only or was left out."""
        parts = self.document["verdict"]["parts"]
        return {part: parts[part]["grade"] for part in PARTS}

    @property
    def scores(self) -> dict[str, Score]:
        """Every score by id."""
        return {id: _score(id, entry) for id, entry in self.document["scores"].items()}

    @property
    def failures(self) -> dict[str, str]:
        """Why it failed: a reason for each failed score, metric or self-test."""
        return dict(self.document["verdict"]["reasons"])

    @property
    def seal(self) -> str:
        """SHA-256 of the whole document."""
        return _sha256(self.document)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the document without its times: equal for equal inputs and seeds."""
        return _sha256({key: v for key, v in self.document.items() if key != "times"})

    def to_json(self, path: str | Path) -> Path:
        """Write the certificate, whole or not at all, and return the path."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = canonical({**self.document, "seal": self.seal})
        handle, aside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(aside, 0o644)
            os.replace(aside, path)
        finally:
            Path(aside).unlink(missing_ok=True)
        return path

    @classmethod
    def from_json(cls, path: str | Path) -> Certificate:
        """Read a certificate; a damaged or altered one is a `MetricError`."""
        try:
            document = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            do = "certify again, or restore the file"
            raise MetricError(f"a certificate in {path}", str(error), do) from error
        return cls.from_dict(document, str(path))

    @classmethod
    def from_dict(cls, document: Any, where: str = "the document") -> Certificate:
        """Return the certificate of a parsed file, seal included, after checking it."""
        needed, do = f"an unaltered certificate in {where}", "certify again, or restore the file"
        if not isinstance(document, dict) or set(document) != KEYS | {"seal"}:
            found = set(document) if isinstance(document, dict) else set()
            missing, extra = sorted((KEYS | {"seal"}) - found), sorted(found - KEYS - {"seal"})
            came = f"missing {missing}, extra {extra}"
            raise MetricError(needed, came, do)
        if document["schema"] != SCHEMA:
            came = f"layout {document['schema']!r}, this version reads {SCHEMA}"
            raise MetricError(needed, came, "use the version that wrote it")
        body = {key: value for key, value in document.items() if key != "seal"}
        if document["seal"] != _sha256(body):
            raise MetricError(needed, "content that does not fit its seal", do)
        try:
            again = verdict(body)
        except (KeyError, TypeError, AttributeError) as error:
            raise MetricError(needed, f"scores that cannot be read ({error!r})", do) from error
        if again != body["verdict"]:
            raise MetricError(needed, "a verdict that does not follow from its scores", do)
        return cls(body)

    def summary(self) -> str:
        """Return the verdict in a few lines of plain text, failures first."""
        word = "PASSED" if self.passed else "FAILED"
        grades = ", ".join(f"{part} {grade}" for part, grade in self.grades.items())
        reasons = [f"  {id}: {why}" for id, why in self.failures.items()]
        return "\n".join([f"{word} ({grades})", *reasons, self.document["privacy"]["statement"]])


def canonical(document: Any) -> str:
    """Return JSON with sorted keys, no spaces and no NaN: equal content, equal bytes."""
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False
    )


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
    part without a gated score, and a self-test that did not find what was planted.
    """
    scores = [_score(id, entry) for id, entry in document["scores"].items()]
    gates = document["policy"]["parts"]
    reasons = {f"{name} (metric)": why for name, why in document["failures"].items()}
    reasons |= {
        f"{name} (self-test)": entry["reason"]
        for name, entry in document["self_test"].items()
        if not entry["passed"]
    }
    parts = {}
    for part in PARTS:
        own = [s for s in scores if s.part == part]
        failed = any(PART_OF.get(name) == part for name in document["failures"])
        grade = "F" if failed else _grade(own, bool(gates[part]))
        for score in own:
            why = _why(score, bool(gates[part]))
            if why:
                reasons[score.id] = why
        if gates[part] and not any(s.margin is not None for s in own):
            grade = "F"
            reasons[f"{part} (part)"] = "the policy asks for it and nothing was measured"
        parts[part] = {"grade": grade, "gates": bool(gates[part])}
    return {"passed": not reasons, "parts": parts, "reasons": reasons}


def _grade(scores: list[Score], gated: bool) -> str:
    """Return the worst grade of a part's gated scores; an ungated part can only be F or "-"."""
    grades = [score.grade for score in scores]
    if not gated:
        return "F" if any(not _finite(score) for score in scores) else "-"
    return max((grade for grade in grades if grade != "-"), default="-")


def _why(score: Score, gated: bool) -> str:
    if not _finite(score):
        return "no number could be computed"
    if gated and score.passed is False:
        return (
            f"excess over the real-against-real floor at most {score.bound:.4g}, "
            f"margin {score.margin:.4g} (value {score.value:.4g}, floor {score.floor:.4g})"
        )
    return ""


def _finite(score: Score) -> bool:
    return all(math.isfinite(getattr(score, name)) for name in _NUMBERS)


def _score(id: str, entry: Mapping[str, Any]) -> Score:
    fields = dict(entry)
    for name in _NUMBERS:
        fields[name] = math.nan if fields[name] is None else float(fields[name])
    return Score(id, **fields)


def _sha256(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(document).encode("utf-8")).hexdigest()
