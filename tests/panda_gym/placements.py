"""Settings of a small environment, without any surrogate, for the tests of its faces."""

from __future__ import annotations

from typing import Any

from tests.oracles.worlds import make_platform, make_stream

PLATFORM = make_platform(10, most_cores=20)
STREAM = make_stream(PLATFORM, jobs=1500)


def small(**changes: Any) -> dict[str, Any]:
    """Keywords of an environment of ten sites and 40 decisions."""
    settings = {
        "stream": STREAM,
        "platform": PLATFORM,
        "scale": 1.0,
        "jobs": 40,
        "warmup": 60,
        "running": 0,
        "load": 1.0,
    }
    return {**settings, **changes}
