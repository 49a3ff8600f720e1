"""Energy and carbon of cores held at sites, from tables of public stand-in figures.

`electricity/` holds the tables: watts of a core and power usage effectiveness (`consumption.csv`),
carbon intensity by country (`carbon_intensity.csv`) and by hour of the day (`daily_profiles.csv`),
and for each figure its source, its licence and what it is (`origin.csv`). No site was measured.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from panda_gym.units import SECONDS_PER_DAY, SECONDS_PER_HOUR

Array = np.ndarray

FOLDER: Final = Path(__file__).with_name("electricity")
WORLD: Final = ""
"""Region of the row that stands for countries that are not listed."""
HOURS: Final = 24
JOULES_PER_KWH: Final = 3.6e6
GRAMS_PER_KG: Final = 1000.0


@dataclass(frozen=True, eq=False)
class Electricity:
    """Power of a core and carbon intensity of the electricity at S sites."""

    watts: Array
    """Power of a core that a job holds, overheads of the computing centre included, float64[S]."""
    intensity: Array
    """Carbon intensity by hour of the day (UTC), float64[S, 24], g CO2e/kWh."""

    @classmethod
    def of(cls, regions: Sequence[str]) -> Electricity:
        """Return the figures of sites in these countries (ISO 3166 codes; others: the world's)."""
        known = intensities()
        rows = [known.get(region, known[WORLD]) for region in regions]
        figures = consumption()
        watts = np.full(len(rows), figures["watts_per_core"] * figures["pue"])
        return cls(watts, np.array(rows).reshape(-1, HOURS))

    def energy_kwh(self, site: Array, cores: Array, held_s: Array) -> Array:
        """Return the energy of `cores` held for a time, float64[n], kWh.

        site: number of the site, int[n]. held_s: float64[n], s.
        """
        return self.watts[site] * cores * held_s / JOULES_PER_KWH

    def carbon_kg(self, site: Array, cores: Array, start_s: Array, end_s: Array) -> Array:
        """Return the emissions of `cores` held from `start_s` to `end_s`, float64[n], kg CO2e.

        Times are s since a midnight UTC, float64[n]. The intensity of each hour counts for the
        seconds that lie in it.
        """
        whole = self._until(site, end_s) - self._until(site, start_s)
        return self.watts[site] * cores * whole / JOULES_PER_KWH / GRAMS_PER_KG

    def _until(self, site: Array, time_s: Array) -> Array:
        """Return the integral of the intensity from midnight to a time, float64[n], g s/kWh."""
        summed = np.pad(self.intensity.cumsum(axis=1), ((0, 0), (1, 0))) * SECONDS_PER_HOUR
        days, second = np.divmod(time_s, SECONDS_PER_DAY)
        hour = np.minimum((second / SECONDS_PER_HOUR).astype(np.int64), HOURS - 1)
        within = self.intensity[site, hour] * (second - hour * SECONDS_PER_HOUR)
        return days * summed[site, HOURS] + summed[site, hour] + within


@cache
def intensities() -> dict[str, tuple[float, ...]]:
    """Return 24 hourly carbon intensities by country, g CO2e/kWh; WORLD for all others."""
    profiles = {
        row["daily_profile"]: [float(row[f"h{hour:02d}"]) for hour in range(HOURS)]
        for row in _rows("daily_profiles")
    }
    return {
        row["region"]: tuple(float(row["g_per_kwh"]) * x for x in profiles[row["daily_profile"]])
        for row in _rows("carbon_intensity")
    }


@cache
def consumption() -> dict[str, float]:
    """Return the watts of a core and the power usage effectiveness by name."""
    return {row["figure"]: float(row["value"]) for row in _rows("consumption")}


def electricity_origin() -> list[dict[str, str]]:
    """Return what every figure is, its source, its licence and its rule, one row a figure."""
    return _rows("origin")


def _rows(table: str) -> list[dict[str, str]]:
    with (FOLDER / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
