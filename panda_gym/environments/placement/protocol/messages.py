"""Messages of the policy protocol: JSON objects, one a line, in natural units by feature name.

| type | from | keys |
|---|---|---|
| hello | the asking side, once | `protocol`, `site_names`, `regions` |
| reset | the asking side, before new episodes | `episodes`: how many are played side by side |
| decide | the asking side | `id`, `episode`, `decision`, `job`, `grid`, `sites`, `mask` |
| reply | the answering side, to each `decide` alone | `id` and `action`; or `id` and `error` |

`job` and `grid` map a feature's name to a number, `sites` to one number a site, as in the tables of
`panda_gym.environments.placement.observation`. `mask` has 1 where the job may go; `action` is the
number of a site from 0. Numbers have six significant digits, or nine where six do not identify the
float32 of the observation. NaN and infinity are no JSON and are refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from panda_gym.environments.base.features import Feature, Table
from panda_gym.environments.placement.observation import (
    GRID_FEATURES,
    JOB_FEATURES,
    SITE_FEATURES,
    PlacementView,
)
from panda_gym.errors import PolicyError, nearest

Array = np.ndarray

PROTOCOL: Final = "panda-grid-policy/1"
MOST_BYTES: Final = 1 << 24
"""Longest line that is read as a request; a longer one is refused."""
FEW: Final = 6
ENOUGH: Final = 9
"""Significant digits of a number; nine identify every float32."""


def hello(site_names: Sequence[str], regions: Sequence[str]) -> dict[str, Any]:
    """Return the first message: the protocol and the sites in the order of all arrays."""
    return {
        "type": "hello",
        "protocol": PROTOCOL,
        "site_names": list(site_names),
        "regions": list(regions),
    }


def observed(view: PlacementView) -> list[dict[str, Any]]:
    """Return the observation of every environment in natural units: job, grid, sites and mask."""
    job = {feature.name: _natural(feature, view.job(feature.name)) for feature in JOB_FEATURES}
    grid = {feature.name: _natural(feature, view.grid(feature.name)) for feature in GRID_FEATURES}
    sites = {feature.name: _natural(feature, view.site(feature.name)) for feature in SITE_FEATURES}
    return [
        {
            "job": {name: float(values[e, 0]) for name, values in job.items()},
            "grid": {name: float(values[e, 0]) for name, values in grid.items()},
            "sites": {name: values[e] for name, values in sites.items()},
            "mask": view.mask[e],
        }
        for e in range(len(view))
    ]


def request(observation: Mapping[str, Any], number: int, episode: int, decision: int) -> bytes:
    """Return the line that asks for a decision; observation: one of `observed`."""
    sites = {name: values.tolist() for name, values in observation["sites"].items()}
    message = {
        "type": "decide",
        "id": number,
        "episode": episode,
        "decision": decision,
        "job": observation["job"],
        "grid": observation["grid"],
        "sites": sites,
        "mask": observation["mask"].astype(int).tolist(),
    }
    return line(message)


def line(message: Mapping[str, Any]) -> bytes:
    """Return a message as one line."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def parse(text: bytes) -> dict[str, Any]:
    """Return the message of a line; PolicyError for anything but a JSON object."""
    try:
        found = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise PolicyError("a JSON object a line", shown(text), f"correct it: {error}") from None
    if not isinstance(found, dict):
        raise PolicyError("a JSON object a line", shown(text), "send {...}")
    return found


def shown(text: bytes) -> str:
    """Return the beginning of a line for an error, printable."""
    return repr(text[:60].decode("utf-8", "replace")) + ("..." if len(text) > 60 else "")


def read_observation(message: Mapping[str, Any]) -> dict[str, Array]:
    """Return the observation of a `decide` message, with a batch axis of one.

    PolicyError for missing or unknown features, arrays of unequal length, and values that are not
    finite numbers.
    """
    sites = _part(message, "sites", SITE_FEATURES)
    lengths = {len(row) if isinstance(row, list) else -1 for row in sites.values()}
    if len(lengths) != 1 or min(lengths) < 1:
        came = f"lengths {sorted(lengths)} (-1: no list)"
        raise PolicyError("one list of numbers a feature of sites, all as long", came, "correct it")
    count = lengths.pop()
    return {
        "sites": _coded(SITE_FEATURES, sites, (count,)),
        "job": _coded(JOB_FEATURES, _part(message, "job", JOB_FEATURES), ()),
        "grid": _coded(GRID_FEATURES, _part(message, "grid", GRID_FEATURES), ()),
        "action_mask": _mask(message.get("mask", [1] * count), count),
    }


def _natural(feature: Feature, values: Array) -> Array:
    """Round to as few significant digits as identify the codes of values in natural units."""
    short = _rounded(values, FEW)
    same = feature.encode(short) == feature.encode(values)
    return short if same.all() else np.where(same, short, _rounded(values, ENOUGH))


def _rounded(values: Array, digits: int) -> Array:
    """Round to significant digits."""
    with np.errstate(divide="ignore"):
        power = np.floor(np.log10(np.abs(values)))
    factor = 10.0 ** (digits - 1 - np.where(np.isfinite(power), power, 0.0))
    found: Array = np.round(values * factor) / factor
    return found


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no JSON number")


def _part(message: Mapping[str, Any], part: str, table: Table) -> Mapping[str, Any]:
    """Return one part of an observation, which names exactly the features of its table."""
    given, known = message.get(part), [feature.name for feature in table]
    if not isinstance(given, dict):
        raise PolicyError(f"an object {part!r} of features", repr(given)[:60], "send one")
    for name in given:
        if name not in known:
            raise PolicyError(f"features of {part}", repr(name), nearest(name, known))
    missing = [name for name in known if name not in given]
    if missing:
        raise PolicyError(f"all features of {part}", f"no {', '.join(missing)}", "add them")
    return given


def _coded(table: Table, values: Mapping[str, Any], shape: tuple[int, ...]) -> Array:
    """Return the codes of a part, float32[1, len(table), *shape]."""
    rows = []
    for feature in table:
        row = _numbers(values[feature.name], feature.name)
        if row.shape != shape:
            raise PolicyError(f"{feature.name} of shape {shape}", f"{row.shape}", "correct it")
        rows.append(feature.encode(row))
    return np.stack(rows)[None]


def _numbers(values: Any, name: str) -> Array:
    """Return finite numbers, float64; booleans and texts are none."""
    flat = values if isinstance(values, list) else [values]
    if not all(type(one) in (int, float) for one in flat):
        raise PolicyError(f"numbers as {name}", repr(values)[:60], "correct it")
    try:
        found = np.asarray(values, dtype=np.float64)
    except OverflowError:
        found = np.asarray(np.inf)
    if not np.isfinite(found).all():
        raise PolicyError(f"finite numbers as {name}", repr(values)[:60], "correct it")
    return found


def _mask(given: Any, count: int) -> Array:
    mask = _numbers(given, "mask") if isinstance(given, list) else np.zeros(0)
    if mask.shape != (count,) or not np.isin(mask, (0, 1)).all() or not mask.any():
        needed = f"a mask of {count} numbers 0 or 1, at least one of them 1"
        raise PolicyError(needed, repr(given)[:60], "correct it, or leave the mask out")
    return mask.astype(np.int8)[None]
