"""Write HDF5 in the layout of DSRL (arXiv 2306.09303), which OSRL reads too.

    observations, next_observations  float32 [N, D]   views of `frames`, not copies
    actions     int32 [N], or float32 [N, S] as scores for learners that know only Box actions
    rewards, costs, terminals, timeouts  float32 [N]
    action_masks, next_action_masks  uint8 [N, S]     views of `frame_masks`
    probabilities  float64 [N]                        of the action under the behaviour
    difference_rewards  float32 [N]                   by the data set's objective

Attributes: environment (JSON), cost_limits, min_episode_reward, max_episode_reward,
min_episode_cost, max_episode_cost (of the reference, see `panda_gym.offline.datasets.reference`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from panda_gym.offline.datasets.dataset import OfflineDataset
from panda_gym.offline.datasets.episode import Episode
from panda_gym.offline.datasets.formats.hdf5 import SPARE, whole_hdf5

if TYPE_CHECKING:
    import h5py

VALUES: Final = ("rewards", "costs", "difference_rewards", "terminals", "timeouts")
ROWS: Final = 64
"""Rows of a chunk: about a minute of one grid."""


def write(data: OfflineDataset, path: Path, scores: bool = False) -> Path:
    """Write a data set as DSRL does; with `scores`, actions as 1 at the site and -1 elsewhere."""
    with whole_hdf5(path, 2 * data.bytes + SPARE) as file:
        _create(file, data, scores)
        start = 0
        for index, episode in enumerate(data.episodes()):
            _fill(file, episode, start, start + index, scores)
            start += len(episode)
        _view(file, "frames", ("observations", "next_observations"), data)
        _view(file, "frame_masks", ("action_masks", "next_action_masks"), data)
        _attributes(file, data)
    return path


def _create(file: h5py.File, data: OfflineDataset, scores: bool) -> None:
    n, episodes, sites = len(data), len(data.returns), data.document["sites"]
    features = data.document["features"]
    width = len(features["sites"]) * sites + len(features["job"]) + len(features["grid"])
    kinds: dict[str, tuple[tuple[int, ...], Any]] = {
        "frames": ((n + episodes, width), np.float32),
        "frame_masks": ((n + episodes, sites), np.uint8),
        "actions": ((n, sites), np.float32) if scores else ((n,), np.int32),
        "probabilities": ((n,), np.float64),
        **dict.fromkeys(VALUES, ((n,), np.float32)),
    }
    for name, (shape, kind) in kinds.items():
        rows = min(ROWS if len(shape) > 1 else 8192, shape[0])
        file.create_dataset(
            name,
            shape,
            kind,
            chunks=(rows, *shape[1:]),
            compression="gzip",
            compression_opts=1,
            shuffle=True,
        )


def _fill(file: h5py.File, episode: Episode, start: int, frame: int, scores: bool) -> None:
    steps = len(episode)
    file["frames"][frame : frame + steps + 1] = episode.observations
    file["frame_masks"][frame : frame + steps + 1] = episode.masks
    rows = slice(start, start + steps)
    file["actions"][rows] = _scores(episode) if scores else episode.actions
    file["rewards"][rows], file["costs"][rows] = episode.rewards, episode.cost
    file["difference_rewards"][rows] = episode.difference_rewards
    file["probabilities"][rows] = episode.probabilities
    file["timeouts"][start + steps - 1] = 1.0


def _scores(episode: Episode) -> np.ndarray:
    scores = np.full((len(episode), episode.masks.shape[1]), -1.0, dtype=np.float32)
    scores[np.arange(len(episode)), episode.actions] = 1.0
    return scores


def _view(file: h5py.File, frames: str, names: tuple[str, str], data: OfflineDataset) -> None:
    """Two virtual data sets of what was seen before and after each decision."""
    import h5py

    source = h5py.VirtualSource(".", frames, file[frames].shape, file[frames].dtype)
    for shift, name in enumerate(names):
        layout = h5py.VirtualLayout((len(data), file[frames].shape[1]), file[frames].dtype)
        start = 0
        for e, steps in enumerate(data.lengths):
            first = start + e + shift
            layout[start : start + steps] = source[first : first + steps]
            start += steps
        file.create_virtual_dataset(name, layout)


def _attributes(file: h5py.File, data: OfflineDataset) -> None:
    file.attrs["environment"] = json.dumps(data.document["environment"])
    file.attrs["cost_limits"] = data.cost_limits
    for name in (
        "min_episode_reward",
        "max_episode_reward",
        "min_episode_cost",
        "max_episode_cost",
    ):
        file.attrs[name] = getattr(data.reference, name)
