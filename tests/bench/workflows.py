"""Workflows: tasks and decisions per CPU second, and the analytics of 100,000 tasks.

    python -m tests.bench.workflows

spark-sched-sim, the nearest environment of graphs of tasks, was measured at 300 to 500 decisions
per CPU second.
"""

from __future__ import annotations

import json
import time
from typing import Any

import gymnasium
import numpy as np

import panda_gym  # noqa: F401  (registers the environments)
from panda_gym.workflows import Overheads, Pool, analyse, random_workflow
from panda_gym.workflows.kernel_arrays import machine_arrays, workflow_arrays
from panda_gym.workflows.list_scheduling import run_list_schedule
from panda_gym.workflows.state import make_state

PEER = 500.0


def simulation(tasks: int = 100_000) -> dict[str, float]:
    """Seconds of the analytics and tasks per CPU second of the event simulation."""
    pool = Pool("p", nodes=100, threads=168)
    flow = random_workflow("layered", 0, tasks=tasks, layers=200, kinds=8)
    begin = time.process_time()
    analyse(flow, pool)
    analytics = time.process_time() - begin
    library, machine = (
        workflow_arrays(flow, pool, "sets", -flow.rank()),
        machine_arrays(pool, Overheads()),
    )
    state = make_state(library, machine, 1)
    state.tasks["duration"][0] = flow.mean_s
    run_list_schedule(library, machine, state, 0, 0, True)
    begin = time.process_time()
    run_list_schedule(library, machine, state, 0, 0, True)
    return {"analytics_s": analytics, "tasks_per_cpu_s": tasks / (time.process_time() - begin)}


def decisions(num_envs: int = 256, steps: int = 300, **settings: Any) -> float:
    """Decisions per CPU second of the batched environment, the first legal action each time."""
    envs = gymnasium.make_vec("PandaGrid/Workflow-v0", num_envs=num_envs, copy=False, **settings)
    observation, _ = envs.reset(seed=0)
    observation, *_ = envs.step(np.argmax(observation["action_mask"], axis=1))
    begin = time.process_time()
    for _ in range(steps):
        observation, *_ = envs.step(np.argmax(observation["action_mask"], axis=1))
    return steps * num_envs / (time.process_time() - begin)


def main() -> None:
    """Print all figures as JSON."""
    rates = {
        "ddmd, sets": decisions(workflow="ddmd"),
        "ddmd, tasks": decisions(workflow="ddmd", granularity="task"),
        "layered, 15 sites": decisions(workflow="random:layered", platform="small15"),
        "layered, 150 sites": decisions(32, workflow="random:layered", platform="atlas150"),
    }
    figures: dict[str, Any] = {**simulation(), "decisions_per_cpu_s": rates}
    figures["times_peer"] = {name: rate / PEER for name, rate in rates.items()}
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
