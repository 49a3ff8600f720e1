"""Write a data set in the format of Minari.

Observations are the environment's own Dict, T + 1 of them an episode; infos hold `cost`, the
costs by name, `probability` and `difference_reward` (T + 1 values, the first 0 as at reset). The
environment can be recovered where its settings are plain values. Metadata: cost_limits, the
reference's least and greatest mean return and cost, and under Minari's own names ref_min_score and
ref_max_score, which `minari.get_normalized_score` reads.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from panda_gym.errors import SettingError
from panda_gym.extras import import_extra
from panda_gym.files import forget_asides, whole_folder
from panda_gym.offline.datasets.dataset import OfflineDataset
from panda_gym.offline.datasets.episode import Episode
from panda_gym.offline.datasets.formats.hdf5 import SPARE, writing

ROOT: Final = "MINARI_DATASETS_PATH"


def write(data: OfflineDataset, path: Path, name: str = "pandagrid/placement/medley-v0") -> Path:
    """Write a Minari data set `name` under the root folder `path`; SettingError if it is there."""
    minari = import_extra("minari", "minari")
    target = path / name
    if target.exists():
        raise SettingError("a new data set", f"{target}, which exists", "take another name")
    forget_asides(target)
    env = data.make()
    with writing(target, data.raw_bytes + SPARE), whole_folder(target) as aside, _root(aside):
        minari.create_dataset_from_buffers(
            name,
            _buffers(data),  # type: ignore[arg-type]  # taken one by one, never as a list
            env=env,
            eval_env=env,
            algorithm_name=", ".join(sorted(set(data.behaviours))),
            author="The panda-grid-gym developers",
            author_email="none",
            code_permalink="none",
            description="Decisions of known placement policies; see dataset.json of the source.",
            data_format="hdf5",
        ).storage.update_metadata(_metadata(data))
        _lift(aside, aside / name)
    env.close()
    return target


def _buffers(data: OfflineDataset) -> Iterator[Any]:
    from minari.data_collector import EpisodeBuffer

    for index, episode in enumerate(data.episodes()):
        steps = len(episode)
        yield EpisodeBuffer(
            id=index,
            seed=episode.seed,
            observations=episode.parts(),
            actions=episode.actions.astype(np.int64),  # type: ignore[arg-type]
            rewards=episode.rewards,  # type: ignore[arg-type]
            terminations=np.zeros(steps, dtype=bool),  # type: ignore[arg-type]
            truncations=np.arange(1, steps + 1) == steps,  # type: ignore[arg-type]
            infos=_infos(episode),
        )


def _infos(episode: Episode) -> dict[str, Any]:
    def after_reset(values: np.ndarray) -> np.ndarray:
        return np.concatenate([[0.0], values])

    return {
        "cost": after_reset(episode.cost),
        "costs": {name: after_reset(cost) for name, cost in episode.costs.items()},
        "probability": after_reset(episode.probabilities),
        "difference_reward": after_reset(episode.difference_rewards),
    }


def _metadata(data: OfflineDataset) -> dict[str, Any]:
    ends = data.reference.ends
    return {
        "cost_limits": list(data.cost_limits),
        "ref_min_score": ends["min_episode_reward"],
        "ref_max_score": ends["max_episode_reward"],
        "num_episodes_average_score": data.reference.episodes,
        **ends,
    }


@contextmanager
def _root(folder: Path) -> Iterator[None]:
    """Minari writes below the folder that an environment variable names, and nowhere else."""
    before = os.environ.get(ROOT)
    os.environ[ROOT] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[ROOT]
        else:
            os.environ[ROOT] = before


def _lift(target: Path, inner: Path) -> None:
    """Move a data set up to `target`, and drop the folders of its name."""
    for child in inner.iterdir():
        os.replace(child, target / child.name)
    while inner != target:
        for left in inner.iterdir():
            left.unlink()  # the namespace's own metadata
        inner.rmdir()
        inner = inner.parent
