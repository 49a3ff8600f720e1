"""Difference rewards of a finished episode: minus each decision's own and external cost.

A difference reward is what all agents together lose by one agent's action (Wolpert and Tumer,
"Optimal payoff functions for members of collectives", 2002). It holds all later consequences of
its decision, so that the discount is 0.
"""

from __future__ import annotations

import numpy as np

from panda_gym.credit.external_cost import attempt_costs, external_costs, own_costs
from panda_gym.credit.objectives import DEFAULT, Objective
from panda_gym.errors import InputError, SettingError
from panda_gym.simulator import EpisodeLog, Settings, Simulator

Array = np.ndarray


def difference_rewards(
    simulator: Simulator, e: int, log: EpisodeLog, objective: Objective = DEFAULT
) -> Array:
    """Return the difference reward of every attempt in grid e's episode, float64[len(log)].

    log: of the episode after all placed jobs have ended (`Simulator.drain`). Values are nan for
    jobs that were never placed. SettingError unless jobs start first come, first served and the
    objective weighs external costs.
    """
    cost = own_costs(log, objective) + attempt_costs(log, objective)
    if objective.external:
        external = external_costs(simulator, e, log, objective)
        cost = cost + objective.external * np.minimum(external, objective.external_max)
    return -cost


def check_one_site(
    settings: Settings, objective: Objective, error: type[InputError] = SettingError
) -> None:
    """Raise `error` unless each decision is one site, in queues whose external costs are known."""
    if settings.decisions > 1 or settings.replicate or settings.defer_s is not None:
        do = "drop decisions=, data_actions=, defer="
        raise error("one site a decision", "other actions", do)
    if objective.external and settings.discipline != "fifo":
        came = f"discipline={settings.discipline!r}"
        raise error("queues first come, first served", came, "drop discipline=")
