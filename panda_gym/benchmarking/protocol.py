"""The benchmark's protocol: what is compared on what; a table of names and numbers, no machine.

    panda-grid benchmark --policy heuristics --policy bound --scenario kept --load 0.85 --load 1.1

Training uses seeds from `tuning.TRAINING_SEEDS` on, evaluation the seeds from EVALUATION_SEEDS on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from panda_gym.errors import PolicyError, SettingError, nearest
from panda_gym.oracles import PREFIX
from panda_gym.oracles import names as oracle_names

EVALUATION_SEEDS: Final = 1000
"""The first seed of an evaluation; what is trained or fitted uses seeds from 1,000,000 on."""
LEAST_SEEDS: Final = 10
"""Paired worlds below which no row enters the leaderboard."""
LOADS: Final = (0.85, 1.0, 1.1)
"""Offered work / what the sites can do."""
OBJECTIVE: Final = "geometric_slowdown"
"""What headroom and rank are stated in: exp of the mean ln bounded slowdown."""
HEADROOM: Final = 0.15
"""A scenario stays while its best heuristic leaves this share of the objective to the bound."""

KEPT: Final = ("atlas", "data-heavy", "default", "outage", "rush", "saturated", "stale")
"""Scenarios with headroom, see docs/results/benchmark.md."""

HEURISTICS: Final = (
    "random",
    "capacity_random",
    "round_robin",
    "fastest",
    "least_queued",
    "least_queued_per_slot",
    "least_loaded",
    "shortest_of_few",
    "data_locality",
    "panda_production@scaled",
    "panda_production_draw@scaled",
    "panda_analysis@scaled",
    "panda_analysis_original@scaled",
    "earliest_completion",
    "tuned",
)
"""Policies that were not learned; "tuned" takes the weights of the scenario it is run in."""

GROUPS: Final = {
    "heuristics": HEURISTICS,
    "oracles": tuple(PREFIX + name for name in oracle_names()),
    "bound": (PREFIX + "clairvoyant",),
}
"""Names that stand for several policies."""


def is_heuristic(label: str) -> bool:
    """Whether a label names one of HEURISTICS, whatever its weights or the scale of constants."""
    return label.split("@")[0] in {name.split("@")[0] for name in HEURISTICS}


def expand_policies(given: Iterable[str]) -> list[str]:
    """Names with groups put out, in order, each once."""
    wide = [one for name in given for one in GROUPS.get(name, (name,))]
    return list(dict.fromkeys(wide))


def expand_scenarios(given: Iterable[str]) -> list[str]:
    """Names with "kept" put out; SettingError suggests the nearest of an unknown one."""
    from panda_gym.environments.placement.named_scenarios import SCENARIOS

    wide = [one for name in given for one in (KEPT if name == "kept" else (name,))]
    for name in wide:
        if name not in SCENARIOS:
            raise SettingError(
                "the name of a scenario", repr(name), nearest(name, [*SCENARIOS, "kept"])
            )
    return list(dict.fromkeys(wide))


def weights_for(name: str, scenario: str) -> str:
    """ "tuned" as the policy tuned for a scenario, or for the default one where none is."""
    from panda_gym.environments.placement.policies.tuned import fitted

    if name != "tuned":
        return name
    if scenario in fitted():
        return f"tuned@{scenario}"
    if "default" not in fitted():
        raise PolicyError("weights of the scenario or the default", "neither", "panda-grid tune")
    return "tuned@default"
