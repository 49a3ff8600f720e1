"""`PandaGrid/DataPlacement-v0`: placement of jobs and of their data, single and vector."""

from __future__ import annotations

from typing import Any, final

from panda_gym.environments.base.documentation import documented, setting_rows
from panda_gym.environments.placement.env import PARTS, PlacementEnv
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.environments.placement.vector_env import PlacementVectorEnv


@final
@documented(**PARTS | {"arguments": setting_rows(Scenario, without=("data_actions", "decisions"))})
class DataPlacementEnv(PlacementEnv):
    """Place grid jobs on computing sites and move their data, one job a step.

    ## Description
    `PandaGrid/Placement-v0` with a second part of every decision, about the data of the job: bring
    a secondary replica of its input to a site, or remove one. Sites hold replicas within quotas.
    A job that runs where its input lies needs no transfer; a replica takes room from others.
    The action on data is carried out before the job is placed.

    ## Action space
    `MultiDiscrete([A, 1 + 2 S])`, with A = S, or S + 1 with `defer=True`.

    | component | values | meaning |
    |---|---|---|
    | 0 | 0 .. S - 1 | send the job to this site |
    | 0 | S | with `defer=True` only: let the job wait for `defer_s` seconds and ask again |
    | 1 | 0 | leave the data as they are |
    | 1 | 1 + s | bring a secondary replica of the job's input to site s |
    | 1 | 1 + S + s | remove the secondary replica of the job's input at site s |

    The masks of both components stand one after the other in `observation["action_mask"]` and in
    `env.unwrapped.action_masks()`. A replication is legal where the quota has room and no replica
    is; a removal is legal where a complete replica is that no job uses. An illegal first component
    sends the job to the site with the most cores, an illegal second one does nothing; both cost.

    ## Observation space
    A dictionary of arrays, float32 but for the mask. S is the number of sites. With
    `observation="flat"` it is one vector: `sites` row by row, then `job`, then `grid`. Values are
    encoded by fixed constants, as the last column says; the class `PlacementView` decodes them. A
    counter is as old as its last refresh (`staleness_s`), plus the jobs that were placed since.

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
    | `action_mask` | A + 1 + 2 S | 1 | [0, 1] | 1 where the action is legal |

    ## Reward
    `reward=` chooses one of these functions. They are sums over what happened since the last step.

    | name | meaning |
    |---|---|
    <<rewards>>

    `predicted` and `true` judge each decision at once, -1 meaning a slowdown of e = 2.7. A small
    discount suffices: `panda-grid train` uses 0.5. The other three are paid when jobs end, so a
    discount near 1 fits them; their returns grow with the number of jobs.

    ## Cost
    `info["costs"]` holds these, `info["cost"]` their sum. They are to be kept small and are no part
    of the reward.

    | name | meaning |
    |---|---|
    <<costs>>

    ## Episode end
    Truncated after `jobs` decisions; never terminated. Jobs that were placed and still run do not
    delay the end: `episode_log()` lets them end and returns the times of all jobs. With
    `tail_jobs=` jobs go on arriving, and the episode is truncated when the judged ones have ended.
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
    | `render_mode` | `None` | `ansi`: a table of the busiest sites; `rgb_array`: a map, uint8 |
    | `log` | `None` | file (.parquet) or folder in which every episode is logged |
    | `log_level` | `'jobs'` | `none`, `jobs`, or `events` for every event of every job |
    | `scenario` | `'default'` | name of a scenario, see `panda-grid scenarios` |
    <<arguments>>
    | `copy` | `True` | vector form only: `False` gives views that the next step rewrites |
    | `threads` | `1` | vector form only: threads that share the grids; results are the same |
    | `autoreset_mode` | `'same_step'` | vector form only: `next_step` or `disabled` |
    | `max_episode_steps` | `None` | steps after which an episode is truncated earlier |

    ## Example
    ```python
    import gymnasium
    import panda_gym

    env = gymnasium.make("PandaGrid/DataPlacement-v0", jobs=50, scale=0.01)
    observation, info = env.reset(seed=0)
    places = int(env.action_space.nvec[0])
    done = False
    while not done:
        mask = observation["action_mask"]
        action = env.action_space.sample((mask[:places], mask[places:]))
        observation, reward, terminated, truncated, info = env.step(action)
        done = terminated or truncated
    print(info["time_s"], info["costs"])
    ```

    ## Version history
    - v0: first version.
    - v0, release 0.2: links in double precision change results.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"data_actions": True, **settings})


@final
class DataPlacementVectorEnv(PlacementVectorEnv):
    """E grids side by side; see `DataPlacementEnv` for actions, observations, rewards and costs."""

    def __init__(self, num_envs: int = 1, **settings: Any) -> None:
        super().__init__(num_envs, **{"data_actions": True, **settings})
