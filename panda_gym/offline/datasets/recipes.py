"""Named recipes of data sets: which behaviours, in which proportions (as in D4RL and DSRL).

    panda-grid dataset --recipe medium-expert

`expert` is `ppo-scorer` of the zoo, MaskablePPO on the default environment; `medium` is the same
learner after its first rollout (`agent.json` in its folder says how it was made).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from panda_gym.errors import SettingError, nearest

AGENTS: Final = Path(str(files("panda_gym.offline.datasets") / "agents"))
MEDIUM: Final = str(AGENTS / "medium")
EXPERT: Final = "ppo-scorer"
PANDA: Final = "panda_production_draw@scaled"


@dataclass(frozen=True)
class Recipe:
    """One recipe.

    behaviours: policies' names or agents' folders, with their shares of the episodes.
    """

    meaning: str
    behaviours: Mapping[str, float]


SMALL: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "platform": "small15",
        "scale": 0.1,
        "jobs": 200,
        "warmup": 100,
        "stream_jobs": 20_000,
        "input_scale": 10.0,
    }
)
"""Settings of the small environment of the examples, in which WAN traffic is a cost to limit."""

RECIPES: Final[Mapping[str, Recipe]] = MappingProxyType(
    {
        "random": Recipe("any legal site, each as likely", {"random": 1.0}),
        "panda": Recipe("PanDA's production brokerage, drawing by its weights", {PANDA: 1.0}),
        "earliest-completion": Recipe(
            "the best simple rule, by predicted workload", {"earliest_completion": 1.0}
        ),
        "medium": Recipe("an agent stopped after one rollout", {MEDIUM: 1.0}),
        "expert": Recipe("an agent trained to the end", {EXPERT: 1.0}),
        "medium-expert": Recipe("half of each", {MEDIUM: 1.0, EXPERT: 1.0}),
        "medley": Recipe(
            "rules from poor to good and from expensive to cheap",
            {"random": 1.0, PANDA: 1.0, "earliest_completion": 1.0, "data_locality": 1.0},
        ),
    }
)
"""Recipes by name."""


def recipe(name: str) -> dict[str, float]:
    """Return the behaviours of a recipe; SettingError suggests the nearest name."""
    if name not in RECIPES:
        raise SettingError("the name of a recipe", repr(name), nearest(str(name), RECIPES))
    return dict(RECIPES[name].behaviours)
