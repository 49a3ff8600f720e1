"""Parse dataset names into project, production step and data type; drop every other field.

A name reads `scope:project.number.short.prodstep.datatype.tags`. What a user or a group chose
freely (`user.NAME...`, `group.NAME...`) is never returned: of such names only the fact that they
are a user's or a group's, and a data type from a closed list, come out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from panda_gym.schema import CATEGORIES

UNKNOWN: Final = "unknown"
"""Level of a field that a name does not have."""
OTHER: Final = "other"
"""Project of names that follow no known scheme (tests, libraries, private names)."""

PRODSTEPS: Final = frozenset(
    (
        "evgen",
        "simul",
        "digit",
        "recon",
        "merge",
        "deriv",
        "ntup",
        "skim",
        "daq_merge",
        "physics",
        "PhysCont",
        "TRAIN",
    )
)
"""Production steps that official names may show; others come out as `unknown`."""

DAOD_FAMILIES: Final = (
    "BPHY",
    "EGAM",
    "EXOT",
    "FTAG",
    "HDBS",
    "HIGG",
    "HION",
    "IDTIDE",
    "IDTR",
    "IDTRKVALID",
    "JETM",
    "L1CALO",
    "LLP",
    "MUON",
    "PHYS",
    "PHYSLITE",
    "PHYSVAL",
    "RPVLL",
    "SCTVALID",
    "STDM",
    "SUSY",
    "SUSYEW",
    "TAUP",
    "TCAL",
    "TLA",
    "TOPQ",
    "TRIG",
    "TRUTH",
    "ZMUMU",
)
"""Families of DAOD formats that the name of a user's dataset may show."""

_PROJECT: Final = re.compile(r"(?:mc|data|valid)\d{1,2}(?:_[A-Za-z0-9]{1,12}){0,2}")
_DATATYPE: Final = re.compile(
    r"(?:D(?:2|3)?AOD|DESD|DRAW|NTUP)(?:_[A-Z0-9]{1,24})?|AOD|ESD|RDO|EVNT|HITS|HIST|TXT|RAW|LOG|TAG"
)
_OWNED_DATATYPE: Final = re.compile(
    r"DAOD(?:_(?:" + "|".join(DAOD_FAMILIES) + r")(?:\d{1,2}(?:D\d{1,2})?)?)?|AOD|EVNT|ESD|RDO|HITS"
)


def parse_datasets(names: Sequence[Any] | pd.Series) -> pd.DataFrame:
    """Parse dataset names, each different one once.

    Containers (trailing slash), period containers (`...PhysCont.DAOD_PHYS.grp22_v01...`), data and
    simulation, user and group datasets, and lists separated by commas (the first with a DAOD
    decides, else the first) are understood.

    Shape:
        names [n]; returns n rows with the index of `names` (if it is a Series) and the categories
        `project`, `prodstep`, `datatype`. A missing or blank name gives missing values.
    """
    codes, levels = pd.factorize(np.asarray(names, dtype=object))
    parsed = [parse_dataset(str(level)) for level in levels] or [(None, None, None)]
    columns = {}
    for field, values in zip(CATEGORIES, zip(*parsed, strict=True), strict=True):
        known, found = pd.factorize(np.asarray(values, dtype=object))
        picked = np.append(known, -1)[codes]
        columns[field] = pd.Categorical.from_codes(
            picked, categories=found
        ).remove_unused_categories()
    return pd.DataFrame(columns, index=names.index if isinstance(names, pd.Series) else None)


def parse_dataset(name: str) -> tuple[str | None, str | None, str | None]:
    """(project, prodstep, datatype) of one name or comma list; (None, None, None) if blank."""
    parsed = [_parse_one(part) for part in name.split(",") if part.strip(" \t/")]
    if not parsed:
        return None, None, None
    return next((fields for fields in parsed if fields[2].startswith("DAOD")), parsed[0])


def _parse_one(name: str) -> tuple[str, str, str]:
    fields = name.strip().rstrip("/").rpartition(":")[2].split(".")
    if fields[0] in ("user", "group"):
        types = [field for field in fields[2:] if _OWNED_DATATYPE.fullmatch(field)]
        return fields[0], UNKNOWN, types[0] if types else UNKNOWN
    if not _PROJECT.fullmatch(fields[0]):
        return OTHER, UNKNOWN, UNKNOWN
    # The fields before the tags may hold dots of their own, so the data type is looked for.
    for place in range(len(fields) - 1, 2, -1):
        if _DATATYPE.fullmatch(fields[place]):
            step = fields[place - 1]
            return fields[0], step if step in PRODSTEPS else UNKNOWN, fields[place]
    return fields[0], UNKNOWN, UNKNOWN
