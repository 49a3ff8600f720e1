"""The columns of a job record: names, types, units, limits, and the levels that are fixed.

Readers of records, the workload model and streams of jobs take names and order from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

STATUSES: Final = ("finished", "failed", "cancelled", "closed")
"""Final states of a PanDA job, in the order of their codes."""

CATEGORIES: Final = ("project", "prodstep", "datatype")
"""Columns that make the class of a job: the fields of its input dataset's name."""


@dataclass(frozen=True)
class Column:
    """One column of a table of job records."""

    name: str
    """Name, as in PanDA."""
    kind: str
    """`time`, `category`, `integer` or `real`."""
    unit: str
    """Unit, empty for none."""
    low: float | None
    """Smallest allowed value."""
    high: float | None
    """Largest allowed value."""
    meaning: str
    """What it says of a job."""
    known_before: bool
    """Whether a broker knows it before the job runs."""


def _column(
    name: str,
    kind: str,
    unit: str,
    span: tuple[float | None, float | None],
    meaning: str,
    known_before: bool,
) -> Column:
    return Column(name, kind, unit, *span, meaning, known_before)


_ANY: Final = (None, None)
_COUNT: Final = (0.0, 2.0**53)

COLUMNS: Final = (
    _column("creationtime", "time", "UTC, s", _ANY, "when the job was created", True),
    _column("computingsite", "category", "", _ANY, "queue where it ran, about 150", True),
    _column("project", "category", "", _ANY, "first field of the input dataset's name", True),
    _column("prodstep", "category", "", _ANY, "production step that made the input", True),
    _column("datatype", "category", "", _ANY, "format of the input, e.g. DAOD_PHYS", True),
    _column("ninputdatafiles", "integer", "files", _COUNT, "number of input files", True),
    _column("inputfilebytes", "integer", "bytes", _COUNT, "total size of the input", True),
    _column("jobstatus", "category", "", _ANY, "final state: " + ", ".join(STATUSES), False),
    _column("workload", "real", "Gflop", (0.0, None), "core-seconds x HS23 per core", False),
)
"""The nine columns of arXiv 2410.07940 (Table of section III), in order."""

NAMES: Final = tuple(column.name for column in COLUMNS)
"""Names of the nine columns, in order."""

EXTRAS: Final = (
    _column("corecount", "integer", "cores", (1.0, 2.0**31), "cores that the job held", True),
    _column("cpuconsumptiontime", "integer", "s", _COUNT, "CPU time", False),
    _column("jeditaskid", "integer", "", _COUNT, "task that the job belongs to", True),
    _column("maxwalltime", "integer", "s", _COUNT, "requested wall time, 0: none", True),
)
"""Columns that may be kept beside the nine when asked for by name."""

STREAM_EXTRAS: Final = ("corecount", "jeditaskid", "maxwalltime")
"""Extra columns that a stream of jobs takes where the records have them."""

INPUT_SIZES: Final = ("ninputdatafiles", "inputfilebytes")
"""Columns that say how much input a job reads."""
