"""Run time and compile time of the linked and the plain mode, in one run.

    python -m tests.bench.jit [--rounds 3]

Both modes compile the simulator's kernel from nothing, in a process each with an empty cache.
Then processes of both take turns. The figures are CPU seconds and decisions per CPU second,
medians over the rounds; ratios are plain to linked within a round, so that they hold on a machine
that others use. "default" and "atlas" are the scenarios' mechanisms on 150 random sites; "all on"
switches every mechanism on.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from statistics import median

from panda_gym.simulator import Settings

MODES = ("linked", "plain")
BATCHES = (64, 256)


def settings_by_name() -> dict[str, Settings]:
    """The settings of the simulator that are measured."""
    from panda_gym.environments.placement.scenario import Scenario
    from tests.bench.simulator import ALL_ON

    return {
        "default": Scenario.of(scenario="default").settings(),
        "atlas": Scenario.of(scenario="atlas").settings(),
        "all on": ALL_ON,
    }


def measure(decisions: int) -> dict[str, float]:
    """CPU seconds of the first episode, and decisions per CPU second, in this process.

    decisions: of each grid; 0: the first episode alone.
    """
    from tests.bench.simulator import kernel

    begin = time.process_time()
    kernel(4, 1, 10)
    found = {"compile": time.process_time() - begin}
    for name, rules in settings_by_name().items() if decisions else ():
        for batch in BATCHES:
            found[f"{name}, batch {batch}"] = kernel(150, batch, decisions, rules)
    return found


def run_mode(mode: str, cache: str, decisions: int) -> dict[str, float]:
    """The same in a process of its own in a mode."""
    call = f"json.dumps(measure({decisions}))"
    code = f"import json; from tests.bench.jit import measure; print({call})"
    environment = {**os.environ, "PANDA_GRID_JIT": mode, "NUMBA_CACHE_DIR": f"{cache}/{mode}"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Print one line for the compile time and one for each setting and batch."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--decisions", type=int, default=400)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        cold = {mode: run_mode(mode, cache, 0)["compile"] for mode in MODES}
        rounds = [
            {mode: run_mode(mode, cache, asked.decisions) for mode in MODES}
            for _ in range(asked.rounds)
        ]
    print(f"{'':22}{'linked':>12}{'plain':>12}{'plain / linked':>16}")
    ratio = cold["plain"] / cold["linked"]
    print(f"{'compile, CPU s':22}{cold['linked']:12.1f}{cold['plain']:12.1f}{ratio:16.2f}")
    for name in rounds[0]["linked"]:
        if name != "compile":
            linked, plain = (median(one[mode][name] for one in rounds) for mode in MODES)
            ratio = median(one["plain"][name] / one["linked"][name] for one in rounds)
            print(f"{name:22}{linked:12,.0f}{plain:12,.0f}{ratio:16.2f}")


if __name__ == "__main__":
    main()
