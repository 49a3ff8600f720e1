"""`PandaGrid/Placement-v0` as a gymnasium.vector.VectorEnv on one kernel."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from gymnasium.vector import AutoresetMode

from panda_gym.credit import Objective, Settled
from panda_gym.environments.base.vector_env import BatchVectorEnv
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.rendering import painter
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.simulator import EpisodeLog


class PlacementVectorEnv(BatchVectorEnv):
    """E grids side by side; see `PlacementEnv` for actions, observations, rewards and costs.

    With copy=False observations are views that the next step rewrites. With log=FOLDER every
    episode is written as it ends, see `panda_gym.episode_log`. `threads` share the grids: the
    results are the same. With objective="ln_slowdown" (or another of `panda_gym.credit.OBJECTIVES`)
    `settled` gives the difference reward of every decision once its episode has ended. See
    `panda_gym.environments.base.vector_env` for the autoreset modes.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012
        "autoreset_mode": AutoresetMode.SAME_STEP,
        "render_modes": ["ansi", "rgb_array"],
        "render_fps": 20,
    }
    batch: PlacementBatch

    def __init__(
        self,
        num_envs: int = 1,
        *,
        observation: str = "dict",
        ranked: bool = False,
        render_mode: str | None = None,
        copy: bool = True,
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
        max_episode_steps: int | None = None,
        info: str = "full",
        log: str | Path | None = None,
        log_level: str = "jobs",
        threads: int = 1,
        objective: str | Objective | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(
            PlacementBatch(
                Scenario.of(**settings),
                num_envs,
                observation,
                ranked=ranked,
                log=log,
                log_level=log_level,
                threads=threads,
                objective=objective,
            ),
            render_mode=render_mode,
            painter=painter,
            copy=copy,
            autoreset_mode=autoreset_mode,
            max_episode_steps=max_episode_steps,
            info=info,
        )

    def fork(self, seed: int) -> PlacementVectorEnv:
        """Return a copy with the same observed past and fresh draws for all that is unseen.

        See `PlacementEnv.fork`; every episode is drawn by itself from the seed.
        """
        aside = copy.deepcopy(self)
        aside.batch = self.batch.fork(seed)
        return aside

    def settled(self) -> Settled:
        """Return the decisions settled since the last call, with their difference rewards.

        A decision is settled when its episode has ended, each exactly once: arrays `env`,
        `episode`, `decision`, `reward` and `judged`. The reward is minus the objective's own and
        external cost (`panda_gym.credit`), which holds all later consequences of the decision, so
        that the discount is 0. SettingError unless made with objective=.
        """
        return self.batch.settled()

    def episode_log(self, e: int, drain: bool = True) -> EpisodeLog:
        """Return the jobs of grid e; with `drain`, after all placed jobs have ended.

        Under SAME_STEP the step that ends an episode begins the next one: ask before it, or use the
        single environment.
        """
        return self.batch.log(e, drain)
