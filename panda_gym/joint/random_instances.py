"""Draw random instances from the published distribution of arXiv 2502.00261, at any size.

Jobs read 5 to 10 datasets of size normal(1e5, 1e3). Nodes have the speed 500 x 2^k, k = 4, 5 or 6.
Bandwidths are uniform in [5.6e6, 1.04e7), and ten times that from local stores to nodes. What the
paper leaves open is an option here: datasets that several jobs read, and quotas.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from panda_gym.errors import InstanceError, check_seed
from panda_gym.joint.instance import Instance

Array = np.ndarray
SIZE, SIZE_DEVIATION, SMALLEST = 1e5, 1e3, 1.0
INPUTS: Final = (5, 10)
SPEED, EXPONENTS = 500.0, (4, 6)
BANDWIDTH: Final = (5.6e6, 1.04e7)
LOCAL_FACTOR = 10.0


def random_instance(
    seed: int = 0,
    *,
    jobs: int = 200,
    nodes: int = 148,
    local_stores: int = 114,
    remote_stores: int = 16,
    work_per_size: float = 20.0,
    readers: float = 1.0,
    quota: float | None = None,
) -> Instance:
    """Return a random instance; the defaults are the published ones.

    readers: mean number of jobs that read a dataset; 1 gives every job datasets of its own.
    quota: quotas of all stores together, over the size of all datasets; None: no quotas. Each
    store has the same quota. InstanceError for an option outside its range.
    """
    options = {
        "jobs": jobs, "nodes": nodes, "local_stores": local_stores, "remote_stores": remote_stores,
    }  # fmt: skip
    _check(options, readers, quota)
    rng = np.random.default_rng(check_seed(seed))
    counts = rng.integers(INPUTS[0], INPUTS[1] + 1, jobs)
    first = np.concatenate([[0], np.cumsum(counts)])
    inputs = _inputs(rng, counts, readers)
    datasets = int(inputs.max()) + 1
    size = np.maximum(rng.normal(SIZE, SIZE_DEVIATION, datasets), SMALLEST)
    share = np.inf if quota is None else max(quota * size.sum() / local_stores, size.max())
    exponents = rng.integers(EXPONENTS[0], EXPONENTS[1] + 1, nodes)
    return Instance(
        name=f"random-{jobs}-{nodes}-{local_stores}-{seed}",
        work_per_size=work_per_size,
        size=size,
        source=rng.integers(0, remote_stores, datasets),
        first=first,
        inputs=inputs,
        speed=SPEED * 2.0**exponents,
        remote_bandwidth=rng.uniform(*BANDWIDTH, (remote_stores, local_stores)),
        local_bandwidth=LOCAL_FACTOR * rng.uniform(*BANDWIDTH, (local_stores, nodes)),
        quota=np.full(local_stores, share),
    )


def _inputs(rng: np.random.Generator, counts: Array, readers: float) -> Array:
    """Return the datasets of every job; each dataset is read."""
    total = int(counts.sum())
    if readers == 1.0:
        return np.arange(total)
    pool = max(int(total / readers), INPUTS[1])
    drawn = np.concatenate([rng.choice(pool, count, replace=False) for count in counts])
    return np.unique(drawn, return_inverse=True)[1]


def _check(counts: dict[str, Any], readers: float, quota: float | None) -> None:
    for name, value in counts.items():
        if isinstance(value, bool) or not hasattr(value, "__index__") or value < 1:
            raise InstanceError(
                f"{name} as a whole number of at least 1", repr(value), "correct it"
            )
    if not 1.0 <= readers < np.inf:
        raise InstanceError("readers of at least 1", repr(readers), "correct it")
    if quota is not None and not 1.0 <= quota < np.inf:
        came = repr(quota)
        raise InstanceError("a quota of at least 1 times the data", came, "raise it")
