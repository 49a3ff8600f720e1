"""Run a benchmark: every policy on every stream with the same seeds, resumable cell by cell."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

import panda_gym
from panda_gym.benchmarking.episodes import play
from panda_gym.benchmarking.lower_bounds import PLAN, lower_bounds
from panda_gym.benchmarking.measures import MEASURES
from panda_gym.benchmarking.policy_resolution import (
    PolicyLike,
    PolicyOrOracle,
    Stream,
    StreamLike,
    describe,
    find_policies,
    find_streams,
)
from panda_gym.benchmarking.table import BenchmarkTable, Row
from panda_gym.benchmarking.training_data import RECORDED, judged_part, mark
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.errors import PolicyError, SeedError, check_seed, nearest
from panda_gym.executors import Executor, SerialExecutor
from panda_gym.files import whole_file
from panda_gym.jobs import JobStream
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
    split: str | float = RECORDED,
    **scenario: Any,
) -> BenchmarkTable:
    """Run policies x streams x seeds and return the table of measures.

    Seeds are paired: a seed gives every policy the same jobs, run noise, failures, outages and
    competing load (common random numbers).

    Args:
        policies: names, agents' folders or policies, or a mapping of label to one of these;
            "panda_production@scaled" scales its constants with the platform.
        streams: JobStreams, surrogates, traces or files of records, or a mapping of label to one.
        seeds: one episode each; take others than an agent was trained on.
        baseline: label of the policy that differences are taken against; the first by default.
        folder: where finished (policy, stream) pairs are stored; they are not run again.
        workers: executor of (policy, stream) pairs, see `panda_gym.executors`; it changes no
            result. Progress then counts whole pairs.
        progress: called as progress(decisions done, in all, message).
        split: which jobs are judged: "recorded" (of recorded streams the second half, of synthetic
            ones all), "whole", or those from a time (ISO, UTC) or share of the jobs on.
        scenario: settings of the environment (`platform`, `scale`, `jobs`, `load`, ...).

    The table marks what each policy was fitted on, see `panda_gym.benchmarking.training_data`.
    With "oracle:clairvoyant" among the policies, its provenance holds a proven lower bound of every
    world, see `panda_gym.benchmarking.lower_bounds`.

    Raises:
        PolicyError: an unknown policy, an illegal answer. StreamError, SurrogateError: a stream
        that cannot be opened. SettingError: an unknown setting. SeedError: not a seed, or twice.
    """
    given = _seeds(seeds)
    setting = Scenario.of(**{key: value for key, value in scenario.items() if key not in _JOBS})
    _no_jobs(scenario)
    by_label, opened = find_policies(policies, setting.scale), find_streams(streams)
    base = _baseline(baseline, by_label)
    judged = {one.label: _judged(one, split, scenario) for one in opened}
    tasks, origins = _tasks(by_label, judged, given, scenario)
    counter = _Counter(len(tasks) * setting.jobs, progress)
    cells = _Cells(None if folder is None else Path(folder))
    values = _run(tasks, (by_label, given, None if workers else counter), cells, counter, workers)
    rows = [
        Row(label, stream.label, seed, measured)
        for stream in opened
        for label in by_label
        for seed, measured in zip(given, values[stream.label, label], strict=True)
    ]
    provenance = {
        "scenario": plain(scenario),
        "scale": setting.scale,
        "policies": {label: describe(policy) for label, policy in by_label.items()},
        "streams": origins,
        "fitted_on": {
            stream: {label: mark(policy, jobs) for label, policy in by_label.items()}
            for stream, jobs in judged.items()
        },
        "lower_bound": _lower_bounds(tasks, given, cells),
        "versions": versions(PACKAGES),
    }
    return BenchmarkTable(tuple(rows), base, provenance)


def _baseline(baseline: str | None, by_label: Mapping[str, PolicyOrOracle]) -> str:
    """Return the baseline, the first policy by default; PolicyError if it is none of them."""
    base = next(iter(by_label)) if baseline is None else baseline
    if base not in by_label:
        raise PolicyError("a baseline among the policies", repr(base), nearest(base, by_label))
    return base


def _judged(stream: Stream, split: str | float, scenario: Mapping[str, Any]) -> JobStream:
    """Return the jobs of a stream that are judged, before the scenario changes them."""
    plainly = {**scenario, **stream.settings, "input_scale": 1.0, "arrivals": None}
    return judged_part(Scenario.of(**plainly).open_stream(), split)


def _origin(stream: JobStream) -> str:
    """Return where jobs come from, and which part of a split stream they are."""
    if stream.part is None:
        return stream.origin
    first = np.datetime64(stream.epoch, "s") + np.timedelta64(round(stream.part.since_s), "s")
    return f"{stream.origin}; the {len(stream):,} jobs from {first} on"


def _tasks(
    by_label: Mapping[str, PolicyOrOracle],
    judged: Mapping[str, JobStream],
    seeds: list[int],
    scenario: Mapping[str, Any],
) -> tuple[list[_Task], dict[str, str]]:
    """Return one task for each stream and policy, and the origin of each stream."""
    tasks: list[_Task] = []
    origins: dict[str, str] = {}
    for stream, jobs in judged.items():
        batch = PlacementBatch(Scenario.of(**scenario, stream=jobs).judged_to_end(), 1)
        origins[stream] = _origin(batch.stream)
        tasks += [
            _Task(stream, label, _with_stream(batch), _key(batch, policy, seeds))
            for label, policy in by_label.items()
        ]
    return tasks, origins


def _run(
    tasks: list[_Task],
    common: _Common,
    cells: _Cells,
    counter: _Counter,
    workers: Executor | None,
) -> dict[tuple[str, str], Values]:
    """Return the values of every task: stored ones are read, the others are run and stored."""
    found: dict[tuple[str, str], Values] = {}
    missing: list[_Task] = []
    for task in tasks:
        values = cells.read(task.key)
        if values is None:
            missing.append(task)
        else:
            found[task.pair] = values
            counter.tick(task.scenario.jobs)
    for place, values in (workers or SerialExecutor()).each(_play, common, missing):
        task = missing[place]
        cells.write(task.key, values)
        found[task.pair] = values
        if workers is not None:
            counter.tick(task.scenario.jobs)
    return found


def _lower_bounds(tasks: list[_Task], seeds: list[int], cells: _Cells) -> dict[str, Values]:
    """Return the lower bounds of each stream on which the clairvoyant oracle plays, by seed."""
    found = {}
    for task in tasks:
        if task.policy == PLAN and not task.scenario.defer:
            key = None if task.key is None else {**task.key, "policy": "lower bound"}
            values = cells.read(key)
            if values is None:
                values = lower_bounds(task.scenario, seeds)
                cells.write(key, values)
            found[task.stream] = values
    return found


_JOBS: Final = ("stream", "surrogate")

PACKAGES: Final = ("panda-grid-gym", "numpy", "scipy")
"""Packages whose versions are stored with a table."""


@dataclass(frozen=True)
class _Task:
    """One policy on one stream, all seeds side by side."""

    stream: str
    policy: str
    scenario: Scenario
    key: dict[str, Any] | None
    """What the cell's values depend on; None if they are not stored."""

    @property
    def pair(self) -> tuple[str, str]:
        return self.stream, self.policy


_Common = tuple[Mapping[str, PolicyOrOracle], list[int], "_Counter | None"]
"""What all tasks share: policies by label, seeds, and the counter where tasks run here."""


def _play(common: _Common, task: _Task) -> Values:
    """Return the measures of one policy on one stream, by seed."""
    policies, seeds, counter = common
    tick = None
    if counter is not None:
        counter.message, tick = f"{task.policy} on {task.stream}", counter.tick
    batch = PlacementBatch(task.scenario, len(seeds))
    return play(batch, policies[task.policy], seeds, label=task.policy, tick=tick)


def _with_stream(batch: PlacementBatch) -> Scenario:
    """Return the batch's scenario with its job stream, so that no task generates it again."""
    return replace(batch.scenario, stream=batch.stream, input_scale=1.0, arrivals=None)


def _key(batch: PlacementBatch, policy: PolicyOrOracle, seeds: list[int]) -> dict[str, Any] | None:
    """Return what a cell's values depend on; None for a policy that cannot be described."""
    described = describe(policy)
    if described is None:
        return None
    return {
        "policy": described,
        "stream": batch.stream.digest(),
        "platform": named(batch.platform),
        "seeds": seeds,
        "scenario": plain(vars(batch.scenario)),
        "measures": [measure.name for measure in MEASURES],
        "version": panda_gym.__version__,
    }


class _Counter:
    """Count decisions and report progress every 50 of them."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self.total, self.progress = total, progress
        self.done, self.message = 0, ""

    def tick(self, decisions: int) -> None:
        before, self.done = self.done, self.done + decisions
        due = before // 50 != self.done // 50 or self.done == self.total
        if self.progress is not None and due:
            self.progress(self.done, self.total, self.message)


class _Cells:
    """Finished cells in a folder, one JSON file each, named by a hash of its key."""

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
    found = [check_seed(seed) for seed in seeds]
    if not found or len(set(found)) < len(found):
        raise SeedError("seeds that differ, at least one", repr(found), "pass seeds=range(10)")
    return [int(seed) for seed in found]


def _no_jobs(scenario: Mapping[str, Any]) -> None:
    for name in _JOBS:
        if name in scenario:
            raise PolicyError("jobs by streams=", f"{name}=", "pass it as streams=[...]")
