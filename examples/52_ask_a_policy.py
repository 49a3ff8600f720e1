"""Ask a policy of ours from another program: a simulator, a broker, anything that speaks JSON.

The client needs the standard library alone. It starts `panda-grid serve`, describes the sites and a
job in natural units, and reads the number of the site. `--socket PATH` serves on a local socket.

    python examples/52_ask_a_policy.py --policy tuned
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

SERVE = "from panda_gym.cli.app import main; main()"
"""What the command `panda-grid` runs."""

JOB = {"cores": 8, "workload_pred": 400_000.0, "input_bytes": 5e9, "input_files": 3}
GRID = {
    "counter_age": 120.0, "free_share": 0.1, "queued_share": 0.4, "progress": 0.5,
    "hour_sin": 0.0, "hour_cos": 1.0, "week_sin": 0.0, "week_cos": 1.0,
}  # fmt: skip
SITES = {
    "cores": [4000, 1200, 300], "power": [10.0, 12.5, 17.0], "free_cores": [0, 50, 8],
    "running": [480, 140, 36], "activated": [90, 0, 0], "assigned": [20, 3, 1],
    "queued_work": [2e6, 1e4, 5e3], "wait": [1800.0, 30.0, 60.0], "transfer": [0.0, 240.0, 900.0],
    "run": [5000.0, 4000.0, 2900.0], "local_share": [1.0, 0.0, 0.0], "closeness": [0, 3, 7],
    "disk_free": [800.0, 200.0, 40.0], "failure_rate": [0.02, 0.01, 0.3], "online": [1, 1, 1],
}  # fmt: skip
"""One list a feature, one number a site, in the order in which replies count them."""


def main() -> None:
    """Ask for one decision and print it."""
    parser = argparse.ArgumentParser(description="Ask a policy for the site of a job.")
    parser.add_argument("--policy", default="earliest_completion", help="name or agent's folder")
    policy = parser.parse_args().policy
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, "serve", "--policy", policy],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        request = {"type": "decide", "id": 0, "job": JOB, "grid": GRID, "sites": SITES}
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        reply = json.loads(server.stdout.readline())
        server.stdin.close()
    print(f"{policy}: site {reply['action']}" if "action" in reply else reply["error"])


if __name__ == "__main__":
    main()
