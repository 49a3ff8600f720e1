"""Observations made by hand, with the natural numbers behind them; for tests of policies."""

from __future__ import annotations

import numpy as np

from panda_gym.environments.base.features import Feature
from panda_gym.environments.placement.observation import GRID_FEATURES, JOB_FEATURES, SITE_FEATURES

HIGHEST = {
    "cores": 5000,
    "power": 30.0,
    "free_cores": 60,
    "running": 400,
    "activated": 90,
    "assigned": 40,
    "queued_work": 1e6,
    "wait": 20000.0,
    "transfer": 3000.0,
    "run": 40000.0,
    "closeness": 11,
    "disk_free": 900.0,
    "workload_pred": 1e6,
    "input_bytes": 1e10,
    "input_files": 20,
    "counter_age": 300.0,
}
WHOLE = {"cores", "free_cores", "running", "activated", "assigned", "closeness", "input_files"}


def natural(
    rng: np.random.Generator, envs: int, sites: int, legal: float = 0.8
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Natural values by feature ("job_cores" is the job's) and a mask bool[E, S]."""
    values: dict[str, np.ndarray] = {}
    for prefix, table, width in (
        ("", SITE_FEATURES, sites),
        ("job_", JOB_FEATURES, 1),
        ("grid_", GRID_FEATURES, 1),
    ):
        for feature in table:
            drawn = rng.random((envs, width)) * HIGHEST.get(feature.name, 1.0)
            values[prefix + feature.name] = np.floor(drawn) if feature.name in WHOLE else drawn
    values["cores"] += 1
    values["power"] += 5
    values["job_cores"] = rng.choice([1.0, 8.0], (envs, 1))
    values["local_share"] = rng.choice([0.0, 0.5, 1.0], (envs, sites))
    values["job_input_bytes"] *= rng.random((envs, 1)) < 0.8
    mask = rng.random((envs, sites)) < legal
    mask[np.arange(envs), rng.integers(0, sites, envs)] = True
    return values, mask


def encode(values: dict[str, np.ndarray], mask: np.ndarray) -> dict[str, np.ndarray]:
    """The observation that shows these values."""

    def stack(table: tuple[Feature, ...], prefix: str) -> list[np.ndarray]:
        return [feature.encode(values[prefix + feature.name]) for feature in table]

    return {
        "sites": np.stack(stack(SITE_FEATURES, ""), axis=1),
        "job": np.concatenate(stack(JOB_FEATURES, "job_"), axis=1),
        "grid": np.concatenate(stack(GRID_FEATURES, "grid_"), axis=1),
        "action_mask": mask.astype(np.int8),
    }


def observation(seed: int, envs: int = 5, sites: int = 12) -> dict[str, np.ndarray]:
    """An observation of E environments with S sites."""
    return encode(*natural(np.random.default_rng(seed), envs, sites))


def one(batch: dict[str, np.ndarray], env: int) -> dict[str, np.ndarray]:
    """One environment of a batch, without the batch axis."""
    return {part: value[env] for part, value in batch.items()}


def permuted(batch: dict[str, np.ndarray], order: np.ndarray) -> dict[str, np.ndarray]:
    """The same observation with its sites in another order."""
    return {
        **batch,
        "sites": batch["sites"][:, :, order],
        "action_mask": batch["action_mask"][:, order],
    }
