"""Make the shipped platforms from public files.

    python -m panda_gym.sites.calibrate FOLDER [--out panda_gym/sites]

FOLDER holds `platform/atlas_sites_150.csv`, `platform/atlas_site_rse_739.csv` and
`platform/atlas_site_links_15377_20240808.csv` (read off REDWOOD24/ATLAS-GRID-SIMULATION, commit
9aa345d6, Apache-2.0) and `osg/hepspec06_per_core_osg_sites.txt` (opensciencegrid/gracc-apel,
commit 075b8149, Apache-2.0). The result is the same on every run. Facts are read, calibrated
figures follow a public distribution, assigned ones are a choice of this project:

    figure      kind        rule
    slots       fact        gflops_as_published / 5250, at least 1
    disk        fact        each storage element is shared among the queues that name it, by slots
    site        assigned    by prefix of the queue's name (homes.csv), siblings share one site
    region      assigned    country of the site, and its continent (homes.csv)
    HS23        fact        where the public list of OSG sites has the site (HS06 taken as HS23)
                calibrated  else a quantile of the public core powers, its rank by hash of the site
    closeness   fact        where the link file has the pair, in either direction
                assigned    0 within a site, else the median of known pairs as far apart
                            (same country, same continent, the pair of continents)
    bandwidth   calibrated  rank of the pair, mapped on the public per-job stage-in rates
    latency     assigned    2 s + 1 s x closeness (see `loading`)

Bandwidth: jobs run at sites in proportion to slots; LOCAL_SHARE of them read at home, the others
from a site in proportion to its disk. Pairs are ranked by closeness plus a spread: their rank
among measured pairs of the same closeness (weekly achieved throughput; only its order is used, as
it is no capacity), or a hash of their names. The pair at share p of that mixture of jobs gets the
quantile p of the public rates, so the mixture meets the public quantiles by construction.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any, Final

import numpy as np

from panda_gym.errors import PlatformError
from panda_gym.files import whole_file
from panda_gym.sites.platform import FARTHEST, Platform, apportion

GFLOPS_PER_SLOT: Final = 5250.0
"""What one job slot counts in the published capacities."""
PROBABILITIES: Final = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
POWER_HS23: Final = (8.77, 9.0, 10.0, 11.1, 13.4, 18.8, 20.5)
"""Core power at PROBABILITIES over 106 public queues; the ends continue the slopes."""
STAGE_IN_MBPS: Final = (0.45, 0.7, 4.2, 22.0, 35.0, 97.0, 125.0)
"""Per-job stage-in rate, MB/s, at PROBABILITIES over public jobs; the ends continue the slopes."""
LOCAL_SHARE: Final = 0.5
"""Share of jobs that read at their own site, in the mixture behind the bandwidths."""
SPREAD: Final = 0.75
"""Standard deviation, in steps of closeness, of the spread among pairs equally close."""

OSG_NAMES: Final = ("AGLT2", "BNL-ATLAS", "MWT2", "OU_OSCER_ATLAS", "SWT2_CPB", "WT2")
"""Sites whose HS06 per core the public OSG list states."""


def uniform(*words: str) -> float:
    """A number in [0, 1) that depends on the words alone (SHA-256)."""
    digest = hashlib.sha256("\n".join(words).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2.0**48


def quantile(share: Any, values: Sequence[float]) -> np.ndarray:
    """Quantile at `share`, linear in the logarithm between the points of PROBABILITIES."""
    return np.exp(np.interp(share, PROBABILITIES, np.log(values)))


class Sources:
    """The public files, read into plain lists and dictionaries."""

    def __init__(self, folder: Path, homes: Path) -> None:
        self.queues = rows(folder / "platform" / "atlas_sites_150.csv")
        self.elements = rows(folder / "platform" / "atlas_site_rse_739.csv")
        self.links = rows(folder / "platform" / "atlas_site_links_15377_20240808.csv")
        self.prefixes = sorted(rows(homes), key=lambda row: -len(row["prefix"]))
        self.hs06 = osg_power(folder / "osg" / "hepspec06_per_core_osg_sites.txt")

    def home(self, queue: str) -> dict[str, str]:
        """The longest prefix's row of homes.csv: site, link_end, region."""
        for row in self.prefixes:
            if queue.startswith(row["prefix"]):
                return row
        raise PlatformError(f"a prefix of {queue!r} in homes.csv", "none", "add a row")


def rows(path: Path) -> list[dict[str, str]]:
    """A CSV as one dictionary a row."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise PlatformError(f"the public file {path}", repr(error), "give its folder") from None


def osg_power(path: Path) -> dict[str, float]:
    """HS06 per core of the sites of OSG_NAMES."""
    words = (line.split() for line in path.read_text().splitlines() if not line.startswith("#"))
    listed = {pair[0]: float(pair[1]) for pair in words if len(pair) == 2}
    return {name: listed[name] for name in OSG_NAMES}


def slots(sources: Sources) -> np.ndarray:
    """Job slots of each queue, int32[150]."""
    published = np.array([float(row["gflops_as_published"]) for row in sources.queues])
    return np.maximum(np.rint(published / GFLOPS_PER_SLOT), 1).astype(np.int32)


def disks(sources: Sources, cores: np.ndarray) -> np.ndarray:
    """TB of each queue: every storage element split by slots among the queues that name it."""
    index = {row["site"]: k for k, row in enumerate(sources.queues)}
    size = {row["rse"]: float(row["tb"]) for row in sources.elements}
    users: dict[str, list[int]] = {}
    for row in sources.elements:
        users.setdefault(row["rse"], []).append(index[row["site"]])
    disk = np.zeros(len(cores))
    for element, queues in users.items():
        disk[queues] += size[element] * cores[queues] / cores[queues].sum()
    return disk


def powers(sources: Sources, sites: Sequence[str]) -> dict[str, float]:
    """HS23 per core of each site: as listed, or a quantile by rank of a hash."""
    unlisted = sorted(set(sites) - set(sources.hs06), key=lambda s: uniform("power", s))
    share = (np.arange(len(unlisted)) + 0.5) / len(unlisted)
    drawn = dict(zip(unlisted, np.round(quantile(share, POWER_HS23), 2), strict=True))
    return {site: float(sources.hs06.get(site) or drawn[site]) for site in sites}


def apart(a: dict[str, str], b: dict[str, str]) -> str:
    """How far apart two rows of homes.csv are: a key of the defaults of closeness."""
    if a["region"] == b["region"]:
        return "same country"
    return "-".join(sorted((a["continent"], b["continent"])))


def known_closeness(sources: Sources) -> dict[tuple[str, str], int]:
    """Closeness 0..10 by pair of link ends; 11, -1 and blanks mean that it is not known."""
    found = {}
    for row in sources.links:
        near = int(float(row["closeness"] or FARTHEST))
        if 0 <= near < FARTHEST:
            found[row["src"], row["dst"]] = near
    return found


def closeness(sources: Sources, sites: Sequence[str]) -> np.ndarray:
    """Closeness of each pair of sites, int8[S, S]."""
    homes = {row["site"]: row for row in reversed(sources.prefixes)}
    where = [homes[site] for site in sites]
    ends = [row["link_end"] for row in where]
    known = known_closeness(sources)
    matrix = np.full((len(sites), len(sites)), -1, dtype=np.int8)
    samples: dict[str, list[int]] = {}
    for a, b in np.ndindex(matrix.shape):
        near = known.get((ends[a], ends[b]), known.get((ends[b], ends[a]), -1))
        if a == b or (ends[a] and ends[a] == ends[b]):
            near = 0
        elif near >= 0:
            samples.setdefault(apart(where[a], where[b]), []).append(near)
        matrix[a, b] = near
    typical = {key: int(np.median(values)) for key, values in samples.items()}
    # A pair of continents without any known pair is as far as the farthest that has one.
    far = max(typical.values())
    for a, b in np.argwhere(matrix < 0):
        matrix[a, b] = typical.get(apart(where[a], where[b]), far)
    return matrix


def spread(sources: Sources, sites: Sequence[str], near: np.ndarray) -> np.ndarray:
    """Standard normal score of each pair among those equally close, float64[S, S]; high is slow."""
    ends = {row["site"]: row["link_end"] for row in reversed(sources.prefixes)}
    weekly = {(r["src"], r["dst"]): float(r["mbps_1w"]) for r in sources.links if r["mbps_1w"]}
    hashed = [uniform("link", a, b) for a in sites for b in sites]
    share = np.array(hashed).reshape(near.shape)
    rate = np.array([[weekly.get((ends[a], ends[b]), np.nan) for b in sites] for a in sites])
    np.fill_diagonal(rate, np.nan)  # a site's traffic with itself is not its local read
    for level in np.unique(near):
        at = np.argwhere((near == level) & np.isfinite(rate))
        order = np.argsort(-rate[tuple(at.T)], kind="stable")
        share[tuple(at[order].T)] = (np.arange(len(at)) + 0.5) / max(len(at), 1)
    normal = NormalDist()
    return np.vectorize(normal.inv_cdf)(np.clip(share, 1e-6, 1 - 1e-6))


def mixture(cores: np.ndarray, disk: np.ndarray) -> np.ndarray:
    """Share of jobs that read from source a at destination b, float64[S, S], sums to 1."""
    remote = np.outer(disk, cores)
    np.fill_diagonal(remote, 0.0)
    local = np.diag(cores).astype(np.float64)
    return (1 - LOCAL_SHARE) * remote / remote.sum() + LOCAL_SHARE * local / local.sum()


def bandwidth(score: np.ndarray, share: np.ndarray) -> np.ndarray:
    """MB/s of each pair: the quantile of STAGE_IN_MBPS at its place in the mixture of jobs."""
    order = np.argsort(-score, axis=None, kind="stable")
    mass = share.ravel()[order]
    place = np.empty(score.size)
    place[order] = np.cumsum(mass) - mass / 2
    rate = quantile(place, STAGE_IN_MBPS).reshape(score.shape)
    return np.vectorize(lambda x: float(f"{x:.3g}"))(rate)


def make_atlas150(sources: Sources) -> tuple[Platform, tuple[str, ...]]:
    """The platform, and the site of each of its queues."""
    names = tuple(row["site"] for row in sources.queues)
    homes = tuple(sources.home(name)["site"] for name in names)
    sites = sorted(set(homes))
    cores, power = slots(sources), powers(sources, sites)
    disk = np.round(disks(sources, cores), 2)
    member = np.array([[home == site for home in homes] for site in sites], dtype=np.float64)
    near = closeness(sources, sites)
    score = near + SPREAD * spread(sources, sites, near)
    rate = bandwidth(score, mixture(member @ cores, member @ disk))
    pick = np.ix_(*[[sites.index(home) for home in homes]] * 2)
    platform = Platform(
        name="atlas150",
        names=names,
        region=tuple(sources.home(name)["region"] for name in names),
        cores=cores,
        power=np.array([power[home] for home in homes]),
        disk_tb=disk,
        bandwidth_mbps=rate[pick],
        latency_s=np.zeros((len(names), len(names))),
        closeness=near[pick],
    )
    return platform, homes


def make_small15(atlas: Platform, homes: Sequence[str]) -> tuple[Platform, tuple[str, ...]]:
    """15 sites of 600 slots together: the largest queue of every site, each k-th by size."""
    order = np.argsort(-atlas.cores, kind="stable")
    largest = [i for n, i in enumerate(order) if homes[i] not in [homes[j] for j in order[:n]]]
    pick = np.array(largest)[np.linspace(0, len(largest) * 0.8, 15).astype(int)]
    square = np.ix_(pick, pick)
    platform = Platform(
        name="small15",
        names=tuple(atlas.names[i] for i in pick),
        region=tuple(atlas.region[i] for i in pick),
        cores=apportion(atlas.cores[pick], 600),
        power=atlas.power[pick],
        disk_tb=atlas.disk_tb[pick],
        bandwidth_mbps=atlas.bandwidth_mbps[square],
        latency_s=atlas.latency_s[square],
        closeness=atlas.closeness[square],
    )
    return platform, tuple(homes[i] for i in pick)


def write(platform: Platform, homes: Sequence[str], folder: Path) -> None:
    """sites.csv, a row a queue, and the matrices by site, whole or not at all."""
    columns = zip(
        platform.names,
        homes,
        platform.region,
        platform.cores,
        [f"{x:g}" for x in platform.power],
        [f"{x:.2f}" for x in platform.disk_tb],
        strict=True,
    )
    write_rows(
        folder / "sites.csv", ["name", "site", "region", "cores", "power", "disk_tb"], columns
    )
    sites = sorted(set(homes))
    first = [homes.index(site) for site in sites]
    figures: tuple[tuple[str, np.ndarray, Callable[[Any], str]], ...] = (
        ("bandwidth_mbps", platform.bandwidth_mbps, "{:g}".format),
        ("closeness", platform.closeness, str),
    )
    for name, matrix, text in figures:
        body = ([sites[k], *map(text, matrix[i, first])] for k, i in enumerate(first))
        write_rows(folder / f"{name}.csv", ["source", *sites], body)


def write_rows(path: Path, header: Sequence[str], body: Iterable[Sequence[Any]]) -> None:
    """Write a CSV whole or not at all."""
    with whole_file(path) as aside, aside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(body)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the folders atlas150 and small15."""
    parser = argparse.ArgumentParser(description="Make the shipped platforms from public files.")
    parser.add_argument("folder", type=Path, help="folder of the public files")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    given = parser.parse_args(arguments)
    homes_csv = Path(__file__).parent / "atlas150" / "homes.csv"
    atlas, homes = make_atlas150(Sources(given.folder, homes_csv))
    write(atlas, homes, given.out / "atlas150")
    small, small_homes = make_small15(atlas, homes)
    write(small, small_homes, given.out / "small15")


if __name__ == "__main__":
    main()
