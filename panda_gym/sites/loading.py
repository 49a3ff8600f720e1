"""Reading a platform from tables: CSV in a folder, one CSV, or JSON; knows no calibration.

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
LATENCY_S: Final = 5.0
"""Default start-up time of a transfer between two sites, s; local reads start at once."""

SHIPPED: Final = {name: Path(__file__).parent / name for name in ("atlas150", "small15", "tiny4")}
"""Platforms that ship inside the package, each a folder of tables."""

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
    folder = SHIPPED.get(str(name_or_path))
    path = folder or Path(name_or_path)
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


def _from_csv(name: str, sites: Path, matrices: Mapping[str, str | Path]) -> Platform:
    rows = _rows(sites)
    columns = {key: [row.get(key) for row in rows] for key in (rows[0] if rows else {})}
    homes = columns.get("site") or columns.get("name") or []
    given = {m: _matrix(Path(path), columns.get("name", []), homes) for m, path in matrices.items()}
    return _platform(name, columns, given, str(sites))


def _from_json(path: Path) -> Platform:
    """{"name": ..., "sites": [{"name": ..., "cores": ..., "power": ...}], "bandwidth_mbps": ...}"""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        rows = [dict(row) for row in body["sites"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        needed = f'a JSON object with a list "sites" in {path}'
        raise PlatformError(needed, repr(error), "see the columns of sites.csv") from None
    keys = list(dict.fromkeys(key for row in rows for key in row))
    columns = {key: [row.get(key) for row in rows] for key in keys}
    given = {m: body[m] for m in _MATRICES if m in body}
    return _platform(str(body.get("name", path.stem)), columns, given, str(path))


def _platform(
    name: str, columns: Mapping[str, Sequence[Any]], given: Mapping[str, Any], where: str
) -> Platform:
    """Fill in the defaults and let Platform check the rest."""
    missing = [key for key in ("name", "cores", "power") if key not in columns]
    if missing:
        came = f"no {', '.join(missing)}"
        raise PlatformError(f"columns name, cores, power in {where}", came, "add the column")
    names = tuple(str(n) for n in columns["name"])
    count = len(names)
    local = np.eye(count, dtype=bool)
    matrices: dict[str, Any] = {
        "bandwidth_mbps": np.where(local, LOCAL_MBPS, REMOTE_MBPS),
        "latency_s": np.where(local, 0.0, LATENCY_S),
        "closeness": np.where(local, 0, FARTHEST),
    }
    regions = columns.get("region") or ["--"] * count
    return Platform(
        name=name,
        names=names,
        region=tuple(str(r) for r in regions),
        cores=_numbers(columns["cores"], names, "cores", where),
        power=_numbers(columns["power"], names, "power", where),
        disk_tb=_numbers(columns.get("disk_tb", [0.0] * count), names, "disk_tb", where),
        **(matrices | dict(given)),
    )


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
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise PlatformError(f"a readable CSV at {path}", repr(error), "check the file") from None


def _matrix(path: Path, names: Sequence[str], homes: Sequence[str]) -> np.ndarray:
    """A square CSV, float64[S, S], with rows and columns brought to the order of the sites."""
    rows = _rows(path)
    across = [key for key in (rows[0] if rows else {}) if key != "source"]
    down = [row.get("source", "") for row in rows]
    if sorted(across) != sorted(down) or len(set(down)) != len(down):
        came = f"{len(down)} rows and {len(across)} columns"
        do = "name the same sites down the column `source` and across the header"
        raise PlatformError(f"a square matrix in {path}", came, do)
    values = np.stack(
        [_numbers([r[k] for k in across], across, path.stem, str(path)) for r in rows]
    )
    pick = [_position(down, name, home, path) for name, home in zip(names, homes, strict=True)]
    order = [across.index(down[row]) for row in pick]
    return values[np.ix_(pick, order)]


def _position(known: Sequence[str], name: str, home: str, path: Path) -> int:
    for candidate in (name, home):
        if candidate in known:
            return known.index(candidate)
    raise PlatformError(f"a row for site {name!r} in {path}", "none", nearest(str(name), known))
