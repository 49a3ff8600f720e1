"""Energy and carbon: the tables are whole, and integrals over the day are those of a loop."""

from __future__ import annotations

import numpy as np
import pytest

from panda_gym.sites import Electricity, electricity_origin, load_platform
from panda_gym.sites.energy import WORLD, consumption, intensities

REGIONS = ("DE", "GB", "FR", "US", "--")


def test_a_core_hour_takes_the_watts_of_a_core() -> None:
    sites = Electricity.of(["US"])
    figures = consumption()
    kwh = sites.energy_kwh(np.array([0]), np.array([8]), np.array([3600.0]))
    assert kwh[0] == pytest.approx(8 * figures["watts_per_core"] * figures["pue"] / 1000.0)


def test_a_country_without_a_row_takes_the_world_mean() -> None:
    known = intensities()
    assert known["US"] == (385.98,) * 24
    np.testing.assert_array_equal(Electricity.of(["--", "XX"]).intensity, [known[WORLD]] * 2)


def test_a_whole_day_has_the_yearly_mean() -> None:
    sites = Electricity.of(REGIONS)
    every = np.arange(len(REGIONS))
    for start in (0.0, 12_345.6, 86_400.0 * 5):
        held = np.full(5, start)
        kwh = sites.energy_kwh(every, np.ones(5), np.full(5, 86_400.0))
        kg = sites.carbon_kg(every, np.ones(5), held, held + 86_400.0)
        np.testing.assert_allclose(1000.0 * kg / kwh, [380.95, 237.59, 56.04, 385.98, 485.99], 1e-3)


def test_emissions_are_those_of_a_loop_over_minutes() -> None:
    rng, sites = np.random.default_rng(1), Electricity.of(REGIONS)
    site, cores = rng.integers(0, 5, 30), rng.integers(1, 9, 30)
    start = 60.0 * rng.integers(0, 20_000, 30)
    minutes = rng.integers(0, 4_000, 30)
    found = sites.carbon_kg(site, cores, start, start + 60.0 * minutes)
    for k in range(30):
        hours = ((start[k] + 60.0 * np.arange(minutes[k])) // 3600 % 24).astype(int)
        grams = sites.intensity[site[k], hours] * sites.watts[site[k]] * cores[k] * 60.0 / 3.6e6
        assert found[k] == pytest.approx(grams.sum() / 1000.0, rel=1e-9, abs=1e-15)


def test_night_and_evening_differ_where_hours_are_known() -> None:
    sites, one = Electricity.of(["GB"]), (np.array([0]), np.array([1]))
    hour = lambda h: sites.carbon_kg(*one, np.array([h * 3600.0]), np.array([(h + 1) * 3600.0]))  # noqa: E731
    assert hour(18)[0] / hour(3)[0] == pytest.approx(1.187 / 0.829)


def test_every_country_of_the_shipped_platforms_has_a_row() -> None:
    assert {*load_platform("atlas150").region, *load_platform("small15").region} <= set(
        intensities()
    )


def test_every_figure_states_what_it_is_its_source_and_its_licence() -> None:
    rows = electricity_origin()
    assert {row["figure"] for row in rows} == {*consumption(), "g_per_kwh", "daily_profile"}
    assert all(row["source"] and row["licence"] and row["rule"] for row in rows)
    assert {row["kind"] for row in rows} <= {"fact", "stand-in"}
