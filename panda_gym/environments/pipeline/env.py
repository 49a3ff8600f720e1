"""`PandaGrid/Pipelines-v0` as a gymnasium.Env."""

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
from panda_gym.environments.pipeline.batch import INFO, PipelineBatch
from panda_gym.environments.pipeline.cost import COSTS
from panda_gym.environments.pipeline.observation import (
    FLEET_FEATURES,
    MODEL_FEATURES,
    PLACE_FEATURES,
)
from panda_gym.environments.pipeline.rendering import painter
from panda_gym.environments.pipeline.reward import REWARDS
from panda_gym.environments.pipeline.scenario import FLEET, PipelineScenario
from panda_gym.pipelines.fleet import Fleet
from panda_gym.pipelines.history import History


@final
@documented(
    models=feature_rows(MODEL_FEATURES, "M"),
    places=feature_rows(PLACE_FEATURES, "P"),
    fleet=feature_rows(FLEET_FEATURES, "1"),
    rewards=function_rows(REWARDS),
    costs=function_rows(COSTS),
    info=info_rows({**INFO, **ranking.INFO}),
    arguments=setting_rows(PipelineScenario, Fleet),
    ranked=ranking.SETTING,
    fleet_defaults=", ".join(f"`{name}={value}`" for name, value in FLEET.items()),
)
class PipelineEnv(BatchEnv):
    """Operate a fleet of machine-learning models whose quality drifts.

    ## Description
    M models are in service. Their performance drifts as the world changes; a pipeline of tasks
    (preprocess, train, evaluate, deploy) makes a model fresh again. Monitors, periods and new data
    ask for runs. The agent is the operator: at each step it runs the pipeline of a model at a
    place, whether it was asked for or not, or defers. Places are the training cluster and grid
    sites, which have slots, a speed and a price. Time runs to the next request or review
    when the agent defers; running a model takes no time.

    ## Action space
    `Discrete(M * P + 1)`, for M models and P places.

    | number | action |
    |---|---|
    | m * P + p | run the pipeline of model m with its training at place p |
    | M * P | defer: do nothing until the next request or review |

    A running model cannot be run again. The mask is `observation["action_mask"]`, and
    `env.unwrapped.action_masks()` through wrappers. An illegal action defers, and costs.
    `panda_gym.sb3.policy_kwargs()` is a network for learners of stable-baselines3,
    `panda_gym.sb3.actor_critic(env)` the same in torch.

    ## Observation space
    A dictionary of arrays, float32 but for the mask. With `observation="flat"` it is one vector:
    the parts in the order of their names, row by row, without the mask. Values are encoded by fixed
    constants, as the last column says, and cut to [0, 1]; the class `PipelineView` decodes them.

    With `ranked=True` the models stand in the order of weighted expected gain per hour of training,
    highest first and running ones last, and the places in that of price over speed plus half the
    work at hand. Action m * P + p runs the m-th model at the p-th place if the gain over 48 hours
    exceeds the price at the first place, and defers otherwise.

    `models`, the models in service:

    | name | shape | unit | range | meaning |
    |---|---|---|---|---|
    <<models>>

    `places`, the training cluster and grid sites:

    | name | shape | unit | range | meaning |
    |---|---|---|---|---|
    <<places>>

    `fleet`, the whole:

    | name | shape | unit | range | meaning |
    |---|---|---|---|---|
    <<fleet>>

    The mask, int8:

    | name | shape | unit | range | meaning |
    |---|---|---|---|---|
    | `action_mask` | M * P + 1 | 1 | [0, 1] | 1 where the action is legal |

    ## Reward
    `reward=` chooses one of these functions. Quality hours are the weighted time integral of the
    models' performance since the last step.

    | name | meaning |
    |---|---|
    <<rewards>>

    A day of M models at performance 1 and weight 1 is 24 M quality hours, so returns of `net` are
    some thousands. `lost` orders policies as `net` does, with returns between about -80 and -40:
    networks learn from it without normalisation. A run takes no time and a deferral up to
    `review_hours`, so discount by time, not by step: `panda_gym.training.TimeDiscountCallback` does
    so for learners of stable-baselines3, `panda_gym.environments.base.semi_markov.TimeDiscount`
    inside the environment, and `info["elapsed_s"]` has the times.

    ## Cost
    `info["costs"]` holds every cost by name, `info["cost"]` their sum.

    | name | meaning |
    |---|---|
    <<costs>>

    ## Episode end
    Truncated after `days`; never terminated. `history()` returns all runs and tasks.
    A `step` outside an episode raises SettingError. In the vector form the step that ends an
    episode begins the next one (`AutoresetMode.SAME_STEP`); `autoreset_mode=` chooses another.

    ## Reset options
    None in the single form. In the vector form `options={"reset_mask": mask}`, bool[num_envs],
    begins new episodes only where the mask is true. Other options raise SettingError. The seed
    draws requests and durations; the fleet itself is drawn from `fleet_seed`.

    ## Info
    | key | type | meaning |
    |---|---|---|
    <<info>>

    ## Arguments
    All are keywords of `gymnasium.make` and `gymnasium.make_vec`. The fleet starts with
    <<fleet_defaults>> unless they are given.

    | name | default | meaning |
    |---|---|---|
    | `observation` | `'dict'` | `dict`, or `flat` for one vector without the mask |
    | `ranked` | `False` | <<ranked>> |
    | `render_mode` | `None` | `ansi`: bars as text; `rgb_array`: bars as a frame, uint8 |
    | `info` | `'full'` | `cost`: nothing but the cost, a flat dictionary |
    | `log` | `None` | file (.parquet) or folder in which every episode is logged |
    | `log_level` | `'jobs'` | `none`; `jobs`, every task; `events`, also every decision |
    <<arguments>>
    | `copy` | `True` | vector form only: kept for the common interface |
    | `autoreset_mode` | `'same_step'` | vector form only: `next_step` or `disabled` |
    | `max_episode_steps` | `None` | steps after which an episode is truncated earlier |

    ## Example
    ```python
    import gymnasium
    import panda_gym

    env = gymnasium.make("PandaGrid/Pipelines-v0", models=5, days=3.0)
    observation, info = env.reset(seed=0)
    total, done = 0.0, False
    while not done:
        action = env.action_space.sample(observation["action_mask"])
        observation, reward, terminated, truncated, info = env.step(action)
        total, done = total + reward, terminated or truncated
    print(total, info["runs"])
    ```

    ## Version history
    - v0: first version.
    - v0, release 0.2: illegal actions cost; the default reward is `lost` (0.1: `net`).
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 4}  # noqa: RUF012
    batch: PipelineBatch

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
        scenario = PipelineScenario.of(**settings)
        batch = PipelineBatch(scenario, 1, observation, ranked=ranked, log=log, log_level=log_level)
        super().__init__(batch, render_mode, painter, info)

    def history(self) -> History:
        """Return all runs so far, or of the episode that ended."""
        return self.batch.history(0)
