"""The platform: sites and the links between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from panda_gym.errors import PlatformError, nearest
from panda_gym.units import GFLOPS_PER_HS23

FARTHEST: Final = 11
"""Closeness of a pair about which nothing is known."""


@dataclass(frozen=True, eq=False)
class Platform:
    """S sites and their S x S links; checked when made, read-only afterwards."""

    name: str
    """What the platform is called in reports."""
    names: tuple[str, ...]
    """Site names, unique."""
    region: tuple[str, ...]
    """Country code of each site."""
    cores: np.ndarray
    """Job slots, int32[S], at least 1."""
    power: np.ndarray
    """Speed of one core, float64[S], HS23 (taken as Gflop/s), above 0."""
    disk_tb: np.ndarray
    """Disk, float64[S], TB, at least 0."""
    bandwidth_mbps: np.ndarray
    """Rate of one transfer, float64[S, S] by [source, destination], MB/s, above 0; the diagonal
    is the local read and may be inf."""
    latency_s: np.ndarray
    """Start-up time of one transfer, float64[S, S], s, at least 0."""
    closeness: np.ndarray
    """Network distance, int8[S, S], 0 (near) to 11 (far or unknown)."""

    def __post_init__(self) -> None:
        count = len(self.names)
        _check_names(self)
        for field, kind, shape in _ARRAYS:
            expected = (count,) if shape == 1 else (count, count)
            object.__setattr__(self, field, _array(self, field, kind, expected))
        _check_values(self)

    def __len__(self) -> int:
        return len(self.names)

    def index(self, name: str) -> int:
        """Position of site `name`; PlatformError names the nearest if there is none."""
        try:
            return self.names.index(name)
        except ValueError:
            hint = nearest(str(name), self.names)
            raise PlatformError(f"a site of platform {self.name!r}", repr(name), hint) from None

    @property
    def capacity_gflops(self) -> float:
        """Speed of all cores together, Gflop/s."""
        return float(np.sum(self.cores * self.power)) * GFLOPS_PER_HS23

    def scaled(self, scale: float) -> Platform:
        """The same sites with `scale` times the cores; power, disk and links stay.

        Every site keeps at least one core. The total is round(scale x total) exactly, by the
        method of largest remainders, unless that is below one core a site.
        """
        scale = _positive(scale)
        if scale == 1.0:
            return self
        return replace(self, cores=apportion(self.cores, round(scale * int(self.cores.sum()))))


_ARRAYS: Final = (
    ("cores", np.int32, 1),
    ("power", np.float64, 1),
    ("disk_tb", np.float64, 1),
    ("bandwidth_mbps", np.float64, 2),
    ("latency_s", np.float64, 2),
    ("closeness", np.int8, 2),
)


def apportion(weights: np.ndarray, total: int) -> np.ndarray:
    """Whole numbers >= 1 in proportion to `weights` that sum to `total` (largest remainders).

    Shape: weights [S] > 0, returns int64[S]. A total below S gives one each. Ties of remainders
    go to the lower index.
    """
    weights = np.asarray(weights, dtype=np.float64)
    share = np.ones(len(weights))
    large = np.ones(len(weights), dtype=bool)
    # Those whose share is below one get one; the rest is shared among the others, which may push
    # further ones below one, until none is left.
    while large.any():
        rest = max(total - int(np.count_nonzero(~large)), 0)
        share[large] = weights[large] * (rest / weights[large].sum())
        small = large & (share < 1.0)
        if not small.any():
            break
        share[small] = 1.0
        large &= ~small
    whole = np.floor(share + 1e-9)
    missing = int(max(total - whole.sum(), 0))
    if large.any():
        order = np.lexsort((np.arange(len(share)), -np.where(large, share - whole, -1.0)))
        whole[order[:missing]] += 1
    return whole.astype(np.int64)


def _positive(scale: float) -> float:
    try:
        number = float(scale)
    except (TypeError, ValueError):
        number = float("nan")
    if isinstance(scale, bool | str) or not 0.0 < number < float("inf"):
        raise PlatformError("a scale above 0", repr(scale), "pass for example scale=0.1")
    return number


def _check_names(platform: Platform) -> None:
    names = platform.names
    if not names:
        raise PlatformError("at least one site", "none", "add a row to the table of sites")
    if not all(names):
        raise PlatformError("a name for every site", "an empty one", "fill in the column `name`")
    if len(set(names)) != len(names):
        twice = sorted({n for n in names if names.count(n) > 1})
        raise PlatformError("unique site names", f"{twice} twice", "rename or merge them")
    if len(platform.region) != len(names):
        came = f"{len(platform.region)} for {len(names)} sites"
        raise PlatformError("one region a site", came, "give each site its region")


def _array(platform: Platform, field: str, kind: type, shape: tuple[int, ...]) -> np.ndarray:
    """The field as a read-only array of its type and shape, without NaN."""
    where = f"{field} of platform {platform.name!r}"
    try:
        given = np.array(getattr(platform, field), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise PlatformError(f"numbers as {where}", str(error), "correct the entry") from None
    if given.shape != shape:
        do = "give one number a site" if len(shape) == 1 else "give a square matrix, a row a source"
        raise PlatformError(f"{where} of shape {shape}", f"shape {given.shape}", do)
    if np.isnan(given).any():
        at = _sites_at(platform.names, np.isnan(given))
        raise PlatformError(f"{where} without NaN", f"NaN at {at}", "fill it in")
    if kind is not np.float64:
        limit = np.iinfo(kind).max
        wrong = (given != np.rint(given)) | (np.abs(given) > limit)
        if wrong.any():
            came = f"{given[wrong][0]:g} at {_sites_at(platform.names, wrong)}"
            raise PlatformError(f"whole numbers up to {limit} as {where}", came, "correct it")
    array: np.ndarray = given.astype(kind)
    array.setflags(write=False)
    return array


def _sites_at(names: Sequence[str], wrong: np.ndarray) -> str:
    """Name the first entry that is wrong."""
    return " -> ".join(repr(names[i]) for i in np.argwhere(wrong)[0])


def _check_values(platform: Platform) -> None:
    between = ~np.eye(len(platform), dtype=bool)
    power, disk = platform.power, platform.disk_tb
    rate, late, near = platform.bandwidth_mbps, platform.latency_s, platform.closeness
    rules = (
        ("at least 1 core", platform.cores < 1, platform.cores),
        ("a finite power above 0 HS23", ~((power > 0) & np.isfinite(power)), power),
        ("a finite disk of at least 0 TB", ~((disk >= 0) & np.isfinite(disk)), disk),
        ("a bandwidth above 0 MB/s", rate <= 0, rate),
        ("a finite bandwidth between two sites", np.isinf(rate) & between, rate),
        ("a finite latency of at least 0 s", ~((late >= 0) & np.isfinite(late)), late),
        (f"a closeness of 0..{FARTHEST}", (near < 0) | (near > FARTHEST), near),
    )
    for needed, wrong, values in rules:
        if wrong.any():
            came = f"{values[wrong][0]:g} at {_sites_at(platform.names, wrong)}"
            raise PlatformError(needed, came, f"correct platform {platform.name!r}")
