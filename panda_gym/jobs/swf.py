"""Read a trace in Standard Workload Format and make the fields of a stream from it.

The format (Chapin et al., JSSPP 1999; version 2.2) has 18 numbers a line and a header of comments
`; Key: value`. Plain or gzip. How a job is read:

    arrival    submit time; jobs are sorted by it
    kept       lines that sum up a job (status 2, 3 and 4 are parts of one) with a known run time
               (>= 0) and submit time (>= 0); a run of 0 s is a job without work
    cores      allocated processors, else requested, else 1
    workload   run time x cores x reference power (10 HS23 per core, taken as Gflop/s); the stream
               says that these are wall times, so that episodes replay them as recorded
    requested  requested time (field 9) where above 0, s; no job is killed at it unless the
               environment is told to (`kill_at_requested`)
    predicted  mean run time of the last two jobs of the same user that had ended by then (see
               `run_time_prediction`) x cores x reference power, at least 1 Gflop
    site       partition, named by the header's `Partition: number name` where there
    dataset    user: the jobs of one user read one dataset; no sizes are known, so 0 bytes
    classes    project is the group (virtual organisation), prodstep the queue
    status     1 finished, 0 failed, 5 cancelled; unknown (-1) counts as finished, since it ran

What was dropped and assumed is counted in the stream's `reading`. Text is read as Latin-1, or as
its byte-order mark says; lines may end in LF, CR LF or CR. Fields beyond the 18th are ignored where
all lines have them.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
import warnings
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from panda_gym.errors import StreamError, check_seed
from panda_gym.jobs.fields import LEAST_PREDICTION, STATUSES, UNIFORMS
from panda_gym.jobs.run_time_prediction import causal_run_times
from panda_gym.reading import Reading, announce
from panda_gym.units import GFLOPS_PER_HS23

FIELDS: Final = (
    "job",
    "submit_s",
    "wait_s",
    "run_s",
    "allocated",
    "cpu_s",
    "memory_kb",
    "requested",
    "requested_s",
    "requested_kb",
    "status",
    "user",
    "group",
    "executable",
    "queue",
    "partition",
    "preceding",
    "think_s",
)
STATUS: Final = {1: "finished", 0: "failed", 5: "cancelled", -1: "finished"}
PARTS: Final = (2, 3, 4)
"""Status of lines that are parts of a job."""

LINE_END: Final = re.compile(r"\r\n|\r|\n")
MARKS: Final = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Encoding by byte-order mark."""


@dataclass(frozen=True)
class Trace:
    """A parsed log."""

    header: dict[str, str]
    """Values of the header's comments by key; the last one where a key comes twice."""
    partitions: dict[int, str]
    """Names of the partitions by number."""
    fields: dict[str, np.ndarray]
    """One float64[n] for each of FIELDS, a value a line, in the order of the file."""
    wider: int = 0
    """Lines with fields beyond the 18th, which were ignored."""


def read_swf(path: str | Path) -> Trace:
    """Parse a log.

    A header that counts other jobs than the file has is a UserWarning: logs are cleaned after their
    headers were written.

    Raises:
        StreamError: unreadable, without a job, or damaged; names the line and what it holds.
    """
    text, encoding = _text(Path(path))
    lines = LINE_END.split(text)
    comments = [line[1:] for line in lines if line.startswith(";")]
    header, partitions = _header(comments)
    values, wider = _values(lines, f"{path}, read as {encoding}")
    fields = dict(zip(FIELDS, values.T, strict=True))
    jobs = int((~np.isin(fields["status"], PARTS)).sum())
    if header.get("MaxJobs", str(jobs)) != str(jobs):
        said = f"{path}: its header says MaxJobs: {header['MaxJobs']}, but it has {jobs} jobs"
        warnings.warn(f"{said}; all of them are read", UserWarning, stacklevel=2)
    return Trace(header, partitions, fields, len(values) if wider else 0)


def from_swf(path: str | Path, *, seed: int = 0, power: float = 10.0) -> dict[str, Any]:
    """Return the fields of a stream of a log's jobs.

    Args:
        path: the log, plain or gzip.
        seed: of the uniforms.
        power: HS23 per core that the recorded run times are taken to stand for.

    Raises:
        StreamError: unreadable, damaged (names the line), or without a job.
    """
    rng = np.random.default_rng([check_seed(seed), len(FIELDS)])
    if not 0.0 < power < np.inf:
        raise StreamError("a power above 0 HS23 per core", f"{power!r}", "pass power=10.0")
    trace = read_swf(path)
    field, dropped = _jobs(trace, path)
    count = len(field["submit_s"])
    allocated = np.where(field["allocated"] > 0, field["allocated"], field["requested"])
    cores = np.maximum(allocated, 1)
    speed = cores * power * GFLOPS_PER_HS23
    run_s, wait_s = field["run_s"], field["wait_s"]
    _, user = np.unique(field["user"], return_inverse=True)
    predicted = causal_run_times(field["submit_s"], run_s, wait_s, user) * speed
    source, site_names = _sites(field["partition"], trace.partitions)
    project, groups = _classes("group", field["group"])
    prodstep, queues = _classes("queue", field["queue"])
    reading = announce(_reading(trace, field, dropped, path))
    return dict(
        name=Path(path).name,
        origin=f"swf:{Path(path).name}",
        epoch=_epoch(trace.header, field["submit_s"][0]),
        site_names=site_names,
        levels={"project": groups, "prodstep": queues, "datatype": ("unknown",)},
        arrival_s=field["submit_s"] - field["submit_s"][0],
        cores=cores,
        workload_true=run_s * speed,
        workload_pred=np.maximum(predicted, LEAST_PREDICTION),
        input_bytes=np.zeros(count),
        input_files=np.zeros(count, dtype=np.int32),
        dataset=user,
        source=source,
        status=_status(field["status"]),
        project=project,
        prodstep=prodstep,
        datatype=np.zeros(count, dtype=np.int16),
        **{key: rng.random(count) for key in UNIFORMS},
        requested_s=np.maximum(field["requested_s"], 0.0),
        wall_times=True,
        reading=reading,
    )


def _text(path: Path) -> tuple[str, str]:
    """Return the file's text and its encoding; gzip is known by its first bytes."""
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise StreamError(f"a readable trace at {path}", repr(error), "fetch it again") from None
    # Headers name people and places in any encoding; the numbers are ASCII.
    encoding = next((name for mark, name in MARKS.items() if data.startswith(mark)), "latin-1")
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError as error:
        needed = f"{encoding} text in {path}, as its byte-order mark says"
        raise StreamError(needed, f"{error}", "save it as plain text") from None


def _header(comments: list[str]) -> tuple[dict[str, str], dict[int, str]]:
    header, partitions = {}, {}
    for comment in comments:
        key, colon, value = comment.partition(":")
        words = value.split()
        if colon and key.strip() == "Partition" and len(words) > 1 and words[0].isdigit():
            partitions[int(words[0])] = words[1]
        elif colon:
            header[key.strip()] = value.strip()
    return header, partitions


def _values(lines: list[str], where: str) -> tuple[np.ndarray, bool]:
    """Return the numbers, float64[lines, 18], and whether lines have more fields than 18."""
    import pandas as pd

    data = [line for line in lines if line.strip() and not line.startswith(";")]
    if not data:
        raise StreamError(f"at least one job in {where}", "none", "is this a trace in SWF?")
    widths = Counter(len(line.split()) for line in data)
    width = max(widths.most_common(1)[0][0], len(FIELDS))
    if widths[width] == len(data):
        try:
            text, first = io.StringIO("\n".join(data)), range(len(FIELDS))
            frame = pd.read_csv(text, sep=r"\s+", header=None, usecols=first, dtype=np.float64)
            values = frame.to_numpy()
            if np.isfinite(values).all():
                return values, width > len(FIELDS)
        except ValueError:  # pandas' ParserError is one too
            pass
    raise _damage(lines, width, where)


def _damage(lines: list[str], width: int, where: str) -> StreamError:
    """Return the error that names the first line which is not `width` fields or 18 numbers."""
    for number, line in enumerate(lines, start=1):
        if line.startswith(";") or not line.strip():
            continue
        words = line.split()
        wrong = [repr(word[:40]) for word in words[: len(FIELDS)] if not _is_finite(word)]
        came = f"{len(words)} fields" if len(words) != width else next(iter(wrong), "")
        if came:
            needed = f"{width} numbers in line {number} of {where}"
            return StreamError(needed, came, "correct or remove the line")
    return StreamError(f"numbers in {where}", "something else", "is this a trace in SWF?")


def _is_finite(word: str) -> bool:
    try:
        return bool(np.isfinite(float(word)))
    except ValueError:
        return False


def _jobs(trace: Trace, path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """Return the lines that are jobs which ran, in order of submission, and what was dropped."""
    field = trace.fields
    left, dropped = np.ones(len(field["status"]), dtype=bool), {}
    for why, wrong in (
        ("part of a job (status 2, 3 or 4)", np.isin(field["status"], PARTS)),
        ("run time unknown", field["run_s"] < 0),
        ("submit time unknown", field["submit_s"] < 0),
    ):
        dropped[why] = int((left & wrong).sum())
        left &= ~wrong
    if not left.any():
        raise StreamError(f"a job with a run time in {path}", "none", "is the trace complete?")
    order = np.flatnonzero(left)
    order = order[np.argsort(field["submit_s"][order], kind="stable")]
    return {key: values[order] for key, values in field.items()}, dropped


def _reading(
    trace: Trace, field: dict[str, np.ndarray], dropped: dict[str, int], path: str | Path
) -> Reading:
    """Return what was read, dropped and assumed."""
    allocated, requested = field["allocated"] > 0, field["requested"] > 0
    assumed = {
        "requested processors taken as allocated": int((~allocated & requested).sum()),
        "1 core, none stated": int((~allocated & ~requested).sum()),
        "status unknown, taken as finished": int((field["status"] == -1).sum()),
        "fields after the 18th ignored": trace.wider,
    }
    found, kept = len(trace.fields["status"]), len(field["status"])
    return Reading(Path(path).name, "lines", found, kept, dropped, assumed)


def _epoch(header: dict[str, str], first_s: float) -> str:
    start = header.get("UnixStartTime", "0").split()
    unix = int(start[0]) if start and start[0].isdigit() else 0
    return str(np.datetime64(unix + int(first_s), "s"))


def _sites(partition: np.ndarray, names: dict[int, str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Index of each job's site (-1 unknown) and the sites' names, in order of partition."""
    numbers = sorted(set(names) | {int(p) for p in np.unique(partition) if p >= 0})
    labels = [names.get(number, f"partition-{number}") for number in numbers]
    if len(set(labels)) != len(labels):
        labels = [f"{n}:{label}" for n, label in zip(numbers, labels, strict=True)]
    found = np.searchsorted(np.array(numbers, dtype=np.float64), partition)
    return np.where(partition >= 0, found, -1), tuple(labels)


def _classes(word: str, numbers: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    values, codes = np.unique(numbers, return_inverse=True)
    return codes, tuple(f"{word}-{value:g}" if value >= 0 else "unknown" for value in values)


def _status(numbers: np.ndarray) -> np.ndarray:
    codes: Any = np.full(len(numbers), STATUSES.index("finished"), dtype=np.int8)
    for number, status in STATUS.items():
        codes[numbers == number] = STATUSES.index(status)
    return codes
