"""A policy of your own in the benchmark: as a file with one function, and as a process.

    panda-grid benchmark --policy tuned --policy file:examples/51_submit_a_policy.py
    panda-grid benchmark --policy tuned --policy "process:python examples/51_submit_a_policy.py -a"

The process needs the standard library alone, so it can be rewritten in any language. It reads one
JSON object a line and writes one for each request:

    {"type": "decide", "id": 3, "job": {...}, "grid": {...}, "sites": {...}, "mask": [...]}
    {"id": 3, "action": 17}
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any


def act(observation: Mapping[str, Any]) -> int:
    """Return the legal site where the job is expected to end first."""
    sites, mask = observation["sites"], observation["mask"]
    ends = [
        wait + transfer + run
        for wait, transfer, run in zip(sites["wait"], sites["transfer"], sites["run"], strict=True)
    ]
    return min((site for site, legal in enumerate(mask) if legal), key=ends.__getitem__)


def answer() -> None:
    """Answer requests until the input ends; messages of other types need no reply."""
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "decide":
            print(json.dumps({"id": message["id"], "action": act(message)}), flush=True)


def main() -> None:
    """Benchmark the function and the process on a small grid."""
    from panda_gym import benchmark

    table = benchmark(
        {
            "my file": f"file:{__file__}",
            "my process": f"process:{sys.executable} {__file__} -a",
            "random": "random",
        },
        seeds=range(2),
        platform="small15",
        jobs=50,
    )
    print(table.to_markdown(["geometric_slowdown", "mean_turnaround"]))


if __name__ == "__main__":
    answer() if "-a" in sys.argv else main()
