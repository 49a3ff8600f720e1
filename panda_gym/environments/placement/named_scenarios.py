"""Named scenarios: a table of settings.

    gymnasium.make("PandaGrid/Placement-v0", scenario="saturated")
    panda-grid benchmark --scenario saturated

Every entry changes some settings of `panda_gym.environments.placement.scenario.Scenario`; what is
given beside it wins.
None of them sets platform, scale or number of jobs: any scenario runs at any size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from panda_gym.deprecated import old_names
from panda_gym.errors import SettingError, nearest

DEFAULT_SCALE: Final = 0.01
"""Default factor on the cores of every site."""
SMALL_SCALES: Final = {"small15": 0.1, "tiny4": 1.0}
"""Default scales of shipped platforms that are small already."""


@dataclass(frozen=True)
class Named:
    """One line of the table."""

    meaning: str
    """What is hard, or easy, about it."""
    settings: Mapping[str, Any]
    """Settings that differ from the default scenario's."""


DEFAULT: Final = "default"

ALL_MECHANISMS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "network": 1,
        "storage": True,
        "failures": True,
        "retries": True,
        "limits": True,
        "cancellations": True,
        "outages": True,
        "pilot_s": 300.0,
    }
)
"""Every mechanism of the grid on, with its own defaults: the ground of the scenarios below."""

SCENARIOS: Final[Mapping[str, Named]] = MappingProxyType(
    {
        DEFAULT: Named("The default settings of the environment.", {}),
        "atlas": Named(
            "Calibrated: PanDA's brokerage at full size waits, fails and moves data as public "
            "figures say (docs/results/scenarios.md).",
            {
                **ALL_MECHANISMS,
                "load": 1.05,
                "competing": {"mean": 0.5, "spread": 0.5, "memory": 0.985},
            },
        ),
        "calm": Named(
            "A quiet week: half of what the grid can do arrives, others take a quarter, no site "
            "goes down.",
            {
                **ALL_MECHANISMS,
                "outages": None,
                "load": 0.5,
                "competing": {"mean": 0.25, "spread": 0.1},
            },
        ),
        "saturated": Named(
            "A third more arrives than the grid can do: queues grow from first to last.",
            {**ALL_MECHANISMS, "load": 1.35, "competing": {"mean": 0.5, "spread": 0.3}},
        ),
        "data-heavy": Named(
            "Inputs ten times as large, links and quotas as they are: where the data lie decides.",
            {**ALL_MECHANISMS, "load": 0.85, "input_scale": 10.0},
        ),
        "outage": Named(
            "Every site goes down or browns out about once a day, for hours.",
            {
                **ALL_MECHANISMS,
                "load": 0.85,
                "outages": {"up_s": 86_400.0, "down_s": 21_600.0, "brown_s": 21_600.0},
            },
        ),
        "rush": Named(
            "Twice what the grid can do arrives for as long as the episode lasts, counters are "
            "ten minutes old.",
            {**ALL_MECHANISMS, "load": 2.0, "staleness_s": 600.0},
        ),
        "stale": Named(
            "As atlas, but the counters are half an hour old, while others come and go.",
            {
                **ALL_MECHANISMS,
                "load": 1.05,
                "competing": {"mean": 0.5, "spread": 0.5, "memory": 0.985},
                "staleness_s": 1800.0,
                "retries": {"delay_s": 1800.0},
            },
        ),
        "black-hole": Named(
            "As atlas, but one site, the tenth by cores, fails 95 % of its jobs within a minute; "
            "its cores are then free again.",
            {
                **ALL_MECHANISMS,
                "load": 1.05,
                "competing": {"mean": 0.5, "spread": 0.5, "memory": 0.985},
                "failures": {"black_hole": 10},
            },
        ),
        "conference-rush": Named(
            "A deadline comes near: arrivals rise to five times as many, then fall at once.",
            {**ALL_MECHANISMS, "load": 0.7, "anomaly": {"name": "conference_rush", "factor": 5.0}},
        ),
        "campaign-start": Named(
            "A campaign of the commonest project begins and stays: three quarters more jobs.",
            {**ALL_MECHANISMS, "load": 0.8, "anomaly": {"name": "campaign_start", "share": 0.75}},
        ),
        "site-outage": Named(
            "Jobs of the five largest sites are dammed up and come all at once; sites are down "
            "for most of a day, once a week.",
            {
                **ALL_MECHANISMS,
                "load": 0.85,
                "outages": {"up_s": 604_800.0, "down_s": 64_800.0, "brown_s": 21_600.0},
                "anomaly": {"name": "site_outage", "largest": 5},
            },
        ),
        "broken-release": Named(
            "A release is broken: jobs of the commonest format fail early and come again.",
            {**ALL_MECHANISMS, "load": 0.85, "anomaly": "broken_release"},
        ),
    }
)
"""Scenarios by name."""


def named_settings(name: Any) -> dict[str, Any]:
    """Return the settings of a named scenario; SettingError suggests the nearest."""
    if not isinstance(name, str) or name not in SCENARIOS:
        raise SettingError("the name of a scenario", repr(name), nearest(str(name), SCENARIOS))
    return dict(SCENARIOS[name].settings)


__getattr__ = old_names(__name__)
