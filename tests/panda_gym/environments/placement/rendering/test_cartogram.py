"""Discs of a map: inside it, apart from each other, larger for larger sites."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panda_gym.environments.placement.rendering.cartogram import cartogram, centres, radii
from panda_gym.sites import load_platform

CODES = [*sorted(centres())[::5], "XX", ""]


@settings(max_examples=25, deadline=None)
@given(
    sites=st.lists(
        st.tuples(st.sampled_from(CODES), st.integers(1, 20_000)), min_size=1, max_size=40
    )
)
def test_discs_lie_inside_and_grow_with_cores(sites: list[tuple[str, int]]) -> None:
    region, cores = [code for code, _ in sites], np.array([n for _, n in sites])
    at, radius = cartogram(region, cores, 600.0, 400.0)
    assert np.isfinite(at).all()
    assert (at >= radius[:, None] - 1e-9).all()
    assert (at <= np.array([600.0, 400.0]) - radius[:, None] + 1e-9).all()
    order = np.argsort(cores)
    assert (np.diff(radius[order]) >= 0.0).all()


@pytest.mark.parametrize("name", ["atlas150", "small15", "tiny4"])
def test_no_discs_of_a_shipped_platform_overlap_visibly(name: str) -> None:
    platform = load_platform(name)
    at, radius = cartogram(platform.region, platform.cores, 660.0, 520.0)
    apart = np.sqrt(((at[:, None] - at[None]) ** 2).sum(axis=2))
    over = radius[:, None] + radius[None] - apart
    np.fill_diagonal(over, 0.0)
    assert over.max() < 2.0  # px


def test_the_west_lies_west_and_the_north_lies_north() -> None:
    platform = load_platform("atlas150")
    at, _ = cartogram(platform.region, platform.cores, 660.0, 520.0)
    middle = {c: at[[k for k, r in enumerate(platform.region) if r == c]].mean(axis=0)
              for c in set(platform.region)}  # fmt: skip
    assert middle["US"][0] < middle["GB"][0] < middle["DE"][0] < middle["JP"][0]
    assert middle["ES"][1] < middle["FR"][1] < middle["NL"][1] < middle["SE"][1]


def test_the_same_platform_gives_the_same_map() -> None:
    region, cores = ("DE", "DE", "US", "XX"), np.array([10, 20, 30, 1])
    np.testing.assert_array_equal(*(cartogram(region, cores, 100.0, 80.0)[0] for _ in range(2)))


def test_discs_cover_a_share_of_the_picture() -> None:
    radius = radii(np.full(100, 50), 600.0, 400.0)
    assert (np.pi * radius**2).sum() == pytest.approx(0.46 * 600.0 * 400.0)
