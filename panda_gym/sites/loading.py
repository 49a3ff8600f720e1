"""Read a platform from a folder of CSV files, one CSV, or JSON.

A folder holds `sites.csv` (columns name, cores, power; optional region, disk_tb, site) and any of
`bandwidth_mbps.csv`, `latency_s.csv`, `closeness.csv`: square matrices whose first column
`source` names the rows and whose header names the columns (destinations). Where sites.csv has a
column `site`, a matrix may name those (several queues of one site then share its row and column).
What is not given takes the defaults below.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from panda_gym.errors import PlatformError, nearest
from panda_gym.sites.platform import FARTHEST, Platform

LOCAL_MBPS: Final = 200.0
"""Default local read of one job, MB/s."""
REMOTE_MBPS: Final = 22.0
"""Default rate between two sites, MB/s: the median stage-in rate of public job records."""
START_S: Final = 2.0
HOP_S: Final = 1.0
"""Default start-up time of a transfer, s: START_S + HOP_S x closeness."""

SHIPPED: Final = {
    "atlas150": "150 queues of about 100 sites, see `calibrate`",
    "small15": "15 of them with 600 slots together, for small experiments",
    "tiny4": "4 invented sites for tests",
}
"""Platforms that ship inside the package, each a folder of tables of that name."""

_MATRICES: Final = ("bandwidth_mbps", "latency_s", "closeness")


def platform_names() -> tuple[str, ...]:
    """Names of the platforms that ship inside the package."""
    return tuple(SHIPPED)


def load_platform(
    name_or_path: str | Path = "atlas150",
    scale: float = 1.0,
    *,
    bandwidth: str | Path | None = None,
) -> Platform:
    """Read a platform and multiply its cores by `scale`.

    Args:
        name_or_path: a name from `platform_names()`, a folder, a CSV of sites, or a JSON file.
        scale: factor on the number of cores (at least one stays at every site).
        bandwidth: with a CSV of sites, a square CSV of MB/s between them.

    Raises:
        PlatformError: unknown name, or a table that cannot be used; says which entry.
    """
    shipped = isinstance(name_or_path, str) and name_or_path in SHIPPED
    path = Path(__file__).parent / name_or_path if shipped else Path(name_or_path)
    if path.is_dir():
        matrices = {m: path / f"{m}.csv" for m in _MATRICES if (path / f"{m}.csv").is_file()}
        platform = _from_csv(path.name, path / "sites.csv", matrices)
    elif path.suffix == ".json" and path.is_file():
        platform = _from_json(path)
    elif path.is_file():
        platform = _from_csv(path.stem, path, {"bandwidth_mbps": bandwidth} if bandwidth else {})
    else:
        raise PlatformError(
            "the name of a platform, or a folder, CSV or JSON of one",
            repr(str(name_or_path)),
            nearest(str(name_or_path), SHIPPED),
        )
    return platform.scaled(scale)


def platform_origin(name: str) -> tuple[dict[str, str], ...]:
    """Where each figure of a shipped platform comes from: rows of figure, kind, source, rule.

    Kinds: "fact" (read off a public source), "calibrated" (follows a public distribution),
    "assigned" (a choice of this project).
    """
    if name not in SHIPPED:
        raise PlatformError("the name of a shipped platform", repr(name), nearest(name, SHIPPED))
    return tuple(_rows(Path(__file__).parent / name / "origin.csv"))


def _from_csv(name: str, sites: Path, matrices: Mapping[str, str | Path]) -> Platform:
    rows = _rows(sites)
    columns = {key: [row[key] for row in rows] for key in rows[0]}
    names = columns.get("name", [])
    homes = columns.get("site", names)
    given = {m: _matrix(Path(path), names, homes) for m, path in matrices.items()}
    return _platform(name, columns, given, str(sites))


def _from_json(path: Path) -> Platform:
    """Read {"name": ..., "sites": [{"name", "cores", "power", ...}], "bandwidth_mbps": [[...]]}."""
    needed = f'a JSON object with a list "sites" of objects in {path}'
    try:
        body = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise PlatformError(needed, f"{error}", "correct the file") from None
    rows = body.get("sites") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise PlatformError(needed, _shape(body), "name the sites as the page on platforms does")
    columns = {key: [row.get(key) for row in rows] for row in rows for key in row}
    given = {m: body[m] for m in _MATRICES if m in body}
    return _platform(str(body.get("name", path.stem)), columns, given, str(path))


def _shape(body: Any) -> str:
    """Describe in a few words what a JSON file holds."""
    if not isinstance(body, dict):
        return f"a JSON {type(body).__name__}"
    if "sites" in body:
        inner = body["sites"]
        kinds = sorted({type(row).__name__ for row in inner}) if isinstance(inner, list) else []
        found = ", ".join(kinds) or "nothing that is a row"
        return f'"sites" as a {type(inner).__name__} of {found}'
    return f"an object with keys {sorted(body)[:6]}"


def _platform(
    name: str, columns: Mapping[str, Sequence[Any]], given: Mapping[str, Any], where: str
) -> Platform:
    """Fill in the defaults and let Platform check the rest."""
    missing = [key for key in ("name", "cores", "power") if key not in columns]
    if missing:
        came = f"no {', '.join(missing)}"
        raise PlatformError(f"columns name, cores, power in {where}", came, "add what is missing")
    names = tuple("" if n is None else str(n) for n in columns["name"])
    count = len(names)
    local = np.eye(count, dtype=bool)
    near = given.get("closeness", np.where(local, 0, FARTHEST))
    rate = given.get("bandwidth_mbps", np.where(local, LOCAL_MBPS, REMOTE_MBPS))
    return Platform(
        name=name,
        names=names,
        region=tuple(str(r) for r in columns.get("region", ["--"] * count)),
        cores=_numbers(columns["cores"], names, "cores", where),
        power=_numbers(columns["power"], names, "power", where),
        disk_tb=_numbers(columns.get("disk_tb", [0.0] * count), names, "disk_tb", where),
        bandwidth_mbps=rate,
        latency_s=given["latency_s"] if "latency_s" in given else _latency(near),
        closeness=near,
    )


def _latency(near: Any) -> Any:
    """Start-up times by closeness; what is no matrix of numbers is left for Platform to refuse."""
    try:
        return START_S + HOP_S * np.asarray(near, dtype=np.float64)
    except (TypeError, ValueError):
        return near


def _numbers(values: Sequence[Any], names: Sequence[str], column: str, where: str) -> np.ndarray:
    numbers = np.empty(len(values))
    for row, value in enumerate(values):
        try:
            numbers[row] = float(value)
        except (TypeError, ValueError):
            raise PlatformError(
                f"a number as {column} of site {names[row]!r}", repr(value), f"correct {where}"
            ) from None
    return numbers


def _rows(path: Path) -> list[dict[str, str]]:
    """A CSV with a header and at least one row, as one dictionary a row."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [line for line in csv.reader(file) if line]
    except (OSError, ValueError, csv.Error) as error:
        raise PlatformError(f"a readable CSV at {path}", repr(error), "check the file") from None
    if len(lines) < 2 or len(set(lines[0])) != len(lines[0]):
        came = "a column twice" if len(lines) > 1 else "no rows"
        raise PlatformError(f"a header and rows in {path}", came, "correct the file")
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(lines[0]):
            needed = f"{len(lines[0])} fields in row {number} of {path}"
            raise PlatformError(needed, f"{len(line)}", "correct the row")
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def _matrix(path: Path, names: Sequence[str], homes: Sequence[str]) -> np.ndarray:
    """A square CSV, float64[S, S], with rows and columns brought to the order of the sites."""
    rows = _rows(path)
    across = [key for key in rows[0] if key != "source"]
    down = [row.get("source", "") for row in rows]
    if sorted(across) != sorted(down):
        came = f"{len(down)} rows and {len(across)} columns"
        if len(down) == len(across):
            came = f"names that differ: {sorted(set(down) ^ set(across))[:6]}"
        do = "name the same sites down a column `source` and across the header"
        raise PlatformError(f"a square matrix in {path}", came, do)
    values = np.stack(
        [_numbers([row[key] for key in across], across, path.stem, str(path)) for row in rows]
    )
    pick = [_position(down, name, home, path) for name, home in zip(names, homes, strict=True)]
    order = [across.index(down[row]) for row in pick]
    return values[np.ix_(pick, order)]


def _position(known: Sequence[str], name: str, home: str, path: Path) -> int:
    """Row of the site, else of the site that the queue belongs to."""
    for candidate in (name, home):
        if candidate in known:
            return known.index(candidate)
    raise PlatformError(f"a row for site {name!r} in {path}", "none", nearest(name, known))
