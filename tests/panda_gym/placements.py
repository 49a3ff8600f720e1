"""Settings of a small environment, without any surrogate, for the tests of its interfaces."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tests.oracles.worlds import make_platform, make_stream

PLATFORM = make_platform(10, most_cores=20)
STREAM = make_stream(PLATFORM, jobs=1500)


FAILING = replace(STREAM, status=(np.arange(len(STREAM)) % 4 == 0).astype(np.int8))
"""The jobs of the tests, a quarter of them failed: the law of failures follows from these."""

ROUGH = {
    "stream": FAILING,
    "competing": 0.4,
    "failures": {"scale": 3.0},
    "retries": True,
    "outages": {"up_s": 20_000.0, "down_s": 4_000.0, "brown_s": 4_000.0},
    "limits": True,
    "network": 1,
    "storage": True,
}
"""Settings of a grid on which everything that can go wrong does."""


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
