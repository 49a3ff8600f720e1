"""d3rlpy: discrete CQL on a data set of ours, played with the environment's masks.

    pip install d3rlpy==2.8.1          # pins gymnasium 1.0.0, and runs with newer ones
    pip install gymnasium==1.4.0
    python examples/adapters/d3rlpy_cql.py

d3rlpy knows neither costs nor masks. Both lie beside its arrays in the file; here the mask is
applied to its values when it acts.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import d3rlpy
import h5py
import numpy as np

from panda_gym.offline import datasets
from panda_gym.offline.datasets.formats.d3rlpy import ARRAYS

SMALL = {**datasets.SMALL, "jobs": 50, "stream_jobs": 2_000}


def act(learner: d3rlpy.algos.DiscreteCQL, seen: np.ndarray, mask: np.ndarray) -> int:
    """The legal site of the highest value."""
    sites = np.flatnonzero(mask)
    values = learner.predict_value(np.repeat(seen[None], len(sites), axis=0), sites)
    return int(sites[values.argmax()])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        data = datasets.collect(Path(folder) / "medley", datasets.recipe("medley"), 1_000, **SMALL)
        file = datasets.export(data, "d3rlpy", Path(folder) / "d3rlpy.hdf5")
        with h5py.File(file) as opened:
            arrays = {name: opened[name][()] for name in ARRAYS}
            size = int(opened.attrs["action_size"])
        theirs = d3rlpy.dataset.MDPDataset(
            **arrays, action_space=d3rlpy.ActionSpace.DISCRETE, action_size=size
        )
        learner = d3rlpy.algos.DiscreteCQLConfig(batch_size=64).create(device="cpu:0")
        learner.fit(
            theirs,
            n_steps=100,
            n_steps_per_epoch=100,
            show_progress=False,
            logger_adapter=d3rlpy.logging.NoopAdapterFactory(),
        )
        env = data.make(observation="flat")
        seen, info = env.reset(seed=0)
        truncated, total, cost = False, 0.0, 0.0
        while not truncated:
            action = act(learner, seen, env.unwrapped.action_masks())
            seen, reward, _, truncated, info = env.step(action)
            total, cost = total + reward, cost + info["cost"]
        reward, cost = data.get_normalized_score(total, cost, data.cost_limits[1])
        print(f"normalised reward {reward:.3f}, normalised cost {cost:.3f}")
