"""Say of every policy in a benchmark what it was fitted on: other streams, or this one's past.

A comparison is fair between policies that were fitted with the same data, and with rules that were
not fitted at all. Recorded streams are judged on what comes after a split by time, so that a policy
can be fitted on their past.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from panda_gym.benchmarking.policy_resolution import PolicyOrOracle
from panda_gym.environments.placement.policies.learned import Learned, read_card
from panda_gym.environments.placement.policies.tuned import Tuned
from panda_gym.environments.placement.protocol import OutsidePolicy
from panda_gym.jobs import JobStream
from panda_gym.jobs.part import StreamPart
from panda_gym.jobs.split import HALF, has_halves, is_recorded, split

NOT_FITTED: Final = "not fitted"
ZERO_SHOT: Final = "zero-shot"
UNKNOWN: Final = "unknown"
SAME: Final = "same stream"
PAST: Final = "past"
LEAK: Final = "judged jobs"

MARKS: Final[Mapping[str, str]] = {
    NOT_FITTED: "a rule without fitted numbers, zero-shot by nature",
    ZERO_SHOT: "fitted on other streams only",
    UNKNOWN: "fitted, but its file does not say on what",
    PAST: "fitted on the past of this stream: jobs before the first judged one",
    SAME: "fitted on this synthetic stream, in episodes of other seeds",
    LEAK: "fitted on recorded jobs that are judged here, or on later ones: not ranked",
}
"""Mark of a row to its meaning, from the least knowledge of the judged stream to the most."""

RECORDED: Final = "recorded"
"""Split of a benchmark: recorded streams at half of their jobs, synthetic ones not at all."""
WHOLE: Final = "whole"
"""Split of a benchmark: none."""

_REFERENCE: Final = re.compile(r"JobStream:.*:([0-9a-f]{64})(?::part-of=(.*))?")


@dataclass(frozen=True)
class _Span:
    """The stream that jobs belong to, and from when until when, s since its epoch."""

    of: str
    since_s: float = -math.inf
    until_s: float = math.inf


def judged_part(stream: JobStream, at: str | float = RECORDED) -> JobStream:
    """Return the jobs of a stream that a benchmark judges.

    Args:
        stream: the whole stream.
        at: "recorded", "whole", or a time or share as in `panda_gym.jobs.split.split`. A recorded
            stream too short for a split in halves is judged whole.

    Raises:
        StreamError: a split that leaves fewer than 1,000 jobs on a side.
    """
    if at == WHOLE or (at == RECORDED and not (is_recorded(stream) and has_halves(stream))):
        return stream
    return split(stream, HALF if at == RECORDED else at)[1]


def mark(policy: PolicyOrOracle, stream: JobStream) -> str:
    """Return what a policy was fitted on, of MARKS, seen from the judged jobs of a stream."""
    known = fitted_on(policy)
    if known is None:
        return NOT_FITTED
    found = [_relation(reference, stream) for reference in known] or [UNKNOWN]
    return max(found, key=list(MARKS).index)


def fitted_on(policy: PolicyOrOracle) -> list[str | None] | None:
    """Return the streams that a policy was fitted on, as `provenance.named` writes them.

    None in the list is a stream that is not known; None alone: the policy was not fitted.
    """
    if isinstance(policy, Tuned):
        return [policy.fit.stream]
    if isinstance(policy, Learned):
        scenario = read_card(policy.folder).get("provenance", {}).get("scenario", {})
        return list(_references(scenario)) or [None]
    return [None] if isinstance(policy, OutsidePolicy) else None


def comparable(marks: Mapping[str, str], policy: str, rules: Iterable[str]) -> list[str]:
    """Return the rules that a policy may be ranked against: fitted with the same data, or not.

    marks: mark by policy; a policy without one (in tables of 0.1) is comparable with all.
    """
    if policy not in marks:
        return [rule for rule in rules if rule != policy]
    if marks[policy] == LEAK:
        return []
    fair = {NOT_FITTED, marks[policy]}
    fair |= {ZERO_SHOT} if marks[policy] == NOT_FITTED else set()
    return [rule for rule in rules if rule != policy and marks.get(rule) in fair]


def _references(value: Any) -> Iterator[str]:
    """All streams that a JSON value names."""
    if isinstance(value, str) and _REFERENCE.fullmatch(value):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _references(one)
    elif isinstance(value, list):
        for one in value:
            yield from _references(one)


def _relation(reference: str | None, stream: JobStream) -> str:
    found = None if reference is None else _REFERENCE.fullmatch(reference)
    if found is None:
        return UNKNOWN
    fitted = _span(found[1], None if found[2] is None else StreamPart.parse(found[2]))
    judged = _span(stream.digest(), stream.part)
    if fitted.of != judged.of:
        return ZERO_SHOT
    if fitted.until_s <= judged.since_s:
        return PAST
    return LEAK if is_recorded(stream) else SAME


def _span(digest: str, part: StreamPart | None) -> _Span:
    return _Span(digest) if part is None else _Span(part.of, part.since_s, part.until_s)
