"""Decisions per CPU second of the kernel, of its faces, and of its SimPy twin, in one run.

    python -m tests.bench.simulator

CPU seconds and ratios, because wall times on shared machines mean little. Worlds are random
(`tests.oracles.worlds`): 20 cores a site, competing load, inputs at one to three sites, a load
near saturation, sites drawn by capacity.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import panda_gym
from panda_gym.simulator import Competing, Settings, Simulator
from panda_gym.vector_env import PlacementVectorEnv
from tests.oracles.grid_twin import GridTwin
from tests.oracles.worlds import ENCODING, make_episode, make_platform, make_stream

CORES = 40
RULES = Settings(competing=Competing())
WARMUP = 1000


def cpu_rate(step: Callable[[int], object], steps: int, per_step: int) -> float:
    """Decisions per CPU second of `steps` calls that each make `per_step`."""
    begin = time.process_time()
    for k in range(steps):
        step(k)
    return steps * per_step / (time.process_time() - begin)


def actions(sites: int, steps: int, batch: int) -> np.ndarray:
    """Sites drawn by capacity, int64[steps, batch]."""
    edges = np.cumsum(make_platform(sites, most_cores=CORES).cores)
    drawn = np.random.default_rng(0).random((steps, batch)) * edges[-1]
    return np.searchsorted(edges, drawn, side="right")


def kernel(sites: int, batch: int, decisions: int = 1000, rules: Settings = RULES) -> float:
    """Decisions per CPU second of the bare kernel."""
    platform = make_platform(sites, most_cores=CORES)
    simulator = Simulator(
        platform, batch=batch, capacity=WARMUP + decisions, encoding=ENCODING, settings=rules
    )
    drawn = [
        make_episode(platform, jobs=decisions, warmup=WARMUP, load=0.5, seed=k) for k in range(4)
    ]
    for e in range(batch):
        simulator.load(e, drawn[e % 4], seed=e)
    simulator.begin()
    chosen = actions(sites, decisions, batch)
    simulator.step(chosen[0])
    return cpu_rate(lambda k: simulator.step(chosen[k + 1]), decisions - 1, batch)


def twin(sites: int, decisions: int = 40, observed: bool = True) -> float:
    """Decisions per CPU second of the SimPy twin, which recounts everything it is asked for."""
    platform = make_platform(sites, most_cores=CORES)
    episode = make_episode(platform, jobs=decisions, warmup=WARMUP // 4, load=0.5)
    slow, chosen = GridTwin(platform, episode, RULES, 0), actions(sites, decisions, 1)
    if observed:
        return cpu_rate(lambda k: (slow.step(int(chosen[k, 0])), slow.observation()), decisions, 1)
    return cpu_rate(lambda k: slow.step(int(chosen[k, 0])), decisions, 1)


def face(
    make: Callable[..., Any], sites: int, batch: int, decisions: int = 400, **more: Any
) -> float:
    """Decisions per CPU second through an environment's step, within one episode."""
    platform = make_platform(sites, most_cores=CORES)
    stream = make_stream(platform, jobs=20_000, load=0.5)
    settings = {"scale": 1.0, "jobs": decisions + 1, "warmup": WARMUP, "copy": False, **more}
    env = make(num_envs=batch, stream=stream, platform=platform, **settings)
    env.reset()
    chosen = actions(sites, decisions, batch)
    return cpu_rate(lambda k: env.step(chosen[k]), decisions, batch)


def memset(sites: int, batch: int, repeats: int = 2000) -> float:
    """Observations per CPU second that are only written with a constant: an upper bound."""
    view = np.zeros((batch, 15 * sites + 12), np.float32)
    return cpu_rate(lambda k: view.fill(k), repeats, batch)


def bytes_per_grid(sites: int, jobs: int) -> int:
    """Memory of one grid's state and observation."""
    platform = make_platform(sites, most_cores=CORES)
    sizes = [
        sum(part.nbytes for part in Simulator(
            platform, batch=n, capacity=jobs, encoding=ENCODING
        ).world if isinstance(part, np.ndarray))
        for n in (1, 2)
    ]  # fmt: skip
    return sizes[1] - sizes[0]


def measure(quick: bool = False) -> dict[str, float]:
    """All rates, in decisions per CPU second, by what was measured."""
    kernel(15, 1, 10)  # compiles
    batches, widths = ([64], [150]) if quick else ([1, 64, 256, 1024], [15, 50, 500])
    rates = {f"kernel, 150 sites, batch {n}": kernel(150, n) for n in batches}
    rates |= {f"kernel, {n} sites, batch 64": kernel(n, 64) for n in widths}
    fresh = Settings(staleness_s=0.0, competing=Competing())
    rates["kernel, 150 sites, batch 64, counters always fresh"] = kernel(150, 64, rules=fresh)
    rates["kernel, 150 sites, batch 64, nobody competes"] = kernel(150, 64, rules=Settings())
    rates["kernel, 150 sites, batch 64, 10000 decisions"] = kernel(150, 64, 10_000)
    rates["gymnasium VectorEnv, batch 64"] = face(PlacementVectorEnv, 150, 64)
    rates["stable-baselines3 VecEnv, batch 64"] = face(panda_gym.sb3_vec_env, 150, 64)
    widest = batches[-1] if quick else 256
    rates[f"gymnasium VectorEnv, batch {widest}"] = face(PlacementVectorEnv, 150, widest)
    short = face(panda_gym.sb3_vec_env, 150, widest, info="cost")
    rates[f"stable-baselines3 VecEnv, batch {widest}, info='cost'"] = short
    rates["SimPy twin, 150 sites"] = twin(150)
    rates["SimPy twin, 150 sites, nothing observed"] = twin(150, 200, observed=False)
    rates["memset of the observation, batch 64"] = memset(150, 64)
    return rates


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quick", action="store_true", help="fewer sizes")
    arguments = parser.parse_args()
    rates = measure(arguments.quick)
    if arguments.json:
        print(json.dumps(rates, indent=2))
        return
    slow = rates["SimPy twin, 150 sites"]
    print(f"{'decisions per CPU second':<54}{'rate':>14}{'x SimPy twin':>14}")
    for name, rate in rates.items():
        print(f"{name:<54}{rate:>14,.0f}{rate / slow:>14.1f}")
    print(f"memory of one grid of 150 sites and 4000 jobs: {bytes_per_grid(150, 4000):,} bytes")


if __name__ == "__main__":
    main()
