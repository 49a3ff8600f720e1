"""Small random platforms, streams and episodes for the simulator's tests; synthetic throughout."""

from __future__ import annotations

import numpy as np

from panda_gym.environments.placement.observation import GRID_FEATURES, JOB_FEATURES, SITE_FEATURES
from panda_gym.jobs import Episode, JobStream
from panda_gym.simulator import Encoding
from panda_gym.sites import Platform

ENCODING = Encoding(
    *(
        np.array([feature.scale for feature in table], dtype=np.float32)
        for table in (SITE_FEATURES, JOB_FEATURES, GRID_FEATURES)
    )
)


def make_platform(n: int, seed: int = 0, most_cores: int = 40, alike: bool = False) -> Platform:
    """A platform of n sites; the first has the most cores. alike: its links are of two kinds."""
    rng = np.random.default_rng(seed)
    cores = np.sort(rng.integers(1, most_cores + 1, n))[::-1].copy()
    cores[0] = most_cores
    bandwidth = rng.uniform(5.0, 200.0, (n, n))
    if alike:
        bandwidth = np.where(bandwidth > 100.0, 100.0, 20.0)
    np.fill_diagonal(bandwidth, np.where(rng.random(n) < 0.5, np.inf, 1000.0))
    closeness = rng.integers(1, 12, (n, n))
    np.fill_diagonal(closeness, 0)
    return Platform(
        name=f"test{n}",
        names=tuple(f"SITE_{i}" for i in range(n)),
        region=("XX",) * n,
        cores=cores.astype(np.int32),
        power=rng.uniform(8.0, 20.0, n),
        disk_tb=rng.uniform(10.0, 5000.0, n),
        bandwidth_mbps=bandwidth,
        latency_s=np.where(alike, 1.0, rng.uniform(0.0, 5.0, (n, n))),
        closeness=closeness.astype(np.int8),
    )


def make_episode(
    platform: Platform,
    *,
    jobs: int,
    warmup: int = 0,
    load: float = 1.0,
    seed: int = 0,
    datasets: int | None = None,
    hazard: float = 0.0,
    tail: int | None = None,
    requested: float = 0.0,
) -> Episode:
    """An episode in batches of like jobs, one to eight cores, some with inputs elsewhere.

    datasets: jobs share so many; None: each has its own. hazard: mean chance to fail. tail: jobs
    after these that are not judged. requested: median of requested over true run time at a site of
    mean power; 0: none. A fifth of the jobs request none.
    """
    rng = np.random.default_rng(seed)
    n, sites = warmup + jobs + (tail or 0), len(platform)
    wide = int(platform.cores.max())
    cores = np.where(rng.random(n) < 0.8, 1, rng.integers(1, min(8, wide) + 1, n)).astype(np.int32)
    true = np.exp(rng.normal(9.5, 1.2, n)) * cores
    span = true.sum() / (load * np.sum(platform.cores * platform.power))
    # Arrivals on whole seconds, so that ties occur.
    arrival = np.floor(np.sort(rng.random(n)) * span)
    held = np.sort(rng.integers(-1, sites, (n, 3)), axis=1)[:, ::-1]
    dataset = np.arange(n) if datasets is None else np.arange(n) * 7919 % min(datasets, n)
    held = held[dataset]  # sites that hold a dataset do not depend on the job
    unit = np.zeros(n, dtype=np.int16)
    return Episode(
        warmup=warmup,
        tail=tail,
        load=load,
        arrival_s=arrival - arrival[0],
        clock_s=float(rng.integers(0, 604800)),
        cores=cores,
        workload_true=true,
        workload_pred=true * np.exp(rng.normal(0.0, 0.7, n)),
        input_bytes=np.where(rng.random(n) < 0.3, 0.0, np.exp(rng.normal(21.0, 1.0, n))),
        input_files=rng.integers(0, 9, n).astype(np.int32),
        dataset=dataset.astype(np.int32),
        source=unit,
        replicas=held.astype(np.int16),
        status=unit.astype(np.int8),
        project=unit,
        prodstep=unit,
        datatype=unit,
        noise=np.exp(rng.normal(0.0, 0.1, n)),
        noise_u=rng.random(n),
        failure_u=rng.random(n),
        place_u=rng.random(n),
        hazard=2.0 * hazard * (dataset % 5 + 1) / 6.0,
        risk=1.0 + (np.arange(sites) % 3 - 1.0) / 2.0,
        requested_s=_requested(true / (cores * platform.power.mean()), requested, seed),
    )


def _requested(run: np.ndarray, factor: float, seed: int) -> np.ndarray:
    """Requested wall times in whole minutes, from a generator of their own."""
    rng = np.random.default_rng([seed, 1])
    wanted = factor * run * np.exp(rng.normal(0.0, 0.7, len(run)))
    return np.where(rng.random(len(run)) < 0.2, 0.0, np.ceil(wanted / 60.0) * 60.0)


def make_stream(
    platform: Platform, *, jobs: int, load: float = 1.0, seed: int = 0, datasets: int | None = None
) -> JobStream:
    """The jobs of `make_episode` as a stream."""
    one = make_episode(platform, jobs=jobs, load=load, seed=seed, datasets=datasets)
    shared = {
        name: getattr(one, name)
        for name in (
            "arrival_s", "cores", "workload_true", "workload_pred", "input_bytes", "input_files",
            "dataset", "status", "project", "prodstep", "datatype", "noise_u", "failure_u",
            "place_u",
        )
    }  # fmt: skip
    return JobStream(
        name="synthetic",
        origin="a random draw of the tests",
        epoch="2024-01-01T00:00:00",
        site_names=platform.names,
        levels={"project": ("p",), "prodstep": ("s",), "datatype": ("d",)},
        source=np.maximum(one.replicas[:, 0], 0).astype(np.int16),
        **shared,
    )
