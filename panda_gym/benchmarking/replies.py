"""Replies of outside policies: how many decisions the fallback took, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from panda_gym.benchmarking.render import TextTable
from panda_gym.environments.placement.protocol import FATES
from panda_gym.environments.placement.protocol.outside import PREFIX

Values = Iterable[Mapping[str, float]]
"""Values of the episodes of one policy."""

MARK: Final = "†"
"""Stands behind a policy of which the fallback took a decision."""
NOTE: Final = f"{MARK} part of its decisions were taken by the fallback, a random legal site"


def reply_counts(values: Values) -> dict[str, int]:
    """Return decisions and late, illegal and dead replies of all episodes; empty for our own."""
    episodes = [one for one in values if PREFIX + "decisions" in one]
    if not episodes:
        return {}
    return {
        name: round(sum(one[PREFIX + name] for one in episodes)) for name in ("decisions", *FATES)
    }


def by_fallback(values: Values) -> int:
    """Return how many decisions of a policy the fallback took."""
    found = reply_counts(values)
    return sum(found.get(fate, 0) for fate in FATES)


def reply_table(stream: str, by_policy: Mapping[str, Values]) -> TextTable | None:
    """Return a row for each outside policy; None if there is none."""
    counts = {policy: reply_counts(values) for policy, values in by_policy.items()}
    outside = {policy: one for policy, one in counts.items() if one}
    if not outside:
        return None
    rows = []
    for policy, one in outside.items():
        failed = sum(one[fate] for fate in FATES)
        share = f"{failed / max(1, one['decisions']):.2%}"
        rows.append([policy, f"{one['decisions']:,}", *(f"{one[f]:,}" for f in FATES), share])
    head = ["policy", "decisions", *FATES, "by fallback"]
    caption = (
        f"{stream}: replies of outside policies, all seeds. Late: after the time limit; illegal: "
        "not the number of a legal site; dead: no reply, as the process ended or the function "
        "raised. In these cases the fallback takes a random legal site."
    )
    return TextTable(caption, head, rows)
