"""Name a part of a longer stream: the digest of the whole, and from when until when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

TEXT: Final = re.compile(r"([0-9a-f]{64})\[(-?[0-9]+|-inf),(-?[0-9]+|inf)\)")
"""Text form of a part: DIGEST[since,until), times in s since the epoch."""


@dataclass(frozen=True)
class StreamPart:
    """Which part of a longer stream the jobs are; see `panda_gym.jobs.split`."""

    of: str
    """Digest of the whole stream."""
    since_s: float
    """Jobs that arrive from this time on, s since the epoch; -inf: from the first."""
    until_s: float
    """Jobs that arrive before this time; inf: to the last."""

    def __str__(self) -> str:
        return f"{self.of}[{self.since_s:.0f},{self.until_s:.0f})"

    @classmethod
    def parse(cls, text: str) -> StreamPart:
        """Return the part of a text as `str` writes it; ValueError for another text."""
        found = TEXT.fullmatch(text)
        if found is None:
            raise ValueError(f"no part of a stream: {text!r}")
        return cls(found[1], float(found[2]), float(found[3]))
