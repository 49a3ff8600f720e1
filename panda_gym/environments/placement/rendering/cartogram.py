"""Positions of the sites on a map of discs whose areas grow with their cores.

After Dorling, "Area cartograms" (1996): every site begins at the centre of its country, then
discs that overlap push each other apart while each is drawn back to where it began. Sites of
countries that the table does not know begin along the lower edge. Nothing is random.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

Array = np.ndarray

FILL: Final = 0.46
"""Share of the map's area that discs cover."""
FLATTEN: Final = 0.7
"""Area of a disc ~ cores to this power: small sites can still be seen."""
LEAST: Final = 0.16
"""Area of the smallest disc over that of the mean one."""
EVEN: Final = 0.8
"""0: geography as it is, most of it empty; 1: every site has the same room."""
ROUNDS: Final = 400
GOLDEN_ANGLE: Final = np.pi * (3.0 - np.sqrt(5.0))


@cache
def centres() -> dict[str, tuple[float, float]]:
    """Longitude and latitude of the middle of each country, degrees."""
    with (Path(__file__).parent / "countries.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["code"]: (float(row["longitude"]), float(row["latitude"]))
            for row in csv.DictReader(file)
        }


def radii(cores: Array, width: float, height: float) -> Array:
    """Radius of each site's disc, float64[S], in the unit of width and height."""
    area = np.asarray(cores, dtype=np.float64) ** FLATTEN
    area = np.maximum(area / area.mean(), LEAST)
    # A few sites must not fill the map, nor overlap in it whatever is done.
    room = min(FILL * width * height, 0.2 * len(area) * min(width, height) ** 2)
    return np.sqrt(area / area.sum() * room / np.pi)


def cartogram(
    region: Sequence[str], cores: Array, width: float, height: float
) -> tuple[Array, Array]:
    """Centres float64[S, 2] (x to the east, y to the north) and radii float64[S] of the discs.

    region: country code of each site, of length S. All discs lie within width x height.
    """
    radius = radii(cores, width, height)
    home = _homes(region, radius, width, height)
    at = home.copy()
    reach = radius[:, None] + radius[None, :]
    np.fill_diagonal(reach, 0.0)
    gap = 0.02 * float(radius.mean())
    for turn in range(ROUNDS):
        pull = 0.04 * (1.0 - turn / ROUNDS) ** 2
        at = at + pull * (home - at) + _push(at, reach, gap)
        at = np.clip(at, radius[:, None], np.array([width, height]) - radius[:, None])
    return at, radius


def _homes(region: Sequence[str], radius: Array, width: float, height: float) -> Array:
    """Where each site would stand: its country's place, siblings in a spiral about it."""
    known = centres()
    degrees = np.array([known.get(code, (np.nan, np.nan)) for code in region])
    x = _spread(degrees[:, 0], radius) * width
    y = _spread(degrees[:, 1], radius) * height
    lost = np.flatnonzero(np.isnan(degrees[:, 0]))
    x[lost] = (np.arange(len(lost)) + 0.5) / max(1, len(lost)) * width
    y[lost] = 0.0
    turn = _siblings(region, radius)
    step = 0.9 * float(radius.mean()) * np.sqrt(turn)
    angle = GOLDEN_ANGLE * turn
    return np.stack([x + step * np.cos(angle), y + step * np.sin(angle)], axis=1)


def _spread(degrees: Array, radius: Array) -> Array:
    """Degrees as a place in [0, 1], drawn apart where many sites crowd, float64[S]."""
    known = np.flatnonzero(~np.isnan(degrees))
    place = np.full(len(degrees), 0.5)
    if len(known) == 0:
        return place
    values, which = np.unique(degrees[known], return_inverse=True)
    room = np.bincount(which, weights=radius[known] ** 2)
    rank = (np.cumsum(room) - 0.5 * room) / room.sum()
    span = max(float(values[-1] - values[0]), 1e-9)
    place[known] = (EVEN * rank + (1.0 - EVEN) * (values - values[0]) / span)[which]
    return place


def _siblings(region: Sequence[str], radius: Array) -> Array:
    """Number of each site among those of its country, the largest first, int64[S]."""
    met: dict[str, int] = {}
    turn = np.zeros(len(radius), dtype=np.int64)
    for s in np.argsort(-radius, kind="stable"):
        turn[s] = met.get(region[s], 0)
        met[region[s]] = int(turn[s]) + 1
    return turn


def _push(at: Array, reach: Array, gap: float) -> Array:
    """How far overlapping discs push each one, float64[S, 2]."""
    apart = at[:, None, :] - at[None, :, :]
    distance = np.sqrt((apart**2).sum(axis=2))
    over = np.maximum(reach + gap * (reach > 0.0) - distance, 0.0)
    share = 0.5 * over / np.maximum(distance, 1e-9)
    return np.einsum("ij,ijk->ik", share, apart)
