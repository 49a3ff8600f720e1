"""Anomalies: abnormal operation as named modifications of a stream.

Each function returns a new stream; jobs outside the anomaly are unchanged. Arguments set the size
of the effect. The defaults are judgements of such events in public monitoring, not measurements.

| name | what happens |
|---|---|
| `conference_rush` | users submit more before a deadline: arrivals rise to a peak and fall off |
| `campaign_start` | a campaign of one kind of task begins and stays: its jobs are added |
| `site_outage` | sites are down for days: their jobs arrive later, within an hour |
| `broken_release` | a release is broken: jobs of one class fail early, and are submitted again |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from panda_gym.errors import StreamError, check_seed, nearest
from panda_gym.jobs.fields import ARRAYS, STATUSES, UNIFORMS
from panda_gym.jobs.stream import JobStream
from panda_gym.units import SECONDS_PER_DAY

FAILED: Final = STATUSES.index("failed")
FINISHED: Final = STATUSES.index("finished")


def conference_rush(
    stream: JobStream, *, day: float = 7.0, days: float = 5.0, factor: float = 2.5, seed: int = 0
) -> JobStream:
    """Raise the rate of arrivals towards a deadline; it falls at once after it.

    Args:
        day: of the deadline, counted from the stream's beginning.
        days: over which the rate rises linearly before the deadline.
        factor: rate at the deadline, 1 for no rush.
        seed: of the choice of datasets whose jobs are submitted once more.

    Whole datasets (tasks) are repeated within the rush, so that batches stay batches.
    """
    _check("factor", factor, 1.0)
    _check("days", days, 1e-9)
    begin, end = (day - days) * SECONDS_PER_DAY, day * SECONDS_PER_DAY
    rng = np.random.default_rng([check_seed(seed), 1])
    first = _first_arrival(stream)
    along = np.clip((first - begin) / (end - begin), 0.0, 1.0)
    more = np.where((first >= begin) & (first < end), (factor - 1.0) * along, 0.0)
    copies = rng.poisson(more)
    delay = rng.uniform(-0.5, 0.5, int(copies.max(initial=0)) + 1) * (end - begin) / 20.0
    parts = [stream]
    for turn in range(int(copies.max(initial=0))):
        again = (copies > turn)[stream.dataset]
        parts.append(_taken(stream, again, shift=float(delay[turn]), apart=turn + 1))
    return _merged(stream, parts, f"conference rush x{factor:g}")


def campaign_start(
    stream: JobStream, *, day: float = 7.0, share: float = 0.5, seed: int = 0
) -> JobStream:
    """Add jobs of one project from a day on: a campaign has begun.

    Args:
        day: on which it begins, counted from the stream's beginning.
        share: jobs added from then on, as a share of those that arrive anyway.
        seed: of the tasks that are repeated; the project is the commonest of the stream.
    """
    _check("share", share, 0.0)
    rng = np.random.default_rng([check_seed(seed), 2])
    begin = day * SECONDS_PER_DAY
    late = stream.arrival_s >= begin
    project = int(np.bincount(stream.project).argmax())
    own = late & (stream.project == project)
    if not own.any():
        return replace(stream, name=f"{stream.name}+campaign start")
    sizes = np.bincount(stream.dataset[own], minlength=int(stream.dataset.max()) + 1)
    order, wanted = rng.permutation(len(sizes)), share * late.sum()
    soon = min(3600.0, (float(stream.arrival_s[-1]) - begin) / 20.0)
    parts = [stream]
    while wanted >= 1.0:
        # Whole tasks until there are enough: all of them again, then as many as are wanted.
        within = np.cumsum(sizes[order]) <= max(wanted, float(sizes[sizes > 0].min()))
        again = np.zeros(len(sizes), bool)
        again[order[within]] = True
        chosen = own & again[stream.dataset]
        wanted -= max(int(chosen.sum()), 1)
        if chosen.any():
            shift = float(rng.uniform(0.0, soon))
            parts.append(_taken(stream, chosen, shift=shift, apart=len(parts)))
    return _merged(stream, parts, "campaign start")


def site_outage(
    stream: JobStream,
    *,
    day: float = 5.0,
    days: float = 3.0,
    sites: Sequence[str] | None = None,
    largest: int = 3,
) -> JobStream:
    """Take sites down: jobs recorded there arrive within an hour after the sites are up again.

    Args:
        day: on which they go down, counted from the stream's beginning.
        days: for which they are down.
        sites: names; None takes the `largest` ones by recorded jobs.
        largest: how many, where none are named.

    The stream alone cannot stop a site of the platform: for that see the environment's own site
    failures. It shows what users do meanwhile: they hold work back and then submit it.
    """
    _check("days", days, 0.0)
    chosen = _sites(stream, sites, largest)
    begin, end = day * SECONDS_PER_DAY, (day + days) * SECONDS_PER_DAY
    held = np.isin(stream.source, chosen) & (stream.arrival_s >= begin) & (stream.arrival_s < end)
    # In their order of arrival, within an hour or a tenth of the outage.
    soon = min(3600.0, (end - begin) / 10.0)
    moved = end + (stream.arrival_s - begin) / max(end - begin, 1.0) * soon
    arrays = {field: getattr(stream, field) for field in ARRAYS}
    arrays["arrival_s"] = np.where(held, moved, stream.arrival_s)
    return _in_order(stream, arrays, "site outage")


def broken_release(
    stream: JobStream,
    *,
    day: float = 5.0,
    hours: float = 12.0,
    datatype: str | None = None,
    work: float = 0.05,
    again_h: float = 6.0,
) -> JobStream:
    """Break a release: jobs of one format fail early and are submitted again after the repair.

    Args:
        day: on which it goes out, counted from the stream's beginning.
        hours: until it is repaired.
        datatype: format whose jobs fail; None takes the commonest of those hours.
        work: part of its work that a job does before it fails, in (0, 1].
        again_h: hours within which failed jobs are submitted again after the repair.
    """
    _check("hours", hours, 0.0)
    if not 0.0 < work <= 1.0:
        raise StreamError("work in (0, 1]", f"{work!r}", "pass for example work=0.05")
    begin = day * SECONDS_PER_DAY
    end = begin + hours * 3600.0
    during = (stream.arrival_s >= begin) & (stream.arrival_s < end)
    if datatype is None:
        kind = int(np.bincount(stream.datatype[during]).argmax()) if during.any() else 0
    elif datatype in stream.levels["datatype"]:
        kind = stream.levels["datatype"].index(datatype)
    else:
        hint = nearest(datatype, stream.levels["datatype"])
        raise StreamError(f"a format of stream {stream.name!r}", repr(datatype), hint)
    hit = during & (stream.datatype == kind)
    if not hit.any():
        return replace(stream, name=f"{stream.name}+broken release")
    broken: dict[str, Any] = {
        "status": np.where(hit, FAILED, stream.status),
        "workload_true": np.where(hit, stream.workload_true * work, stream.workload_true),
        # The smallest uniform fails at every site.
        "failure_u": np.where(hit, 0.0, stream.failure_u),
    }
    again = _taken(stream, hit, shift=0.0, apart=0)
    late = end + (again.arrival_s - begin) / max(end - begin, 1.0) * again_h * 3600.0
    repaired = replace(again, arrival_s=late, status=np.full(len(again), FINISHED))
    return _merged(stream, [replace(stream, **broken), repaired], "broken release")


Anomaly = Callable[..., JobStream]
ANOMALIES: Final[MappingProxyType[str, Anomaly]] = MappingProxyType(
    {
        "conference_rush": conference_rush,
        "campaign_start": campaign_start,
        "site_outage": site_outage,
        "broken_release": broken_release,
    }
)
"""Anomalies by name."""


def with_anomaly(stream: JobStream, name: str, **settings: Any) -> JobStream:
    """Return the stream with a named anomaly; StreamError for an unknown name or setting."""
    if name not in ANOMALIES:
        raise StreamError("the name of an anomaly", repr(name), nearest(str(name), ANOMALIES))
    try:
        return ANOMALIES[name](stream, **settings)
    except TypeError as fault:
        do = "see panda_gym.jobs.anomalies"
        raise StreamError(f"settings of {name!r}", f"{fault}", do) from fault


def _first_arrival(stream: JobStream) -> np.ndarray:
    """Return the first arrival of each dataset, s."""
    first = np.full(int(stream.dataset.max()) + 1, np.inf)
    np.minimum.at(first, stream.dataset, stream.arrival_s)
    return first


def _taken(stream: JobStream, rows: np.ndarray, *, shift: float, apart: int) -> JobStream:
    """Return some jobs, later by `shift` s; with datasets of their own where `apart` > 0."""
    arrays = {field: getattr(stream, field)[rows] for field in ARRAYS}
    size = int(stream.dataset.max()) + 1
    arrays["dataset"] = arrays["dataset"].astype(np.int64) + apart * size
    arrays["arrival_s"] = np.maximum(arrays["arrival_s"] + shift, 0.0)
    for key in UNIFORMS:
        # A repeated job has other random numbers: the uniform plus a multiple of the golden ratio.
        arrays[key] = (arrays[key] + 0.61803398875 * (apart + 1)) % 1.0
    order = np.argsort(arrays["arrival_s"], kind="stable")
    return replace(stream, **{field: values[order] for field, values in arrays.items()})


def _merged(stream: JobStream, parts: list[JobStream], what: str) -> JobStream:
    """Return the jobs of all parts in order of arrival, on the first one's clock and levels."""
    arrays: dict[str, Any] = {
        field: np.concatenate([getattr(part, field) for part in parts]) for field in ARRAYS
    }
    return _in_order(stream, arrays, what)


def _in_order(stream: JobStream, arrays: dict[str, Any], what: str) -> JobStream:
    """Return a stream of these arrays sorted by arrival, named after what happened."""
    order = np.argsort(arrays["arrival_s"], kind="stable")
    return replace(
        stream,
        name=f"{stream.name}+{what}",
        origin=f"{stream.origin}; with {what}",
        **dict[str, Any]({field: values[order] for field, values in arrays.items()}),
    )


def _sites(stream: JobStream, names: Sequence[str] | None, largest: int) -> np.ndarray:
    """Return the indices of the named sites, or of those with most recorded jobs."""
    if names is None:
        placed = stream.source[stream.source >= 0]
        if largest < 1 or not len(placed):
            raise StreamError("recorded sites, and at least one", f"largest={largest}", "name some")
        return np.argsort(-np.bincount(placed), kind="stable")[:largest]
    for name in names:
        if name not in stream.site_names:
            hint = nearest(name, stream.site_names)
            raise StreamError(f"sites of stream {stream.name!r}", repr(name), hint)
    return np.array([stream.site_names.index(name) for name in names])


def _check(name: str, value: Any, low: float) -> None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and value >= low
    if not good or not np.isfinite(value):
        raise StreamError(f"{name} of at least {low:g}", repr(value), f"raise {name}")
