"""Pipelines: CPU seconds and memory of 100,000 and 720,000 runs, and decisions a CPU second.

    python -m tests.bench.pipelines

720,000 runs are a year at a run every 44 s. The measure beside ours is the SimPy twin of the tests
on the same plan.
"""

from __future__ import annotations

import json
import resource
import time
from typing import Any

import gymnasium
import numpy as np

import panda_gym  # noqa: F401  (registers the environments)
from panda_gym.distributions.arrivals import poisson
from panda_gym.environments.pipeline import policies
from panda_gym.pipelines.fleet import Fleet
from panda_gym.pipelines.kernel_arrays import arrival_records, operations_arrays
from panda_gym.pipelines.simulation import simulate
from panda_gym.units import SECONDS_PER_DAY
from tests.oracles.pipeline_twin import PipelineTwin

GAP_S = 44.0


def fleet(discipline: str = "fifo") -> Fleet:
    """A busy fleet whose runs are asked for from outside, one every 44 s; load about .85."""
    return Fleet(
        models=200, pipeline="short", arrivals=poisson(GAP_S), staleness=None, train_hours=0.1,
        training_slots=12, generic_slots=12, discipline=discipline,
    )  # fmt: skip


def simulated(runs: int, discipline: str = "fifo") -> dict[str, float]:
    """CPU seconds of a simulation of so many runs, draws and summary included."""
    operations = fleet(discipline).open()
    begin = time.process_time()
    ran = simulate(operations, runs * GAP_S, seed=0)
    ran.summary()
    return {
        "runs": len(ran),
        "cpu_s": time.process_time() - begin,
        "utilisation": ran.utilisation()["training"],
    }


def twin(runs: int = 600) -> float:
    """Runs a CPU second of the SimPy twin."""
    operations, rng = fleet().open(), np.random.default_rng(0)
    times = operations.arrivals.until(rng, runs * GAP_S)  # type: ignore[union-attr]
    models = rng.integers(200, size=len(times))
    plan = operations_arrays(operations, runs * GAP_S, rng, models)
    begin = time.process_time()
    PipelineTwin(plan, arrival_records(times, models, np.arange(len(times))), 0).run()
    return len(times) / (time.process_time() - begin)


def decisions(num_envs: int = 64, steps: int = 300) -> float:
    """Decisions a CPU second of the vector environment under `soonest`."""
    envs = gymnasium.make_vec("PandaGrid/Pipelines-v0", num_envs=num_envs)
    policy, rng = policies.create("soonest"), np.random.default_rng(0)
    observation, _ = envs.reset(seed=0)
    observation, *_ = envs.step(policy(observation, rng))
    begin = time.process_time()
    for _ in range(steps):
        observation, *_ = envs.step(policy(observation, rng))
    return steps * num_envs / (time.process_time() - begin)


def main() -> None:
    """Print all figures as JSON."""
    simulate(fleet().open(), SECONDS_PER_DAY / 100)  # compile, or load what was compiled
    figures: dict[str, Any] = {"100,000 runs": simulated(100_000)}
    figures["100,000 runs, by improvement"] = simulated(100_000, "improvement")
    figures["720,000 runs"] = simulated(720_000)
    figures["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures["times_simpy_twin"] = 100_000 / figures["100,000 runs"]["cpu_s"] / twin()
    figures["decisions_per_cpu_s"] = decisions()
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
