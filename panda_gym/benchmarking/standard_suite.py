"""The standard suite: scenarios, policies, loads and seeds that published results compare.

    panda-grid benchmark --policy heuristics --policy bound --scenario standard --load 0.85

Evaluation uses seeds from EVALUATION_SEEDS on; training uses seeds from `tuning.TRAINING_SEEDS` on.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from panda_gym.deprecated import old_names, renamed_value
from panda_gym.errors import SettingError, nearest
from panda_gym.oracles import PREFIX
from panda_gym.oracles import names as oracle_names

EVALUATION_SEEDS: Final = 1000
"""First seed of an evaluation; training and fitting use seeds from 1,000,000 on."""
LEAST_SEEDS: Final = 10
"""Fewest paired seeds of a row of the leaderboard."""
LOADS: Final = (0.85, 1.0, 1.1)
"""Offered work / capacity of the sites."""
OBJECTIVE: Final = "geometric_slowdown"
"""Measure that ranks policies and states headroom: exp of the mean ln(bounded slowdown)."""
HEADROOM: Final = 0.15
"""Least share of the objective that the best heuristic leaves to the bound in a scenario."""

STANDARD: Final = ("atlas", "data-heavy", "default", "outage", "rush", "saturated", "stale")
"""Scenarios of the suite: those with headroom, see the page on the benchmark."""

HEURISTICS: Final = (
    "random",
    "capacity_random",
    "round_robin",
    "fastest",
    "least_queued",
    "least_queued_per_slot",
    "least_loaded",
    "shortest_of_few",
    "least_work_of_few",
    "sita",
    "dispatching_index",
    "data_locality",
    "panda_production@scaled",
    "panda_production_draw@scaled",
    "panda_analysis@scaled",
    "panda_analysis_original@scaled",
    "earliest_completion",
    "tuned",
)
"""Rules; "tuned" uses weights fitted to the scenario that it runs in."""

GROUPS: Final = {
    "heuristics": HEURISTICS,
    "oracles": tuple(PREFIX + name for name in oracle_names()),
    "bound": (PREFIX + "clairvoyant",),
}
"""Groups: names that stand for several policies."""


def is_heuristic(label: str) -> bool:
    """Whether a label names one of HEURISTICS, with any weights or scale of constants."""
    return label.split("@")[0] in {name.split("@")[0] for name in HEURISTICS}


def expand_policies(given: Iterable[str]) -> list[str]:
    """Return names with groups expanded, in order, without repetition."""
    wide = [one for name in given for one in GROUPS.get(name, (name,))]
    return list(dict.fromkeys(wide))


def expand_scenarios(given: Iterable[str]) -> list[str]:
    """Return names with "standard" expanded; SettingError for an unknown name."""
    from panda_gym.environments.placement.named_scenarios import SCENARIOS

    named = [renamed_value("scenario", name) for name in given]
    wide = [one for name in named for one in (STANDARD if name == "standard" else (name,))]
    for name in wide:
        if name not in SCENARIOS:
            raise SettingError(
                "the name of a scenario", repr(name), nearest(name, [*SCENARIOS, "standard"])
            )
    return list(dict.fromkeys(wide))


def weights_for(name: str, scenario: str, scale: float = 0.01) -> str:
    """Return "tuned" with the weights for a scenario and the nearest scale; else the name.

    "tuned@FILE" of a file with several fits is completed in the same way.

    Raises:
        PolicyError: there are weights neither for the scenario nor for the default one.
    """
    from panda_gym.environments.placement.policies.tuned_weights import (
        nearest_fit,
        read_fits,
        shipped,
    )

    file = name.removeprefix("tuned@")
    if name == "tuned":
        return f"tuned@{nearest_fit(shipped(), scenario, scale)}"
    if name != file and Path(file).is_file():
        return f"{name}#{nearest_fit(read_fits(file), scenario, scale)}"
    return name


__getattr__ = old_names(__name__)
