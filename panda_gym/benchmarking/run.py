"""The benchmark: every policy on every stream with the same seeds; knows how cells are kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import panda_gym
from panda_gym.benchmarking.episodes import play
from panda_gym.benchmarking.measures import MEASURES
from panda_gym.benchmarking.policy_resolution import (
    Contestant,
    PolicyLike,
    StreamLike,
    describe,
    find_policies,
    find_streams,
)
from panda_gym.benchmarking.table import BenchmarkTable, Row
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.errors import PolicyError, SeedError, check_seed, nearest
from panda_gym.executors import Executor, SerialExecutor
from panda_gym.files import whole_file
from panda_gym.provenance import named, plain, versions

Progress = Callable[[int, int, str], None]
Values = list[dict[str, float]]


def benchmark(
    policies: Iterable[PolicyLike] | Mapping[str, PolicyLike],
    streams: Iterable[StreamLike] | Mapping[str, StreamLike] = ("default",),
    seeds: Iterable[int] = range(10),
    *,
    baseline: str | None = None,
    folder: str | Path | None = None,
    workers: Executor | None = None,
    progress: Progress | None = None,
    **scenario: Any,
) -> BenchmarkTable:
    """Run policies x streams x seeds in paired worlds and return the table of measures.

    Args:
        policies: names, agents' folders or policies, or a mapping of label to one of these;
            "panda_production@scaled" scales its constants with the platform.
        streams: JobStreams, surrogates, traces or files of records, or a mapping of label to one.
        seeds: one world each; take others than an agent was trained on.
        baseline: label of the policy that differences are taken against; the first by default.
        folder: keep every finished (policy, stream) there and do not run it again.
        workers: where (policy, stream) pairs are run, see `panda_gym.executors`; a matter of time
            alone. Progress is told by whole pairs there.
        progress: called as progress(decisions done, in all, message).
        scenario: settings of the environment (`platform`, `scale`, `jobs`, `load`, ...).

    Raises:
        PolicyError: an unknown policy, an illegal answer. StreamError, SurrogateError: a stream
        that cannot be opened. SettingError: an unknown setting. SeedError: not a seed, or twice.
    """
    worlds = _seeds(seeds)
    setting = Scenario.of(**{key: value for key, value in scenario.items() if key not in _JOBS})
    _no_jobs(scenario)
    contestants = find_policies(policies, setting.scale)
    opened = find_streams(streams)
    base = next(iter(contestants)) if baseline is None else baseline
    if base not in contestants:
        raise PolicyError("a baseline among the policies", repr(base), nearest(base, contestants))
    counter = _Counter(len(contestants) * len(opened) * setting.jobs, progress)
    cells = _Cells(None if folder is None else Path(folder))
    tasks: list[_Task] = []
    found: dict[tuple[str, str], Values] = {}
    origins: dict[str, str] = {}
    for stream in opened:
        batch = PlacementBatch(Scenario.of(**scenario, **stream.settings), 1)
        origins[stream.label] = batch.stream.origin
        for label, policy in contestants.items():
            task = _Task(stream.label, label, _drawn(batch), _key(batch, policy, worlds))
            values = cells.read(task.key)
            if values is None:
                tasks.append(task)
            else:
                found[task.pair] = values
                counter.tick(setting.jobs)
    common = (contestants, worlds, counter if workers is None else None)
    for place, values in (workers or SerialExecutor()).each(_play, common, tasks):
        task = tasks[place]
        cells.write(task.key, values)
        found[task.pair] = values
        if workers is not None:
            counter.tick(setting.jobs)
    rows = [
        Row(label, stream.label, seed, measured)
        for stream in opened
        for label in contestants
        for seed, measured in zip(worlds, found[stream.label, label], strict=True)
    ]
    provenance = {
        "scenario": plain(scenario),
        "policies": {label: describe(policy) for label, policy in contestants.items()},
        "streams": origins,
        "versions": versions(PACKAGES),
    }
    return BenchmarkTable(tuple(rows), base, provenance)


_JOBS: Final = ("stream", "surrogate")

PACKAGES: Final = ("panda-grid-gym", "numpy", "scipy")
"""Packages whose versions are kept with a table."""


@dataclass(frozen=True)
class _Task:
    """One policy on one stream, all worlds side by side."""

    stream: str
    policy: str
    scenario: Scenario
    key: dict[str, Any] | None
    """What the cell's values depend on; None if they are not kept."""

    @property
    def pair(self) -> tuple[str, str]:
        return self.stream, self.policy


def _play(
    common: tuple[Mapping[str, Contestant], list[int], _Counter | None], task: _Task
) -> Values:
    """The measures of one policy on one stream, by seed."""
    contestants, worlds, counter = common
    if counter is not None:
        counter.message = f"{task.policy} on {task.stream}"
    batch, tick = (
        PlacementBatch(task.scenario, len(worlds)),
        None if counter is None else counter.tick,
    )
    return play(batch, contestants[task.policy], worlds, label=task.policy, tick=tick)


def _drawn(batch: PlacementBatch) -> Scenario:
    """The batch's scenario with its jobs drawn, so that no task draws them again."""
    return replace(batch.scenario, stream=batch.stream, input_scale=1.0, arrivals=None)


def _key(batch: PlacementBatch, policy: Contestant, worlds: list[int]) -> dict[str, Any] | None:
    """What a cell's values depend on; None if a policy of the user's own cannot be described."""
    described = describe(policy)
    if described is None:
        return None
    return {
        "policy": described,
        "stream": batch.stream.digest(),
        "platform": named(batch.platform),
        "seeds": worlds,
        "scenario": plain(vars(batch.scenario)),
        "measures": [measure.name for measure in MEASURES],
        "version": panda_gym.__version__,
    }


class _Counter:
    """Decisions done, passed on now and then."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self.total, self.progress = total, progress
        self.done, self.message = 0, ""

    def tick(self, decisions: int) -> None:
        before, self.done = self.done, self.done + decisions
        due = before // 50 != self.done // 50 or self.done == self.total
        if self.progress is not None and due:
            self.progress(self.done, self.total, self.message)


class _Cells:
    """Finished cells in a folder, one JSON file each, named by what made them."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def read(self, key: dict[str, Any] | None) -> Values | None:
        path = self._path(key)
        if path is None or not path.is_file():
            return None
        try:
            document = json.loads(path.read_text())
            return document["values"] if document["key"] == key else None
        except (ValueError, KeyError, TypeError):
            return None  # damaged: run the cell again

    def write(self, key: dict[str, Any] | None, values: Values) -> None:
        path = self._path(key)
        if path is not None:
            with whole_file(path) as aside:
                aside.write_text(json.dumps({"key": key, "values": values}, indent=1) + "\n")

    def _path(self, key: dict[str, Any] | None) -> Path | None:
        if self.folder is None or key is None:
            return None
        text = json.dumps(key, sort_keys=True).encode()
        return self.folder / f"{hashlib.sha256(text).hexdigest()[:20]}.json"


def _seeds(seeds: Iterable[int]) -> list[int]:
    worlds = [check_seed(seed) for seed in seeds]
    if not worlds or len(set(worlds)) < len(worlds):
        raise SeedError("seeds that differ, at least one", repr(worlds), "pass seeds=range(10)")
    return [int(seed) for seed in worlds]


def _no_jobs(scenario: Mapping[str, Any]) -> None:
    for name in _JOBS:
        if name in scenario:
            raise PolicyError("jobs by streams=", f"{name}=", "pass it as streams=[...]")
