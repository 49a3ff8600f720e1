"""The columns of raw PanDA exports that are read, and the names that they go by.

A column that does not stand here is never read from a file. That keeps out the personal columns
(`PERSONAL` names the usual ones) and any unknown one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "pandaid": ("jobid",),
    "jeditaskid": ("taskid",),
    "creationtime": ("creationdate", "createtime", "created", "createdate"),
    "jobstatus": ("status", "state"),
    "computingsite": ("site", "queue", "pandaqueue", "computingqueue"),
    "corecount": ("cores", "ncores", "actualcorecount"),
    "cpuconsumptiontime": ("cputime", "cpuconsumptiontimes", "cputimes", "cpuseconds"),
    "starttime": ("jobstarttime",),
    "endtime": ("jobendtime",),
    "maxwalltime": ("requestedwalltime",),
    "walltime": ("wallclocktime", "wallclock", "durationsec", "walltimesec"),
    "hs06sec": ("hs06secs", "hs06seconds"),
    "ninputdatafiles": ("ninputfiles", "inputfiles", "numinputfiles"),
    "inputfilebytes": ("inputbytes", "inputsize", "inputfilesize"),
    "noutputdatafiles": ("noutputfiles",),
    "outputfilebytes": ("outputbytes",),
    "prodsourcelabel": ("sourcelabel",),
    "processingtype": (),
    "attemptnr": ("attempt",),
    "piloterrorcode": (),
    "exeerrorcode": (),
    "ddmerrorcode": (),
    "jobdispatchererrorcode": (),
    "taskbuffererrorcode": (),
    "project": (),
    "prodstep": ("productionstep",),
    "datatype": ("inputdatatype", "dataformat"),
    "workload": ("gflop",),
}
"""Column of a raw table and the other names it goes by; case, blanks, - and _ do not count."""

DATASET: Final = (
    "inputdataset",
    "proddblock",
    "inputdsname",
    "datasetname",
    "dataset",
    "inputds",
    "prodblock",
    "indsname",
)
"""Names of columns that hold the input dataset, best first; parsed into fields, then dropped."""

TIMES: Final = ("creationtime", "starttime", "endtime")
OPTIONAL_TIMES: Final = TIMES[1:]
"""Times whose unreadable columns count as missing; they only serve the core-seconds."""
TEXTS: Final = (
    "jobstatus",
    "computingsite",
    "prodsourcelabel",
    "processingtype",
    "project",
    "prodstep",
    "datatype",
)
NUMBERS: Final = tuple(name for name in ALIASES if name not in (*TIMES, *TEXTS))

PERSONAL: Final = (
    "produsername",
    "produserid",
    "prodserver_dn",
    "jobname",
    "taskname",
    "destinationdblock",
    "workinggroup",
    "vo_user",
    "creationhost",
    "modificationhost",
    "jobparameters",
    "metadata",
)
"""Columns that identify a person in PanDA's job table; none is ever read."""


def plain(name: object) -> str:
    """Return a column's name without case, blanks, underscores and dashes."""
    return "".join(letter for letter in str(name).lower() if letter.isalnum())


def chosen_columns(header: Iterable[str]) -> dict[str, str]:
    """Return the columns of a file to read: {name in the raw table: name in the file}.

    A column's own name goes before its aliases, and those in their order. Columns that hold
    dataset names appear under their names in `DATASET`.
    """
    by_plain: dict[str, str] = {}
    for name in header:
        by_plain.setdefault(plain(name), name)
    wanted = {name: (name, *others) for name, others in ALIASES.items()}
    wanted.update({name: (name,) for name in DATASET})
    found = {
        name: next((by_plain[spelling] for spelling in spellings if spelling in by_plain), None)
        for name, spellings in wanted.items()
    }
    return {name: source for name, source in found.items() if source is not None}
