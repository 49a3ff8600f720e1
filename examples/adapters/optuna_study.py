"""Optuna: two jobs at once tune the temperature of a policy on the same worlds.

    pip install optuna==5.0.0
    python examples/adapters/optuna_study.py

Each trial makes environments of its own, so that threads share nothing. All trials play the same
seeds: their results differ by the parameters alone.
"""

from __future__ import annotations

import gymnasium
import numpy as np
import optuna

import panda_gym  # noqa: F401  (registers the environments)
from panda_gym.environments.placement.observation import PlacementView

WORLDS = 4


def objective(trial: optuna.Trial) -> float:
    """Mean reward a decision of a score of wait, transfer and run time, to be maximised."""
    wait = trial.suggest_float("wait", 0.1, 10.0, log=True)
    transfer = trial.suggest_float("transfer", 0.1, 10.0, log=True)
    grids = gymnasium.make_vec("PandaGrid/Placement-v0", num_envs=WORLDS, jobs=50, scale=0.1)
    observation, _ = grids.reset(seed=0)
    paid = []
    for _ in range(50):
        view = PlacementView(observation)
        time = wait * view.site("wait") + transfer * view.site("transfer") + view.site("run")
        sites = np.where(view.mask, time, np.inf).argmin(axis=1)
        observation, rewards, *_ = grids.step(sites)
        paid.append(rewards.mean())
    grids.close()
    return float(np.mean(paid))


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(objective, n_trials=8, n_jobs=2)
    assert len(study.trials) == 8
    assert all(trial.state.name == "COMPLETE" for trial in study.trials)
    assert study.best_value == objective(optuna.trial.FixedTrial(study.best_params))
    print(f"best of {len(study.trials)}: {study.best_value:.4f} with {study.best_params}")
