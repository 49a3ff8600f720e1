"""The comparison from end to end, on a small table."""

from __future__ import annotations

import csv
import json
import math
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from panda_gym.errors import InputError
from panda_gym.experiments.generator_comparison import Source, compare_generators, from_reference
from panda_gym.experiments.generator_comparison.entry import read_cost, read_scores
from panda_gym.experiments.generator_comparison.plan import ComparisonFolder, ComparisonPlan
from panda_gym.experiments.generator_comparison.run import _reason
from panda_gym.surrogate import build
from panda_gym.surrogate.fit_record import FitRecord


@pytest.fixture(scope="module")
def source() -> Source:
    """Few rows of the reference workload, under a name that HTML must escape."""
    found = from_reference(1200, seed=3)
    return Source(found.table, "Rows & <b>more</b>, a stand-in.", found.target, found.time)


@pytest.fixture(scope="module")
def folder(source: Source, light_policy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of SMOTE, evaluated lightly."""
    root = tmp_path_factory.mktemp("comparison") / "run"
    run(source, root, light_policy)
    return root


def run(source: Source, root: Path, policy: Path, **more: object) -> list[str]:
    said: list[str] = []
    how = {"names": ["smote"], "quick": True, "policy": str(policy), **more}
    compare_generators(
        source, root, progress=lambda d, t, m: said.append(m), command="panda-grid compare", **how
    )  # type: ignore[arg-type]
    return said


def test_the_pages_hold_the_numbers_and_escape_the_rest(folder: Path) -> None:
    page = (folder / "comparison.html").read_text()
    assert "<b>more</b>" not in page
    assert "&lt;b&gt;more" in page
    assert "Figure 4a" in page
    assert "Figure 5" in page
    assert "http" not in page.replace("http://www.w3.org", "")
    text = (folder / "comparison.md").read_text()
    assert "| smote |" in text
    assert "| real, unseen |" in text
    with open(folder / "comparison.csv", newline="") as file:
        rows = {row["what"]: row for row in csv.DictReader(file)}
    for what in ("wd", "jsd", "diff_corr", "dcr", "diff_mlef", "c2st", "closer_to_train"):
        assert float(rows[what]["low"]) <= float(rows[what]["value"]) <= float(rows[what]["high"])
    assert float(rows["fit_cpu_s"]["value"]) > 0
    assert float(rows["fit_rss_mb"]["value"]) > 50


def test_a_finished_run_is_not_made_again(folder: Path, source: Source, light_policy: Path) -> None:
    before = (folder / "smote" / "cost.json").stat().st_mtime_ns
    assert run(source, folder, light_policy) == []
    assert (folder / "smote" / "cost.json").stat().st_mtime_ns == before


def test_a_run_that_was_killed_goes_on_at_the_step_it_was_in(
    folder: Path, source: Source, light_policy: Path
) -> None:
    scores = (folder / "smote" / "scores.json").read_text()
    cost = (folder / "smote" / "cost.json").stat().st_mtime_ns
    (folder / "smote" / "scores.json").unlink()
    said = run(source, folder, light_policy)
    assert all("evaluate smote" in message for message in said)
    assert said
    assert (folder / "smote" / "cost.json").stat().st_mtime_ns == cost
    assert (folder / "smote" / "scores.json").read_text() == scores


def test_another_plan_is_refused(folder: Path, source: Source, light_policy: Path) -> None:
    with pytest.raises(InputError, match="another data_sha256, seed"):
        run(source, folder, light_policy, seed=1)


def test_settings_of_earlier_calls_stay_and_those_of_a_fitted_generator_are_final(
    folder: Path, source: Source, light_policy: Path
) -> None:
    cost = (folder / "smote" / "cost.json").stat().st_mtime_ns
    run(source, folder, light_policy, config={"tvae.iterations": 7})
    assert ComparisonFolder(folder).plan().config_of("tvae") == {"iterations": 7}
    run(source, folder, light_policy)
    assert ComparisonFolder(folder).plan().config_of("tvae") == {"iterations": 7}
    assert (folder / "smote" / "cost.json").stat().st_mtime_ns == cost
    with pytest.raises(InputError, match="another setting of smote"):
        run(source, folder, light_policy, config={"smote.neighbours": 3})


def test_a_generator_that_was_fitted_elsewhere_is_evaluated_and_keeps_the_cost_of_its_fit(
    folder: Path, source: Source, light_policy: Path, tmp_path: Path
) -> None:
    build.fit(source.table, tmp_path / "fitted", generator="smote", config={"neighbours": 5})
    ours, theirs = (tmp_path / f"{name}" for name in ("fitted", "other"))
    build.fit(source.table, theirs, generator="smote", split_seed=1, config={"neighbours": 5})
    behind = replace(FitRecord.read(ours), origin=source.origin, cpu_s=1234.5, rss_mb=None)
    behind.write(ours)
    root = tmp_path / "run"
    said = run(source, root, light_policy, fitted={"smote": ours})
    assert {message.split(":")[0] for message in said} == {"evaluate smote"}
    cost, before = read_cost(root / "smote" / "cost.json"), read_cost(folder / "smote/cost.json")
    assert (cost.fit_cpu_s, cost.fit_rss_mb, cost.sample_rows) == (1234.5, None, before.sample_rows)
    rows = [pd.read_parquet(at / "smote" / "synthetic.parquet") for at in (root, folder)]
    pd.testing.assert_frame_equal(*rows)
    assert "| smote | 1,234.5 |" in (root / "comparison.md").read_text()
    assert run(source, root, light_policy) == []
    for folder, word in ((theirs, "split seed 1"), (tmp_path, "panda-grid fit")):
        with pytest.raises(ValueError, match=word):
            run(source, tmp_path / "new", light_policy, fitted={"smote": folder})
    assert not (tmp_path / "new").exists()
    replace(behind, cpu_s=1.0).write(ours)
    with pytest.raises(InputError, match="another one"):
        run(source, root, light_policy, fitted={"smote": ours})


def test_an_unknown_generator_or_setting_is_refused_before_anything_is_written(
    source: Source, light_policy: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="smote"):
        run(source, tmp_path / "x", light_policy, names=["smoke"])
    with pytest.raises(ValueError, match="neighbours"):
        run(source, tmp_path / "x", light_policy, config={"smote.neighbors": 3})
    assert not (tmp_path / "x").exists()


def test_a_step_that_fails_says_why_and_leaves_no_result(
    source: Source, light_policy: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="smote to evaluate"):
        run(source, tmp_path / "x", tmp_path / "no_policy.toml")
    assert (tmp_path / "x" / "smote" / "cost.json").is_file()
    assert not (tmp_path / "x" / "smote" / "scores.json").exists()
    assert "SIGKILL" in _reason(-signal.SIGKILL, tmp_path / "log")


def test_a_generator_that_cannot_learn_the_table_is_left_out_unless_it_was_named(
    folder: Path,
    source: Source,
    light_policy: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("generators.names", lambda: ("smote", "tvae"))
    monkeypatch.setattr("panda_gym.experiments.generator_comparison.run._step", _fail)
    run(source, folder, light_policy, names=[])
    assert "Left out: tvae: a fault &amp; more" in (folder / "comparison.html").read_text()
    assert "Left out: tvae: a fault & more" in (folder / "comparison.md").read_text()
    with pytest.raises(InputError, match="a fault"):
        run(source, folder, light_policy, names=["smote", "tvae"])


def _fail(place: ComparisonFolder, step: str, name: str, progress: object) -> None:
    raise InputError(f"{name} to {step}", "a fault & more", "nothing")


def test_a_target_of_classes_is_scored_by_f1(light_policy: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=600)
    rows = pd.DataFrame(
        {
            "x": x,
            "kind": pd.Categorical(
                np.where(rng.random(600) < 0.1, None, rng.choice(["u", "v"], 600))
            ),
            "y": pd.Categorical(np.where(x + rng.normal(0, 0.3, 600) > 0, "yes", "no")),
        }
    )
    run(Source(rows, "A small table.", "y", None), tmp_path / "run", light_policy)
    scores = read_scores(tmp_path / "run" / "smote" / "scores.json")
    assert scores.passed is None
    assert "diff_mlef" not in scores.scores
    assert 0.6 < scores.scores["f1"].low < scores.scores["f1"].high <= 1.0
    assert scores.scores["f1"].real_vs_real > 0.7
    assert "TSTR F1" in (tmp_path / "run" / "comparison.md").read_text()


def test_settings_go_to_all_or_to_one() -> None:
    plan = ComparisonPlan(
        "o", "t", None, 1, 1, 0, True, "default", None, {"batch": 3, "tabddpm.steps": 2}
    )
    assert plan.config_of("tabddpm") == {"batch": 3, "steps": 2}
    assert plan.config_of("autoregressive") == {"batch": 3}
    assert plan.config_of("smote") == {}


def test_a_folder_of_something_else_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="folder of a run"):
        ComparisonFolder(tmp_path).plan()
    (tmp_path / "plan.json").write_text(json.dumps({"a": os.name}))
    with pytest.raises(InputError, match="folder of a run"):
        ComparisonFolder(tmp_path).plan()


def test_scores_that_release_0_1_wrote_are_read(tmp_path: Path) -> None:
    fields = {"value": 1.0, "low": 0.5, "high": None, "floor": 0.25, "n": 7}
    path = tmp_path / "scores.json"
    path.write_text(json.dumps({"scores": {"wd": fields}, "passed": True}))
    found = read_scores(path).scores["wd"]
    assert (found.value, found.real_vs_real, found.n) == (1.0, 0.25, 7)
    assert math.isnan(found.high)
