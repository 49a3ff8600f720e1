"""The standard suite: scenarios, policies, scales, loads and seeds that published results compare.

    panda-grid benchmark --policy heuristics --policy bound --scenario standard --load 0.85
    panda-grid benchmark --policy tuned --scenario standard --scale 0.01 --scale 0.1 --scale 1.0

Evaluation uses seeds from EVALUATION_SEEDS on; training uses seeds from `tuning.TRAINING_SEEDS` on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Size:
    """How much of a scenario is played at a scale."""

    jobs: int
    """Judged decisions of an episode."""
    warmup: int
    """Jobs of the warm start: those that arrive in the same 1.7 hours at every scale."""
    seeds: int
    """Paired episodes."""


SIZES: Final[Mapping[float, Size]] = {
    0.01: Size(jobs=2_000, warmup=500, seeds=10),
    0.1: Size(jobs=10_000, warmup=5_000, seeds=10),
    1.0: Size(jobs=50_000, warmup=50_000, seeds=3),
}
"""Scales of the suite (factor on the cores of every site) and what is played at each."""
SIZED_PLATFORM: Final = "atlas150"
"""Platform that SIZES holds for; others are played as at the smallest scale."""

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


def size_at(scale: float, platform: str = SIZED_PLATFORM) -> Size:
    """Return what is played at a scale: the entry of SIZES at the greatest scale up to it.

    Below the smallest scale, and on platforms other than SIZED_PLATFORM, it is the first entry.
    """
    least = min(SIZES)
    if platform != SIZED_PLATFORM:
        return SIZES[least]
    return SIZES[max((known for known in SIZES if known <= scale * (1 + 1e-9)), default=least)]


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
