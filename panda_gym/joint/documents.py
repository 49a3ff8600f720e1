"""Read and write instances and schedules as JSON.

An instance file holds names: datasets with size and source, jobs with their inputs, nodes, stores
and bandwidths. A container stands for the datasets and containers that it lists; jobs may read it.

```text
{
 "format": "joint-instance/1",
 "name": "two jobs",
 "work_per_size": 20.0,
 "remote_stores": ["tape"],
 "local_stores": {"disk0": {"quota": 2e5}, "disk1": {"quota": null}},
 "nodes": {"n0": {"speed": 8000.0}},
 "datasets": {"d0": {"size": 1e5, "source": "tape"}, "d1": {"size": 9e4, "source": "tape"}},
 "containers": {"both": ["d0", "d1"]},
 "jobs": {"j0": ["d0"], "j1": ["both"]},
 "remote_bandwidth": [[8e6, 7e6]],
 "local_bandwidth": [[8e7], [7e7]]
}
```

`remote_bandwidth` has a row for each remote store; `local_bandwidth` one for each local store.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from panda_gym.errors import InstanceError, nearest
from panda_gym.files import whole_file
from panda_gym.joint.instance import Instance
from panda_gym.joint.schedule import Schedule

Array = np.ndarray
INSTANCE_FORMAT: Final = "joint-instance/1"
SCHEDULE_FORMAT: Final = "joint-schedule/1"
DEEPEST: Final = 100
"""Containers within containers that are read."""
KINDS: Final = {
    "name": str, "work_per_size": (int, float), "remote_stores": list, "local_stores": dict,
    "nodes": dict, "datasets": dict, "jobs": dict, "remote_bandwidth": list,
    "local_bandwidth": list,
}  # fmt: skip
"""Entries that an instance needs, and their types in JSON."""


def read_instance(path: str | Path) -> Instance:
    """Return the instance of a JSON file; InstanceError says which entry is wrong."""
    document = _document(path, INSTANCE_FORMAT)
    for key, kind in KINDS.items():
        _entry(document, key, kind, "the file")
    datasets, local = document["datasets"], document["local_stores"]
    remote = _named(document["remote_stores"])
    members = _members(document)
    place = {name: k for k, name in enumerate(datasets)}
    read = [[place[one] for one in _read(job, members)] for job in document["jobs"].items()]
    return Instance(
        name=document["name"],
        work_per_size=_number(document, "work_per_size", "the file"),
        size=_numbers(datasets, "size", "dataset"),
        source=np.array([_source(one, remote) for one in datasets.items()], np.int64),
        first=np.concatenate([[0], np.cumsum([len(one) for one in read])]),
        inputs=np.array([one for row in read for one in row], np.int64),
        speed=_numbers(document["nodes"], "speed", "node"),
        remote_bandwidth=_matrix(document, "remote_bandwidth"),
        local_bandwidth=_matrix(document, "local_bandwidth"),
        quota=np.array([_quota(name, one) for name, one in local.items()]),
    )


def write_instance(path: str | Path, instance: Instance) -> None:
    """Write an instance as JSON; parts are named by kind and number."""
    quotas = [value if np.isfinite(value) else None for value in instance.quota.tolist()]
    pairs = zip(instance.size.tolist(), instance.source.tolist(), strict=True)
    sources = len(instance.remote_bandwidth)
    _write(path, {
        "format": INSTANCE_FORMAT,
        "name": instance.name,
        "work_per_size": instance.work_per_size,
        "remote_stores": [f"remote{k}" for k in range(sources)],
        "local_stores": {f"local{k}": {"quota": one} for k, one in enumerate(quotas)},
        "nodes": {f"node{k}": {"speed": one} for k, one in enumerate(instance.speed.tolist())},
        "datasets": {
            f"data{k}": {"size": size, "source": f"remote{at}"}
            for k, (size, at) in enumerate(pairs)
        },
        "jobs": {
            f"job{j}": [f"data{k}" for k in instance.inputs_of(j)] for j in range(instance.jobs)
        },
        "remote_bandwidth": instance.remote_bandwidth.tolist(),
        "local_bandwidth": instance.local_bandwidth.tolist(),
    })  # fmt: skip


def read_schedule(path: str | Path) -> Schedule:
    """Return the schedule of a JSON file; `evaluate` checks that it fits an instance."""
    document = _document(path, SCHEDULE_FORMAT)
    parts = [_entry(document, key, list, "the file") for key in ("node", "rank", "store")]
    try:
        arrays = [np.array(part) for part in parts]
    except (ValueError, OverflowError) as error:
        raise InstanceError("lists of whole numbers", str(error), "correct the file") from None
    return Schedule(*arrays)


def write_schedule(path: str | Path, schedule: Schedule) -> None:
    """Write a schedule as JSON; nodes, jobs and stores are numbers in the order of the instance."""
    arrays = {key: getattr(schedule, key).tolist() for key in ("node", "rank", "store")}
    _write(path, {"format": SCHEDULE_FORMAT, **arrays})


def _write(path: str | Path, document: dict[str, Any]) -> None:
    with whole_file(path) as aside:
        aside.write_text(json.dumps(document, allow_nan=False) + "\n", encoding="utf-8")


def _document(path: str | Path, wanted: str) -> dict[str, Any]:
    """Return the JSON object of a file; InstanceError if it is damaged or of another format."""
    path = Path(path)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InstanceError(f"whole JSON in {path.name}", str(error), "check the file") from None
    found = document.get("format") if isinstance(document, dict) else None
    if found != wanted:
        raise InstanceError(f"format {wanted!r} in {path.name}", repr(found), "check the file")
    return dict(document)


def _entry(table: Mapping[str, Any], key: str, kind: Any, where: str) -> Any:
    """Return `table[key]` of a type; InstanceError if it is missing or of another type."""
    value = table.get(key) if isinstance(table, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        kinds = " or ".join(k.__name__ for k in (kind if isinstance(kind, tuple) else (kind,)))
        came = "nothing" if value is None else _short(value)
        raise InstanceError(f"{key!r} as {kinds} in {where}", came, "correct the file")
    return value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _numbers(table: Mapping[str, Any], key: str, kind: str) -> Array:
    return np.array([_number(row, key, f"{kind} {name!r}") for name, row in table.items()])


def _number(row: Any, key: str, where: str) -> float:
    """Return `row[key]` as a float; an integer beyond the range of floats is infinite."""
    value = _entry(row, key, (int, float), where)
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf


def _named(stores: list[Any]) -> dict[str, int]:
    """Return the number of each remote store by name."""
    if not all(isinstance(one, str) for one in stores) or len(set(stores)) < len(stores):
        raise InstanceError("different names of remote stores", _short(stores), "correct the file")
    return {name: k for k, name in enumerate(stores)}


def _quota(name: str, row: Any) -> float:
    if row is None or (isinstance(row, dict) and row.get("quota") is None):
        return np.inf
    return _number(row, "quota", f"local store {name!r}")


def _source(dataset: tuple[str, Any], remote: Mapping[str, int]) -> int:
    """Return the number of a dataset's remote store; InstanceError if it has none."""
    name, row = dataset
    source = row.get("source")
    if source is None:
        do = f"give it a source: {', '.join(map(str, remote))}"
        raise InstanceError(f"a source of dataset {name!r}", "none", do[:200])
    if not isinstance(source, str) or source not in remote:
        hint = nearest(str(source), map(str, remote))
        raise InstanceError(f"a remote store as source of dataset {name!r}", repr(source), hint)
    return remote[source]


def _matrix(document: Mapping[str, Any], key: str) -> Array:
    try:
        return np.array(document[key], np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InstanceError(f"{key} as rows of numbers", str(error), "correct the file") from None


def _members(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the datasets that each name stands for, those of containers included.

    InstanceError for a container that contains itself or an unknown name.
    """
    found = {name: [name] for name in document["datasets"]}
    containers = document.get("containers", {})
    if not isinstance(containers, dict):
        raise InstanceError("containers as an object", _short(containers), "correct the file")
    clash = sorted(set(found) & set(containers))
    if clash:
        do = "rename one of both"
        raise InstanceError("different names", f"dataset and container {clash[0]!r}", do)
    for name in containers:
        _expand(name, containers, found, [])
    return found


def _expand(
    name: str, containers: Mapping[str, Any], found: dict[str, list[str]], path: list[str]
) -> list[str]:
    """Return the datasets of a name, and note them in `found`."""
    if name in path:
        cycle = " -> ".join([*path[path.index(name) :], name])
        do = "take it out, since its size has no end"
        raise InstanceError("containers without a cycle", cycle, do)
    if len(path) > DEEPEST:
        raise InstanceError(f"containers at most {DEEPEST} deep", f"{path[0]!r}", "flatten them")
    if name not in found:
        if name not in containers:
            hint = nearest(name, [*found, *containers])
            raise InstanceError(f"members of container {path[-1]!r} that exist", repr(name), hint)
        listed = _entry(containers, name, list, "containers")
        inner = [_expand(str(one), containers, found, [*path, name]) for one in listed]
        found[name] = list(dict.fromkeys(one for part in inner for one in part))
    return found[name]


def _read(job: tuple[str, Any], members: Mapping[str, list[str]]) -> list[str]:
    """Return the datasets that a job reads; one that several of its inputs hold counts once."""
    name, listed = job
    if not isinstance(listed, list) or not listed:
        came = _short(listed)
        raise InstanceError(f"a list of inputs of job {name!r}", came, "add a dataset")
    for one in listed:
        if not isinstance(one, str) or one not in members:
            hint = nearest(str(one), members)
            raise InstanceError(f"inputs of job {name!r} that exist", repr(one), hint)
    return list(dict.fromkeys(one for item in listed for one in members[item]))
