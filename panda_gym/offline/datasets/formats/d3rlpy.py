"""Write the arrays of d3rlpy's MDPDataset to HDF5, without importing d3rlpy.

    with h5py.File(path) as file:
        arrays = {name: file[name][()] for name in ARRAYS}
    data = d3rlpy.dataset.MDPDataset(
        **arrays, action_space=d3rlpy.ActionSpace.DISCRETE, action_size=file.attrs["action_size"])

NOTE[DIFF] d3rlpy has no costs, masks or difference rewards: they are stored as `costs`, `masks` and
`difference_rewards`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from panda_gym.offline.datasets.dataset import OfflineDataset
from panda_gym.offline.datasets.episode import Episode
from panda_gym.offline.datasets.formats.hdf5 import SPARE, whole_hdf5

if TYPE_CHECKING:
    import h5py

ARRAYS: Final = ("observations", "actions", "rewards", "terminals", "timeouts")


def write(data: OfflineDataset, path: Path) -> Path:
    """Write observations float32[N, D], actions int64[N, 1], rewards float32[N, 1], ends [N]."""
    start = 0
    with whole_hdf5(path, 2 * data.bytes + SPARE) as file:
        file.attrs["action_size"] = data.document["sites"]
        for e, episode in enumerate(data.episodes()):
            for name, values in _arrays(episode).items():
                if e == 0:
                    _create(file, name, len(data), values)
                file[name][start : start + len(episode)] = values
            start += len(episode)
    return path


def _arrays(episode: Episode) -> dict[str, np.ndarray]:
    steps = len(episode)
    return {
        "observations": episode.observations[:-1],
        "masks": episode.masks[:-1],
        "actions": episode.actions[:, None].astype(np.int64),
        "rewards": episode.rewards[:, None].astype(np.float32),
        "costs": episode.cost[:, None].astype(np.float32),
        "difference_rewards": episode.difference_rewards[:, None].astype(np.float32),
        "terminals": np.zeros(steps, dtype=np.float32),
        "timeouts": (np.arange(1, steps + 1) == steps).astype(np.float32),
    }


def _create(file: h5py.File, name: str, n: int, like: np.ndarray) -> None:
    file.create_dataset(
        name,
        (n, *like.shape[1:]),
        like.dtype,
        chunks=(min(len(like), 64 if like.ndim > 1 else 8192), *like.shape[1:]),
        compression="gzip",
        compression_opts=1,
        shuffle=True,
    )
