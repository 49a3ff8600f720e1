"""The demonstration makes every part, goes on where it stopped, and refuses other settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from panda_gym.benchmarking import BenchmarkTable
from panda_gym.errors import SettingError
from panda_gym.experiments.demo import Demo, run
from panda_gym.visualization.report import RunFolder


@contextmanager
def silent(title: str) -> Iterator[object]:
    yield lambda done, total, message: None


@pytest.fixture(scope="module")
def small(light_policy: Path) -> Demo:
    return Demo(
        rows=2_500,
        fits={"smote": {}},
        demands=str(light_policy),
        first_week_rows=400,
        steps=256,
        policies=("random", "panda_production@scaled"),
        seeds=2,
        jobs=30,
    )


@pytest.fixture(scope="module")
def made(small: Demo, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = RunFolder(tmp_path_factory.mktemp("demo") / "run")
    assert run(folder.root, small, silent) == folder.report
    return folder


def test_every_part_is_made(made: RunFolder) -> None:
    parts = (made.export, made.records, made.funnel, made.agent, made.curve, made.report)
    assert all(part.exists() for part in parts)
    assert [folder.name for folder in made.surrogates()] == ["smote"]
    table = BenchmarkTable.from_json(made.benchmark / "benchmark.json")
    assert table.policies == ("random", "panda_production@scaled", "agent")
    assert table.streams == ("synthetic", "held-out records", "default surrogate")


def test_a_second_run_makes_only_what_is_missing(made: RunFolder, small: Demo) -> None:
    kept = made.curve.stat().st_mtime_ns, made.records.stat().st_mtime_ns
    made.report.unlink()
    run(made.root, small, silent)
    assert made.report.is_file()
    assert (made.curve.stat().st_mtime_ns, made.records.stat().st_mtime_ns) == kept


def test_other_settings_are_refused(made: RunFolder, small: Demo) -> None:
    with pytest.raises(SettingError, match="another --out"):
        run(made.root, replace(small, seed=1), silent)


def test_records_of_ones_own_need_no_export(small: Demo, made: RunFolder, tmp_path: Path) -> None:
    own = replace(small, records=str(made.export), steps=64)
    folder = RunFolder(tmp_path / "own")
    run(folder.root, own, silent)
    assert not folder.export.exists()
    assert folder.records.read_bytes() == made.records.read_bytes()
