"""Decisions per CPU second of the kernel, of its faces, and of its SimPy twin, in one run.

    python -m tests.bench.simulator

CPU seconds and ratios, because wall times on shared machines mean little. Worlds are random
(`tests.oracles.worlds`): 20 cores a site, competing load, inputs at one to three sites, a load
near saturation, sites drawn by capacity. "must" is staging, endpoint sharing, storage and failures
with retries, what the goal of a million decisions per CPU second asks for; "all on" is these and
competing load, outages, time limits and pilots.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

import panda_gym
from panda_gym.environments.placement.vector_env import PlacementVectorEnv
from panda_gym.simulator import (
    Competing,
    Failures,
    Limits,
    Network,
    Outages,
    Retries,
    Settings,
    Simulator,
    Storage,
)
from tests.bench.plain_environment import PlainEnv
from tests.oracles.grid_twin import GridTwin
from tests.oracles.worlds import ENCODING, make_episode, make_platform, make_stream

CORES = 40
RULES = Settings(competing=Competing())
MUST = Settings(network=Network(level=1), storage=Storage(), failures=Failures(), retries=Retries())
"""What the goal of a million decisions per CPU second asks for."""
WARMUP = 1000
MECHANISMS: dict[str, dict[str, Any]] = {
    "network, level 1": {"network": Network(level=1)},
    "network, level 2": {"network": Network(level=2)},
    "storage": {"storage": Storage()},
    "failures and retries": {"failures": Failures(), "retries": Retries()},
    "time limits": {"limits": Limits()},
    "outages": {"outages": Outages()},
    "priority queues": {"discipline": "priority"},
    "EASY backfill": {"discipline": "easy"},
    "conservative backfill": {"discipline": "conservative"},
    "pilots": {"pilot_s": 60.0},
}
ALL_ON = Settings(
    competing=Competing(),
    network=Network(level=1),
    storage=Storage(),
    failures=Failures(),
    retries=Retries(),
    limits=Limits(),
    outages=Outages(),
    pilot_s=60.0,
)


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
    load(simulator, platform, batch, decisions)
    chosen = actions(sites, decisions, batch)
    simulator.step(chosen[0])
    return cpu_rate(lambda k: simulator.step(chosen[k + 1]), decisions - 1, batch)


def load(simulator: Simulator, platform: Any, batch: int, decisions: int) -> None:
    """Begin an episode in every grid, four different ones in turn; a tenth of attempts fail."""
    drawn = [
        make_episode(
            platform, jobs=decisions, warmup=WARMUP, load=0.5, seed=k, hazard=0.1,
            datasets=(WARMUP + decisions) // 6,
        )
        for k in range(4)
    ]  # fmt: skip
    for e in range(batch):
        simulator.load(e, drawn[e % 4], seed=e)
    simulator.begin()


def threads(sites: int, batch: int, count: int, decisions: int = 500) -> tuple[float, float]:
    """Decisions per wall second of `count` kernels side by side, each in a thread of its own, and
    per CPU second of one of them: on a machine that others use only the second can be compared.
    """
    platform = make_platform(sites, most_cores=CORES)
    kernels = [
        Simulator(
            platform, batch=batch, capacity=WARMUP + decisions, encoding=ENCODING, settings=ALL_ON
        )
        for _ in range(count)
    ]
    for one in kernels:
        load(one, platform, batch, decisions)
    chosen = actions(sites, decisions, batch)

    def work(one: Simulator) -> float:
        begin = time.thread_time()
        for k in range(decisions):
            one.step(chosen[k])
        return time.thread_time() - begin

    with ThreadPoolExecutor(count) as pool:
        begin = time.perf_counter()
        used = list(pool.map(work, kernels))
        wall = time.perf_counter() - begin
    return count * batch * decisions / wall, count * batch * decisions / sum(used)


def plain(decisions: int = 2000) -> float:
    """Decisions per CPU second of a plain-Python environment."""
    env = PlainEnv()
    env.reset(seed=0)
    chosen = np.random.default_rng(0).integers(0, 150, decisions)
    return cpu_rate(lambda k: env.step(chosen[k]), decisions, 1)


def subprocesses(count: int = 4, decisions: int = 500) -> float:
    """Decisions per CPU second of SB3's SubprocVecEnv over it, its children's time included."""
    from stable_baselines3.common.vec_env import SubprocVecEnv

    env = SubprocVecEnv([PlainEnv] * count, start_method="forkserver")
    env.reset()
    chosen = np.random.default_rng(0).integers(0, 150, (decisions, count))
    before = spent()
    children = [cpu_of(p.pid) for p in env.processes]
    for row in chosen:
        env.step(row)
    used = spent() - before
    used += sum(cpu_of(p.pid) for p in env.processes) - sum(children)
    env.close()
    return count * decisions / used


def spent() -> float:
    """CPU seconds of this process."""
    return time.process_time()


def cpu_of(pid: int) -> float:
    """CPU seconds of another process (Linux)."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def whole_grid(jobs: int = 1_000_000, rules: Settings = ALL_ON) -> tuple[float, list[float], float]:
    """CPU seconds, microseconds a decision by tenth of the episode, and GB at the peak of this
    process, of one grid of 300,000 slots.

    Sites may move 2 MB/s per core: with less than the jobs ask for, flows would pile up for ever,
    and a flow that comes or goes re-times all those at its ends.
    """
    if rules.network is not None:
        rules = replace(rules, network=Network(level=1, mbps_per_core=2.0))
    platform = make_platform(150, most_cores=4000)
    simulator = Simulator(platform, batch=1, capacity=jobs, encoding=ENCODING, settings=rules)
    episode = make_episode(platform, jobs=jobs, load=0.5, hazard=0.1, datasets=jobs // 20)
    simulator.load(0, episode, seed=0)
    chosen = actions(150, jobs, 1)
    simulator.begin()
    tenths, size = [], jobs // 10
    for first in range(0, jobs, size):
        begin = time.process_time()
        for k in range(first, first + size):
            simulator.step(chosen[k])
        tenths.append(1e6 * (time.process_time() - begin) / size)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return sum(tenths) * size / 1e6, tenths, peak


def level_errors(decisions: int = 1500) -> dict[str, float]:
    """Stage-in time at levels 0 and 1 over that at level 2: mean and 95th percentile."""
    errors = {}
    for name, seed, rate in (("light", 1, 0.2), ("busy", 2, 0.5), ("heavy", 3, 1.0)):
        platform = make_platform(20, seed=seed, most_cores=CORES)
        episode = make_episode(platform, jobs=decisions, load=rate, seed=seed)
        times = []
        for level in (0, 1, 2):
            rules = Settings(network=Network(level=level, mbps_per_core=1.0))
            simulator = Simulator(
                platform, batch=1, capacity=decisions, encoding=ENCODING, settings=rules
            )
            simulator.load(0, episode, seed=0)
            simulator.begin()
            for row in actions(20, decisions, 1):
                simulator.step(row)
            simulator.drain(0)
            log = simulator.log(0)
            times.append((log.activation_s - log.placed_s)[log.source >= 0])
        for level in (0, 1):
            for what, measure in (("mean", np.mean), ("p95", lambda x: np.percentile(x, 95))):
                ratio = float(measure(times[level]) / measure(times[2]))
                errors[f"stage-in, level {level} / level 2, {name} stream, {what}"] = ratio
    return errors


def twin(sites: int, decisions: int = 40, observed: bool = True, rules: Settings = RULES) -> float:
    """Decisions per CPU second of the SimPy twin, which recounts everything it is asked for."""
    platform = make_platform(sites, most_cores=CORES)
    episode = make_episode(
        platform, jobs=decisions, warmup=WARMUP // 4, load=0.5, hazard=0.1, datasets=50
    )
    slow, chosen = GridTwin(platform, episode, rules, 0), actions(sites, decisions, 1)
    if observed:
        return cpu_rate(lambda k: (slow.step(int(chosen[k, 0])), slow.observation()), decisions, 1)
    return cpu_rate(lambda k: slow.step(int(chosen[k, 0])), decisions, 1)


def face(
    make: Callable[..., Any],
    sites: int,
    batch: int,
    decisions: int = 400,
    bare: bool = False,
    **more: Any,
) -> float:
    """Decisions per CPU second through an environment's step, within one episode; `bare`: of the
    kernel that stands under it, on the same jobs.
    """
    platform = make_platform(sites, most_cores=CORES)
    stream = make_stream(platform, jobs=20_000, load=0.5)
    settings = {"scale": 1.0, "jobs": decisions + 1, "warmup": WARMUP, "copy": False, **more}
    env = make(num_envs=batch, stream=stream, platform=platform, **settings)
    env.reset()
    chosen = actions(sites, decisions, batch)
    step = env.batch.simulator.step if bare else env.step
    return cpu_rate(lambda k: step(chosen[k]), decisions, batch)


def reset(batch: int = 64, threads: int = 1, times: int = 20) -> tuple[float, float]:
    """CPU and wall seconds from reset to the first observation of grids of the default scenario.

    The median of several, the first of which is not counted: it takes the memory.
    """
    env = PlacementVectorEnv(batch, threads=threads, copy=False)
    taken = []
    for k in range(times + 1):
        wall, cpu = time.perf_counter(), time.process_time()
        env.reset(seed=k)
        taken.append((time.process_time() - cpu, time.perf_counter() - wall))
    cpu, wall = np.median(taken[1:], axis=0)
    return float(cpu), float(wall)


def shared(batch: int, count: int, decisions: int = 1000) -> float:
    """Decisions per wall second of one batch whose grids `count` threads share (`threads=`)."""
    platform = make_platform(150, most_cores=CORES)
    stream = make_stream(platform, jobs=20_000, load=0.5)
    settings: dict[str, Any] = {"scale": 1.0, "jobs": decisions + 1, "warmup": WARMUP}
    settings |= {"stream": stream, "platform": platform, "copy": False, "info": "cost"}
    env = panda_gym.sb3_vec_env(batch, threads=count, **settings)
    env.reset()
    chosen = actions(150, decisions, batch)
    begin = time.perf_counter()
    for one in chosen:
        env.step(one)
    return batch * decisions / (time.perf_counter() - begin)


def memset(sites: int, batch: int, repeats: int = 2000) -> float:
    """Observations per CPU second that are only written with a constant: an upper bound."""
    view = np.zeros((batch, 15 * sites + 12), np.float32)
    return cpu_rate(lambda k: view.fill(k), repeats, batch)


def bytes_per_grid(sites: int, jobs: int, rules: Settings = RULES) -> int:
    """Memory of one grid's state and observation."""
    platform = make_platform(sites, most_cores=CORES)
    world = Simulator(platform, batch=1, capacity=jobs, encoding=ENCODING, settings=rules).world
    return world.stride + sum(
        part.nbytes for part in (world.log, world.pending, world.flat, world.mask, world.outcome)
    )


def measure(quick: bool = False) -> dict[str, float]:
    """All rates, in decisions per CPU second, by what was measured."""
    kernel(15, 1, 10)  # compiles
    batches, widths = ([64], [150]) if quick else ([1, 64, 256, 1024], [15, 50, 500])
    rates = {f"kernel, 150 sites, batch {n}": kernel(150, n) for n in batches}
    rates |= {f"kernel, {n} sites, batch 64": kernel(n, 64) for n in widths}
    for name, rules in (("must", MUST), ("all on", ALL_ON)):
        rates |= {
            f"kernel, {name}, 150 sites, batch {n}": kernel(150, n, rules=rules) for n in batches
        }
    rates |= {f"kernel, all on, {n} sites, batch 64": kernel(n, 64, 400, ALL_ON) for n in widths}
    for name, more in {} if quick else MECHANISMS.items():
        rules = Settings(competing=Competing(), **more)
        rates[f"kernel, 150 sites, batch 64, {name}"] = kernel(150, 64, 400, rules)
    fresh = Settings(staleness_s=0.0, competing=Competing())
    rates["kernel, 150 sites, batch 64, counters always fresh"] = kernel(150, 64, rules=fresh)
    rates["kernel, 150 sites, batch 64, nobody competes"] = kernel(150, 64, rules=Settings())
    rates["kernel, 150 sites, batch 64, 10000 decisions"] = kernel(150, 64, 10_000)
    rates["gymnasium VectorEnv, batch 64"] = face(PlacementVectorEnv, 150, 64)
    rates["stable-baselines3 VecEnv, batch 64"] = face(panda_gym.sb3_vec_env, 150, 64)
    widest = batches[-1] if quick else 256
    under = face(PlacementVectorEnv, 150, widest, bare=True)
    rates[f"kernel under the faces, batch {widest}"] = under
    rates[f"gymnasium VectorEnv, batch {widest}"] = face(PlacementVectorEnv, 150, widest)
    for name, more in {
        "": {},
        ", info='cost'": {"info": "cost"},
        ", copies": {"copy": True},
    }.items():
        rates[f"stable-baselines3 VecEnv, batch {widest}{name}"] = face(
            panda_gym.sb3_vec_env, 150, widest, **more
        )
    rates["plain-Python environment"] = plain()
    rates["SubprocVecEnv x 4 over it"] = subprocesses()
    rates["SimPy twin, all on, 150 sites"] = twin(150, rules=ALL_ON)
    rates["SimPy twin, 150 sites"] = twin(150)
    rates["SimPy twin, 150 sites, nothing observed"] = twin(150, 200, observed=False)
    rates["memset of the observation, batch 64"] = memset(150, 64)
    rates["memset of the observation, batch 256"] = memset(150, 256)
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
    if not arguments.quick:
        print("level errors", json.dumps(level_errors(), indent=2))
        (wall, cpu), (walls, cpus) = threads(150, 256, 1), threads(150, 256, 2)
        for count in (1, 2):
            cpu_s, wall_s = reset(64, count)
            print(
                f"reset of 64 grids, threads={count}: {1e3 * cpu_s:.1f} CPU ms, "
                f"{1e3 * wall_s:.1f} ms by the clock"
            )
        print(f"one batch of 1024, threads=2: {shared(1024, 2) / shared(1024, 1):.2f} by wall")
        print(f"two threads, batch 256: {walls / wall:.2f} by wall, {2 * cpus / cpu:.2f} by CPU")
        for name, rules in (("all on", ALL_ON), ("competing load only", RULES)):
            seconds, tenths, peak = whole_grid(rules=rules)
            print(
                f"one grid of 300,000 slots, 1,000,000 jobs, {name}: {seconds:.1f} CPU s, "
                f"{peak:.2f} GB, us a decision by tenth {[round(one, 2) for one in tenths]}"
            )
    for name, rules in (("competing load only", RULES), ("must", MUST), ("all on", ALL_ON)):
        size = bytes_per_grid(150, 4000, rules)
        print(f"memory of one grid of 150 sites and 4000 jobs, {name}: {size:,} bytes")


if __name__ == "__main__":
    main()
