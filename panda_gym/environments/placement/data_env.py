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

    With `ranked=True` the sites stand in the order of expected completion (transfer, wait and run),
    earliest first and illegal ones last, in all parts and in both components of an action.

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

    <<shared>>

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
    - v0, release 0.2: links in double precision change results, and so do transfers that jobs join:
      a dataset on its way to a site is not fetched there twice. The default reward is
      `shaped_slowdown`; it was `predicted`.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"data_actions": True, **settings})


@final
class DataPlacementVectorEnv(PlacementVectorEnv):
    """E grids side by side; see `DataPlacementEnv` for actions, observations, rewards and costs."""

    def __init__(self, num_envs: int = 1, **settings: Any) -> None:
        super().__init__(num_envs, **{"data_actions": True, **settings})
