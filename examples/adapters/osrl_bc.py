"""OSRL: its behaviour cloning on a file of ours in DSRL's format.

    pip install torch==2.13.0
    pip install --no-deps osrl-lib==0.1.0 dsrl==0.1.0 pyrallis typing-inspect
    pip install fast-safe-rl==0.1.0 'numpy==1.26.4' 'pandas<3' 'pyarrow<22' 'setuptools<81'
    python examples/adapters/osrl_bc.py

It imports the loggers of FSRL, which the last line installs. OSRL knows Box actions: the file is
written with scores as actions, and played through `ScoreAction`. Its data loader takes the
dictionary of arrays that DSRL's environments return.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import gymnasium
import h5py
import numpy as np
from osrl.algorithms import BC, BCTrainer
from osrl.common import TransitionDataset
from torch.utils.data import DataLoader

from panda_gym.environments.placement.wrappers import ScoreAction
from panda_gym.offline import datasets

SMALL = {**datasets.SMALL, "jobs": 50, "stream_jobs": 2_000}
KEYS = (
    "observations",
    "next_observations",
    "actions",
    "rewards",
    "costs",
    "terminals",
    "timeouts",
)


class Silent:
    """What OSRL's trainers ask of a logger."""

    def store(self, **_: float) -> None: ...


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        data = datasets.collect(Path(folder) / "medley", datasets.recipe("medley"), 1_000, **SMALL)
        file = datasets.export(data, "dsrl", Path(folder) / "dsrl.hdf5", scores=True)
        with h5py.File(file) as opened:
            arrays = {name: np.asarray(opened[name]) for name in KEYS}
        env: gymnasium.Env = ScoreAction(data.make(observation="flat"))
        learner = BC(
            state_dim=env.observation_space.shape[0],
            action_dim=env.action_space.shape[0],
            max_action=float(env.action_space.high[0]),
            a_hidden_sizes=[64, 64],
            episode_len=int(data.document["jobs"]),
            device="cpu",
        )
        trainer = BCTrainer(learner, env, logger=Silent(), actor_lr=1e-3, device="cpu")
        loader = iter(DataLoader(TransitionDataset(arrays), batch_size=64))
        for _ in range(100):
            observations, _, actions, *_ = next(loader)
            trainer.train_one_step(observations, actions)
        reward, cost, steps = trainer.evaluate(2)
        reward, cost = data.get_normalized_score(reward, cost, data.cost_limits[1])
        print(f"{steps:.0f} decisions, normalised reward {reward:.3f}, normalised cost {cost:.3f}")
