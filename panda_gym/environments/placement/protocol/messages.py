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

from panda_gym.environments.base.features import Table, decode_rows, encode_rows
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
TABLES: Final = {"job": JOB_FEATURES, "grid": GRID_FEATURES, "sites": SITE_FEATURES}
"""Features of each part of an observation."""
NUMBERS: Final = frozenset({int, float})
"""Types of numbers; booleans are none."""
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
    parts = {part: _natural(table, view.codes(part)) for part, table in TABLES.items()}
    names = {part: [feature.name for feature in table] for part, table in TABLES.items()}
    return [
        {
            "job": dict(zip(names["job"], parts["job"][:, e].tolist(), strict=True)),
            "grid": dict(zip(names["grid"], parts["grid"][:, e].tolist(), strict=True)),
            "sites": dict(zip(names["sites"], parts["sites"][:, e], strict=True)),
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
    sites = _part(message, "sites")
    lengths = {len(row) if isinstance(row, list) else -1 for row in sites}
    if len(lengths) != 1 or min(lengths) < 1:
        came = f"lengths {sorted(lengths)} (-1: no list)"
        raise PolicyError("one list of numbers a feature of sites, all as long", came, "correct it")
    count = lengths.pop()
    every = {"sites": sites, "job": _part(message, "job"), "grid": _part(message, "grid")}
    found = {part: _coded(part, rows) for part, rows in every.items()}
    return found | {"action_mask": _mask(message.get("mask", [1] * count), count)}


def _natural(table: Table, codes: Array) -> Array:
    """Return natural units, [F, E, ...], in as few digits as identify the codes, [E, F, ...]."""
    codes = np.swapaxes(codes, 0, 1)
    exact = decode_rows(table, codes)
    short = _rounded(exact, FEW)
    same = encode_rows(table, short) == codes
    return short if same.all() else np.where(same, short, _rounded(exact, ENOUGH))


def _rounded(values: Array, digits: int) -> Array:
    """Round to significant digits."""
    with np.errstate(divide="ignore"):
        power = np.floor(np.log10(np.abs(values)))
    factor = 10.0 ** (digits - 1 - np.where(np.isfinite(power), power, 0.0))
    found: Array = np.round(values * factor) / factor
    return found


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no JSON number")


def _part(message: Mapping[str, Any], part: str) -> list[Any]:
    """Return the values of one part of an observation, in the order of its table."""
    given, known = message.get(part), [feature.name for feature in TABLES[part]]
    if not isinstance(given, dict):
        raise PolicyError(f"an object {part!r} of features", repr(given)[:60], "send one")
    for name in given:
        if name not in known:
            raise PolicyError(f"features of {part}", repr(name), nearest(name, known))
    missing = [name for name in known if name not in given]
    if missing:
        raise PolicyError(f"all features of {part}", f"no {', '.join(missing)}", "add them")
    return [given[name] for name in known]


def _coded(part: str, rows: list[Any]) -> Array:
    """Return the codes of a part, float32[1, F] or [1, F, S]."""
    names = [feature.name for feature in TABLES[part]]
    for name, row in zip(names, rows, strict=True):
        flat = row if part == "sites" else [row]
        if not NUMBERS.issuperset(map(type, flat)):
            raise PolicyError(f"numbers as {name}", repr(row)[:60], "correct it")
    try:
        values = np.array(rows, dtype=np.float64)
    except OverflowError:  # a whole number beyond the floats
        values = np.full(1, np.inf)
    if not np.isfinite(values).all():
        raise PolicyError(f"finite numbers in {part}", "one beyond the floats", "correct it")
    return encode_rows(TABLES[part], values)[None]


def _mask(given: Any, count: int) -> Array:
    """Return the mask, int8[1, S]; PolicyError unless it has `count` entries 0 or 1 and a 1."""
    whole = isinstance(given, list) and {int}.issuperset(map(type, given))
    if not whole or len(given) != count or not {0, 1}.issuperset(given) or 1 not in given:
        needed = f"a mask of {count} numbers 0 or 1, at least one of them 1"
        raise PolicyError(needed, repr(given)[:60], "correct it, or leave the mask out")
    return np.array([given], dtype=np.int8)
