"""Costs: functions of the outcome of a decision.

Each takes the outcomes of E decisions (a structured array, see `panda_gym.simulator.state`:
OUTCOME) and returns float64[E], to be kept small. `info["costs"]` has those of the setting `costs`
by name, DEFAULT unless others are asked for, and `info["cost"]` their sum. A new cost is one
function and one line in COSTS.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from panda_gym.errors import SettingError, nearest
from panda_gym.units import BYTES_PER_TB, SECONDS_PER_HOUR

Array = np.ndarray
Cost = Callable[[Array], Array]

COSTS: Final = {
    "illegal_action": "panda_gym.environments.placement.cost:illegal_action",
    "wan_tb": "panda_gym.environments.placement.cost:wan_tb",
    "wasted_core_h": "panda_gym.environments.placement.cost:wasted_core_h",
    "closures": "panda_gym.environments.placement.cost:closures",
    "quota_tb": "panda_gym.environments.placement.cost:quota_tb",
    "energy_kwh": "panda_gym.environments.placement.cost:energy_kwh",
    "carbon_kg": "panda_gym.environments.placement.cost:carbon_kg",
}

ELECTRICITY: Final = ("energy_kwh", "carbon_kg")
"""Costs that the electricity of the sites decides, computed where they are asked for."""

DEFAULT: Final = tuple(name for name in COSTS if name not in ELECTRICITY)
"""Costs of the step unless others are asked for: what goes wrong, and traffic."""


def functions(names: Sequence[str] | None = None) -> dict[str, Cost]:
    """Return costs by name, DEFAULT by default; SettingError for an unknown name."""
    found: dict[str, Cost] = {}
    for name in DEFAULT if names is None else names:
        if name not in COSTS:
            came, hint = repr(name), nearest(str(name), COSTS)
            raise SettingError("the name of a cost", came, f"{hint}; known: {', '.join(COSTS)}")
        module, _, function = COSTS[name].partition(":")
        found[name] = getattr(importlib.import_module(module), function)
    return found


def illegal_action(outcome: Array) -> Array:
    """1 where the action was masked or out of range, and the job went to the fallback site."""
    return outcome["illegal"].astype(np.float64)


def wan_tb(outcome: Array) -> Array:
    """Input that the decision asks to move between sites, for the job and by a replication, TB.
    0 where the job joins a transfer. A transfer that is cut off later stays charged in full; the
    log and the measure `wan` count what has moved.
    """
    return outcome["wan_bytes"] / BYTES_PER_TB


def wasted_core_h(outcome: Array) -> Array:
    """Core hours held by attempts that left unfinished until the next decision."""
    return outcome["wasted_core_s"] / SECONDS_PER_HOUR


def closures(outcome: Array) -> Array:
    """Attempts that a time limit closed before they ran, until the next decision."""
    return outcome["closures"].astype(np.float64)


def quota_tb(outcome: Array) -> Array:
    """Inputs and outputs that found no room within a quota until the next decision, TB."""
    return outcome["overrun_bytes"] / BYTES_PER_TB


def energy_kwh(outcome: Array) -> Array:
    """Energy of the cores that the decision's job will hold if it runs to its end, kWh.
    Stand-in figures, see `panda_gym.sites.energy`; 0 where the job was deferred.
    """
    return outcome["energy_kwh"]


def carbon_kg(outcome: Array) -> Array:
    """Emissions of that energy at the site's country and the hours of the run, kg CO2e."""
    return outcome["carbon_kg"]
