"""`PandaGrid/Workflow-v0` as a gymnasium.Env."""

from __future__ import annotations

from pathlib import Path
from typing import Any, final

from panda_gym.environments.base import ranking
from panda_gym.environments.base.documentation import (
    documented,
    feature_rows,
    function_rows,
    info_rows,
    setting_rows,
)
from panda_gym.environments.base.env import BatchEnv
from panda_gym.environments.workflow.batch import INFO, WorkflowBatch
from panda_gym.environments.workflow.cost import COSTS
from panda_gym.environments.workflow.observation import (
    GRAPH_FEATURES,
    PAIR_FEATURES,
    PLAN_FEATURES,
    SET_FEATURES,
    SITE_FEATURES,
)
from panda_gym.environments.workflow.rendering import painter
from panda_gym.environments.workflow.reward import REWARDS
from panda_gym.environments.workflow.scenario import WorkflowScenario
from panda_gym.workflows.execution import Execution


@final
@documented(
    sets=feature_rows(SET_FEATURES, "K"),
    graph=feature_rows(GRAPH_FEATURES, "1"),
    sites=feature_rows(SITE_FEATURES, "P"),
    pairs=feature_rows(PAIR_FEATURES, "K, P"),
    plan=feature_rows(PLAN_FEATURES, "K, P"),
    rewards=function_rows(REWARDS),
    costs=function_rows(COSTS),
    info=info_rows({**INFO, **ranking.INFO}),
    arguments=setting_rows(WorkflowScenario),
    ranked=ranking.SETTING,
)
class WorkflowEnv(BatchEnv):
    """Run a workflow of task sets on a pool of nodes or on grid sites.

    ## Description
    A workflow is a graph of task sets, such as one DeepDriveMD campaign: a set waits for others,
    and its tasks are alike. The agent is the workflow manager. At each step it places tasks of a
    ready set at a site, or holds; time then runs to the next moment at which something can be
    decided. Running sets beside each other masks the time of short ones beneath long ones
    (asynchronous execution). Tasks need threads, GPUs and memory; on a platform with several sites
    inputs travel between them.

    By default every episode draws its own graph and the durations of its tasks from the seed
    (`workflow="random:campaign"`): three of four are 4 to 8 layers of 3 to 6 task sets, each with one or
    two parents in the layer before and 8 to 32 tasks; one of four has the form of DeepDriveMD. Durations are
    lognormal with a standard deviation of a fifth of their mean, and the agent sees means alone.
    `panda_gym.workflows.random_graphs` says how all shapes are drawn.

    ## Action space
    `Discrete(K * P + 1)`, for K slots (`slots`) and P sites (1 for a pool).

    | number | action |
    |---|---|
    | k * P + p | place the ready set of slot k at site p (all of its waiting tasks that fit, or one with `granularity="task"`) |
    | K * P | hold: place nothing until the next event |

    Ready sets stand in the slots first come first. `panda_gym.sb3.policy_kwargs()` is a network for
    learners of stable-baselines3, `panda_gym.sb3.actor_critic(env)` the same in torch. The mask is `observation["action_mask"]`, and
    `env.unwrapped.action_masks()` through wrappers. An illegal action is replaced by the first
    legal one, and costs.

    ## Observation space
    A dictionary of arrays, float32 but for the mask. With `observation="flat"` it is one vector:
    the parts in the order of their names, row by row, without the mask. Values are encoded by fixed constants, as the
    last column says, and cut to 1; the class `WorkflowView` decodes them.

    With `ranked=True` the sets stand in the order of upward rank, highest first, and the sites in the order of the
    expected finish of the first set (delay and run). Sets that may go nowhere, and sites where that set may not go, come
    last. Action k * P + p places the k-th set at the p-th site. An illegal action is replaced by the first
    legal one of this order.

    `sets`, the ready sets:

    | name | shape | unit | range | meaning |
    |---|---|---|---|---|
    <<sets>>

    `graph`, the workflow and the machine as a whole:

    | name | shape | unit | range | meaning |
    |---|---|---|---|---|
    <<graph>>

    `sites`, where tasks can run:

    | name | shape | unit | range | meaning |
    |---|---|---|---|---|
    <<sites>>

    `pairs`, a ready set at a site:

    | name | shape | unit | range | meaning |
    |---|---|---|---|---|
    <<pairs>>

    With `plan="heft"`, or another static schedule, `pairs` goes on with what it says. It is computed
    when an episode begins (about 10 ms for 100 tasks on 15 sites with `heft`):

    | name | shape | unit | range | meaning |
    |---|---|---|---|---|
    <<plan>>

    The mask, int8:

    | name | shape | unit | range | meaning |
    |---|---|---|---|---|
    | `action_mask` | K * P + 1 | 1 | [0, 1] | 1 where the action is legal |

    ## Reward
    `reward=` chooses one of these functions.

    | name | meaning |
    |---|---|
    <<rewards>>

    t_seq is the sequential time to execution: one stage after the other. Returns lie between about
    -1 and 0 without discount: use a discount of 1. Decisions are not equally far apart
    (`info["elapsed_s"]`); `panda_gym.environments.base.semi_markov` discounts by time.

    ## Cost
    `info["costs"]` holds every cost by name, `info["cost"]` their sum.

    | name | meaning |
    |---|---|
    <<costs>>

    ## Episode end
    Terminated when all tasks have ended; never truncated. `execution()` then returns the times of
    every task. A `step` outside an episode raises SettingError. In the vector form the step that
    ends an episode begins the next one (`AutoresetMode.SAME_STEP`); `autoreset_mode=` chooses
    another.

    ## Reset options
    None in the single form. In the vector form `options={"reset_mask": mask}`, bool[num_envs],
    begins new episodes only where the mask is true. Other options raise SettingError. The seed
    draws the graph, or which of the given ones it is, and the durations of its tasks.

    ## Info
    | key | type | meaning |
    |---|---|---|
    <<info>>

    ## Arguments
    All are keywords of `gymnasium.make` and `gymnasium.make_vec`.

    | name | default | meaning |
    |---|---|---|
    | `observation` | `'dict'` | `dict`, or `flat` for one vector without the mask |
    | `ranked` | `False` | <<ranked>> |
    | `render_mode` | `None` | `ansi`: bars as text; `rgb_array`: bars as a frame, uint8 |
    | `info` | `'full'` | `cost`: nothing but the cost, a flat dictionary |
    | `log` | `None` | file (.parquet) or folder in which every episode is logged |
    | `log_level` | `'jobs'` | `none`; `jobs`, every task; `events`, also every decision |
    <<arguments>>
    | `copy` | `True` | vector form only: `False` gives views that the next step rewrites |
    | `autoreset_mode` | `'same_step'` | vector form only: `next_step` or `disabled` |
    | `max_episode_steps` | `None` | steps after which an episode is truncated |

    ## Example
    ```python
    import gymnasium
    import panda_gym

    env = gymnasium.make("PandaGrid/Workflow-v0", workflow="ddmd")
    observation, info = env.reset(seed=0)
    total, done = 0.0, False
    while not done:
        action = env.action_space.sample(observation["action_mask"])
        observation, reward, terminated, truncated, info = env.step(action)
        total, done = total + reward, terminated or truncated
    print(total, info["clock_s"])
    ```

    ## Version history
    - v0: first version.
    - v0, release 0.2: the cost is that of a step; the sequential time, which scales rewards, and
      `doa_res` respect the capacity of nodes; by default the seed draws the graph and durations (0.1
      ran `workflow="ddmd"`, which stays by name), and a random shape draws a new graph each episode
      (0.1: `variants=16`).
    """  # noqa: E501

    metadata: dict[str, Any] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 4}  # noqa: RUF012
    batch: WorkflowBatch

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
        scenario = WorkflowScenario.of(**settings)
        batch = WorkflowBatch(scenario, 1, observation, ranked=ranked, log=log, log_level=log_level)
        super().__init__(batch, render_mode, painter, info)

    def execution(self) -> Execution:
        """Return the times of every task after the episode's end; SettingError before."""
        return self.batch.execution(0)
