"""Log files: `run.parquet`, one row a job, and `run.events.parquet` beside it, one row an event.

Both are plain tables for any reader of Parquet. The setting of the episode is JSON in the metadata
of the first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import numpy as np

import panda_gym
from panda_gym.episode_log.events import as_columns, from_columns
from panda_gym.episode_log.logged import COST_PREFIX, REWARDS, LoggedEpisode, Steps
from panda_gym.errors import InputError, StreamError
from panda_gym.files import whole_file
from panda_gym.simulator import EpisodeLog

Array = np.ndarray

KEY: Final = b"panda_gym.episode_log"
FORMAT: Final = 1
SUFFIX: Final = ".parquet"


def events_path(path: str | Path) -> Path:
    """Return the path of the events of a log: run.parquet gives run.events.parquet."""
    path = Path(path)
    return path.with_name(f"{path.stem}.events{SUFFIX}")


def check_path(path: str | Path) -> Path:
    """Return the path of a log; StreamError for another ending than .parquet."""
    path = Path(path)
    if path.suffix != SUFFIX:
        raise StreamError(f"a log's path ending in {SUFFIX}", repr(path.name), "choose run.parquet")
    return path


def write_log(episode: LoggedEpisode, path: str | Path) -> None:
    """Write the files of an episode atomically, that of the jobs last.

    An episode without events removes an older file of events, which belongs to another episode.
    StreamError for another ending than .parquet.
    """
    path = check_path(path)
    if episode.events is not None:
        write_table(
            events_path(path), _coded(as_columns(episode.events), "kind"), {"format": FORMAT}
        )
    else:
        events_path(path).unlink(missing_ok=True)
    write_table(path, _job_columns(episode), _meta(episode))


def read_log(path: str | Path) -> LoggedEpisode:
    """Read what `write_log` wrote; StreamError if it is missing, damaged or not a log."""
    import pyarrow as pa

    path = Path(path)
    try:
        columns, meta = read_table(path)
        if meta.pop("format") != FORMAT:
            raise ValueError("another format")
        held: dict[str, Any] = {**meta.pop("scalars"), **_arrays(columns)}
        log = EpisodeLog(**held)
        return LoggedEpisode(log, _steps(columns), meta.pop("about"), _read_events(path, meta))
    except InputError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException) as error:
        do = "write it with `panda-grid simulate --log run.parquet`"
        raise StreamError(f"the log of an episode at {path}", repr(error)[:200], do) from None


def _job_columns(episode: LoggedEpisode) -> dict[str, Any]:
    """Columns of the log, derived columns, names of the sites, rewards and costs."""
    log = episode.log
    own = {f.name: getattr(log, f.name) for f in fields(log)}
    table = {name: value for name, value in own.items() if isinstance(value, np.ndarray)}
    table |= log.columns()
    if "platform" in episode.about:
        names = np.array([*episode.site_names, ""])
        table["site_name"] = names[log.site]  # -1, not placed: the empty name
    if episode.steps is not None:
        table |= episode.steps.columns()
    return {name: _coded({name: v}, name)[name] if v.dtype.kind == "U" else v
            for name, v in table.items()}  # fmt: skip


def _meta(episode: LoggedEpisode) -> dict[str, Any]:
    log = episode.log
    own = {f.name: getattr(log, f.name) for f in fields(log)}
    return {
        "format": FORMAT,
        "version": panda_gym.__version__,
        "level": episode.level,
        "scalars": {k: v for k, v in own.items() if not isinstance(v, np.ndarray)},
        "about": dict(episode.about),
    }


def _arrays(columns: Mapping[str, Array]) -> dict[str, Array]:
    """The columns that are fields of the log."""
    return {f.name: columns[f.name] for f in fields(EpisodeLog) if f.name in columns}


def _steps(columns: Mapping[str, Array]) -> Steps | None:
    if "steps" not in columns:
        return None
    costs = {
        name.removeprefix(COST_PREFIX): values
        for name, values in columns.items()
        if name.startswith(COST_PREFIX)
    }
    rewards = {name: columns[name] for name in REWARDS}
    return Steps(count=columns["steps"], costs=costs, **rewards)


def _read_events(path: Path, meta: Mapping[str, Any]) -> Array | None:
    if meta["level"] != "events":
        return None
    columns, _ = read_table(events_path(path))
    return from_columns(columns)


def _coded(table: Mapping[str, Array], column: str) -> dict[str, Any]:
    """The table with one column of names dictionary-encoded, one or two bytes a row."""
    import pyarrow as pa

    names = pa.array(table[column], type=pa.string()).dictionary_encode()
    return {**table, column: names}


def write_table(path: Path, columns: Mapping[str, Any], meta: Mapping[str, Any]) -> None:
    """Write a table with JSON in its metadata, atomically."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(dict(columns), metadata={KEY: json.dumps(meta).encode()})
    with whole_file(path) as aside:
        pq.write_table(table, aside, compression="zstd")


def read_table(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return the columns of such a table and its metadata."""
    import pyarrow.parquet as pq

    table = pq.read_table(path, partitioning=None)
    meta = json.loads((table.schema.metadata or {})[KEY])
    return {name: table.column(name).to_numpy() for name in table.column_names}, meta
