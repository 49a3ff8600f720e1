"""What it costs to answer a request for a decision, and to write one.

    python -m tests.bench.protocol

CPU microseconds in this process, by platform, and bytes of a request. Pipes and the waiting for
the other process come on top.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from panda_gym.environments.placement import policies
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.protocol import PolicyServer, request
from panda_gym.environments.placement.protocol.messages import observed
from panda_gym.environments.placement.scenario import Scenario

TIMES = 300


def cpu_us(work: Callable[[], object]) -> float:
    """Mean CPU time of a call, microseconds."""
    work()
    begin = time.process_time()
    for _ in range(TIMES):
        work()
    return (time.process_time() - begin) / TIMES * 1e6


def main() -> None:
    """Print one line a platform."""
    print("platform   sites   bytes   answer us   write us")
    for platform in ("tiny4", "small15", "atlas150"):
        batch = PlacementBatch(Scenario.of(platform=platform, jobs=10), 1)
        batch.begin([(0, np.random.default_rng(0))])
        seen = batch.observe()
        assert isinstance(seen, dict)
        view = PlacementView(seen)
        asked = request(observed(view)[0], 0, 0, 0)
        server = PolicyServer(policies.create("earliest_completion"))
        answer = cpu_us(lambda s=server, a=asked: s.answer(a))
        write = cpu_us(lambda v=view: request(observed(v)[0], 0, 0, 0))
        sites = len(batch.platform)
        print(f"{platform:10} {sites:5} {len(asked):7,} {answer:11.0f} {write:10.0f}")


if __name__ == "__main__":
    main()
