"""`PandaGrid/Placement-v0` as a gymnasium.Env."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Final

import numpy as np

from panda_gym.environments.base import ranking
from panda_gym.environments.base.documentation import (
    documented,
    feature_rows,
    function_rows,
    info_rows,
    setting_rows,
)
from panda_gym.environments.base.env import BatchEnv
from panda_gym.environments.placement import cost, reward
from panda_gym.environments.placement.batch import INFO, PlacementBatch
from panda_gym.environments.placement.named_scenarios import SCENARIOS
from panda_gym.environments.placement.observation import GRID_FEATURES, JOB_FEATURES, SITE_FEATURES
from panda_gym.environments.placement.rendering import painter
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.simulator import EpisodeLog

SHARED: Final = """\
## Reward
`reward=` chooses one of these functions. They are sums over what happened since the last step.

| name | meaning |
|---|---|
<<rewards>>

The default, `shaped_slowdown`, is the objective of the benchmarks, charged at once: with
`tail_jobs=` the return is minus the sum of ln(bounded slowdown) of the judged jobs. A step is of
order 1, and a discount of 0 suffices, which is what is measured on the page of training results.
`predicted` and `true` also judge each decision at once, -1 meaning a slowdown of e = 2.7;
`panda-grid train` uses `predicted` and a discount of 0.5. The others are paid when jobs end, so a
discount near 1 fits them; their returns grow with the number of jobs.

`panda_gym.sb3.policy_kwargs()` is a network for the dictionary that treats all sites alike, for
MaskablePPO, PPO, A2C and DQN with "MultiInputPolicy". The same as a torch module, for CleanRL and
torchrl, is `panda_gym.sb3.actor_critic(env)`: logits and value of a batch of observations.

## Cost
`info["costs"]` holds these, `info["cost"]` their sum. They are to be kept small and are no part
of the reward. `costs=` names others, such as `costs=["carbon_kg"]`: `energy_kwh` and `carbon_kg`
are what the job's cores will take if it runs to its end, from stand-in figures by country and hour.

| name | meaning |
|---|---|
<<costs>>

## Episode end
Truncated after `jobs` decisions; never terminated. Jobs that were placed and still run do not
delay the end: `episode_log()` lets them end and returns the times of all jobs. With
`tail_jobs=` jobs go on arriving, and the episode is truncated when the judged ones have ended.
The last observation shows the job that would come next, so that learners can bootstrap from it;
nothing places that job.
A `step` outside an episode raises SettingError. In the vector form the step that ends an
episode begins the next one (`AutoresetMode.SAME_STEP`); `autoreset_mode=` chooses another.

## Reset options
None in the single form. In the vector form `options={"reset_mask": mask}`, bool[num_envs],
begins new episodes only where the mask is true. Other options raise SettingError. The same
seed gives the same episode; in the vector form grid e gets seed + e.

## Info
| key | type | meaning |
|---|---|---|
<<info>>

## Arguments
All are keywords of `gymnasium.make` and `gymnasium.make_vec`. `scenario=` takes the settings of
a named scenario wherever none are given.

| name | default | meaning |
|---|---|---|
| `observation` | `'dict'` | `dict`, or `flat` for one vector |
| `ranked` | `False` | <<ranked>> |
| `render_mode` | `None` | `ansi`: a table of the busiest sites; `rgb_array`: a map, uint8 |
| `info` | `'full'` | `cost`: nothing but the cost, a flat dictionary |
| `log` | `None` | file (.parquet) or folder in which every episode is logged |
| `log_level` | `'jobs'` | `none`, `jobs`, or `events` for every event of every job |
| `scenario` | `'default'` | name of a scenario: <<scenarios>> |
<<arguments>>
| `copy` | `True` | vector form only: `False` gives views that the next step rewrites |
| `objective` | `None` | vector form only: objective of `settled()`, see the page on credit |
| `threads` | `1` | vector form only: threads that share the grids; results are the same |
| `autoreset_mode` | `'same_step'` | vector form only: `next_step` or `disabled` |
| `max_episode_steps` | `None` | steps after which an episode is truncated earlier |"""
"""Sections that the pages of both placement environments share."""

PARTS: Final = {
    "shared": SHARED,
    "ranked": ranking.SETTING,
    "scenarios": ", ".join(f"`{name}`" for name in SCENARIOS),
    "n_sites": str(len(SITE_FEATURES)),
    "n_job": str(len(JOB_FEATURES)),
    "n_grid": str(len(GRID_FEATURES)),
    "sites": feature_rows(SITE_FEATURES, "S"),
    "job": feature_rows(JOB_FEATURES, "1"),
    "grid": feature_rows(GRID_FEATURES, "1"),
    "rewards": function_rows(reward.functions()),
    "costs": function_rows(cost.functions()),
    "info": info_rows({**INFO, **ranking.INFO}),
    "arguments": setting_rows(Scenario),
}
"""Tables of the class docstrings."""


@documented(**PARTS)
class PlacementEnv(BatchEnv):
    """Place grid jobs on computing sites, one job a step.

    ## Description
    A broker such as ATLAS's PanDA receives jobs in order of arrival and sends each to one of S
    computing sites. Jobs come from a stream: a shipped surrogate of real records, a surrogate of
    your own, or a trace. At a site a job waits for its input and for free cores, then runs.
    The agent is the broker. At each step it sees one job and names its site; time then runs to the
    next arrival. It sees what a broker sees: counters that are some minutes old and predictions of
    workload and transfer time, not the true ones. A named scenario (`scenario="atlas"`) adds
    failures, retries, time limits, outages, quotas and shared links.

    ## Action space
    `Discrete(S)`, or `Discrete(S + 1)` with `defer=True`.

    | number | action |
    |---|---|
    | 0 .. S - 1 | send the job to this site |
    | S | with `defer=True` only: let the job wait for `defer_s` seconds and ask again |

    With `decisions=K` the K next jobs are placed at once: `MultiDiscrete([A] * K)`.
    A site is legal if it is online and has the cores that the job needs. The mask is
    `observation["action_mask"]`, and `env.unwrapped.action_masks()` through wrappers (with flat
    observations too). An illegal action sends the job to the site with the most cores, and costs.

    ## Observation space
    A dictionary of arrays, float32 but for the mask. S is the number of sites. With `decisions=K`
    every part has a leading axis K. With `observation="flat"` it is one vector: `sites` row by row,
    then `job`, then `grid`. Values are encoded by fixed constants, as the last column says; the
    class `PlacementView` decodes them. A counter is as old as its last refresh (`staleness_s`),
    plus the jobs that were placed since.

    With `ranked=True` the sites stand in the order of expected completion (transfer, wait and run),
    earliest first and illegal ones last, in all parts: action k sends the job to the k-th of them.

    `sites`, shape (<<n_sites>>, S), one row a feature:

    | name | shape | unit | range | meaning |
    |---|---|---|---|---|
    <<sites>>

    `job`, shape (<<n_job>>,), the job to be placed:

    | name | shape | unit | range | meaning |
    |---|---|---|---|---|
    <<job>>

    `grid`, shape (<<n_grid>>,), the grid as a whole:

    | name | shape | unit | range | meaning |
    |---|---|---|---|---|
    <<grid>>

    The mask, int8:

    | name | shape | unit | range | meaning |
    |---|---|---|---|---|
    | `action_mask` | A | 1 | [0, 1] | 1 where the action is legal |

    <<shared>>

    ## Example
    ```python
    import gymnasium
    import panda_gym

    env = gymnasium.make("PandaGrid/Placement-v0", jobs=50, scale=0.01)
    observation, info = env.reset(seed=0)
    done = False
    while not done:
        action = env.action_space.sample(observation["action_mask"])
        observation, reward, terminated, truncated, info = env.step(action)
        done = terminated or truncated
    print(info["time_s"], info["costs"])
    ```

    ## Version history
    - v0: first version.
    - v0, release 0.2: links in double precision and the pilot in EASY backfill change results where
      these mechanisms are on; retries after the last decision stay pending; EASY backfill counts
      requested wall times and all cores that are free when the head starts. With storage on, a job
      joins the transfer of its dataset that is on its way to its site. The default reward is
      `shaped_slowdown`; it was `predicted`.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 20}  # noqa: RUF012
    batch: PlacementBatch

    def __init__(
        self,
        *,
        observation: str = "dict",
        ranked: bool = False,
        render_mode: str | None = None,
        info: str = "full",
        log: str | Path | None = None,
        log_level: str = "jobs",
        **settings: Any,
    ) -> None:
        scenario = Scenario.of(**settings)
        batch = PlacementBatch(
            scenario, 1, observation, ranked=ranked, log=log, log_level=log_level
        )
        super().__init__(batch, render_mode, painter, info)

    def fork(self, seed: int) -> PlacementEnv:
        """Return a copy with the same observed past and fresh draws for all that is unseen.

        A planner that steps forks cannot foretell; one that steps `copy.deepcopy(env)` is an
        oracle, since an exact copy meets the same future. Same seed, same fork.
        """
        aside = copy.copy(self)
        aside.batch, aside._paint = self.batch.fork(seed), None
        aside.np_random = np.random.default_rng([seed, 1])
        return aside

    def episode_log(self, drain: bool = True) -> EpisodeLog:
        """Return the episode's jobs so far; with `drain`, after all placed jobs have ended.

        Draining lets time run on, so the episode is over: reset before the next step.
        """
        return self.batch.log(0, drain)
