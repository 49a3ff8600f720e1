"""Every verb runs, and bad input is one line and exit code 2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import panda_gym
from panda_gym.benchmarking import BenchmarkTable
from panda_gym.cli.app import VERBS, build, main
from panda_gym.records import load_records, save_records
from panda_gym.surrogate import Surrogate

runner = CliRunner()
APP = build()


def call(*arguments: object) -> dict[str, object]:
    """Run a verb with --json and return what it printed."""
    result = runner.invoke(APP, [*map(str, arguments), "--json"], catch_exceptions=False)
    assert result.exit_code in (0, 1), result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def records_file(records: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("records") / "records.parquet"
    save_records(records, path)
    return path


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    result = runner.invoke(APP, [verb, "--help"])
    assert result.exit_code == 0
    assert any(word in result.output for word in ("--json", "COMMAND [ARGS]", "JSON lines"))


def test_the_reference_workload_passes_the_funnel(tmp_path: Path) -> None:
    out = tmp_path / "r.parquet"
    shown = call("records", "--reference", 2000, "--out", out)
    assert shown["gross"] == 2000
    table = load_records(out)
    assert len(table) == shown["rows"]
    assert "stand-in" in table.attrs["origin"]


def test_fit_certify_verify_sample(records_file: Path, light_policy: Path, tmp_path: Path) -> None:
    fitted, sealed, rows = tmp_path / "fitted", tmp_path / "sealed", tmp_path / "rows.csv"
    call("fit", records_file, "--generator", "smote", "--out", fitted)
    judged = call(
        "certify", fitted, "--records", records_file, "--out", sealed,
        "--quick", "--policy", light_policy,
    )  # fmt: skip
    assert judged["certificate"] == "void"  # so few held-out rows do not show a planted leak
    page = Path(str(judged["report"]))
    assert {p.name for p in page.parent.iterdir()} == {"report.html", "report.md", "scores.csv"}
    assert call("verify", sealed, "--redraw")["rows drawn again exactly"] == 100.0
    call("sample", sealed, "--rows", 50, "--out", rows, "--allow-uncertified")
    assert len(pd.read_csv(rows)) == 50


def test_simulate_writes_a_log_that_its_measures_follow_from(
    sealed: Surrogate, tmp_path: Path
) -> None:
    log = tmp_path / "log.parquet"
    shown = call(
        "simulate", "--policy", "least_loaded", "--stream", sealed.folder, "--jobs", 50,
        "--log", log, "--allow-uncertified",
    )  # fmt: skip
    jobs = pd.read_parquet(log)
    assert (jobs["state"] == "finished").all()
    mean = jobs["turnaround_s"].to_numpy()[-50:].mean()
    assert float(shown["mean_turnaround"]) == pytest.approx(mean, rel=1e-5)
    page = tmp_path / "replay.html"
    assert call("replay", log, "--out", page, "--frames", 20)["written"] == str(page)
    assert "least_loaded on atlas150" in page.read_text()


def test_simulate_replays_a_log_under_a_discipline_and_kills(tmp_path: Path) -> None:
    """Three jobs of 4 cores and 100 s at one site of 4; the second requests 60 s."""
    line = "{} 0 -1 100 4 -1 -1 -1 {} -1 1 1 1 -1 1 1 -1 -1\n"
    log, site = tmp_path / "log.swf", tmp_path / "site.json"
    log.write_text(line.format(1, 100) + line.format(2, 60) + line.format(3, -1))
    site.write_text('{"name": "one", "sites": [{"name": "here", "cores": 4, "power": 10.0}]}')
    replay = (
        "simulate", "--policy", "random", "--stream", log, "--platform", site, "--scale", 1,
        "--load", 0, "--competing", 0, "--discipline", "conservative", "--reservations", 5,
    )  # fmt: skip
    assert call(*replay)["mean_wait"] == pytest.approx(100.0)
    killed = call(*replay, "--requested-factor", 9.0, "--kill")
    assert killed["wasted"] == pytest.approx(4 * 60 / 3600)


def test_train_then_benchmark_the_agent(sealed: Surrogate, tmp_path: Path) -> None:
    common = ("--jobs", 40, "--allow-uncertified")
    call(
        "train", "--stream", sealed.folder, "--steps", 64, "--num-envs", 2,
        "--out", tmp_path / "t", *common,
    )  # fmt: skip
    out = tmp_path / "b"
    call(
        "benchmark", "--policy", "random", "--policy", tmp_path / "t" / "agent",
        "--stream", sealed.folder, "--seeds", 2, "--out", out, "--picture", "random", *common,
    )  # fmt: skip
    assert {p.name for p in out.glob("benchmark.*")} == {
        f"benchmark.{kind}" for kind in ("csv", "json", "md", "html", "svg")
    }
    page = (out / "benchmark.html").read_text()
    assert page.count('<figure class="heat') == 2
    assert '<figure class="gantt">' in page
    call(
        "benchmark", "--policy", "random", "--policy", "fastest", "--stream", sealed.folder,
        "--seeds", 2, "--load", 0.9, "--load", 1.1, "--out", out / "loads", *common,
    )  # fmt: skip
    ranks = (out / "loads" / "leaderboard.md").read_text()
    assert ranks.count("### default, load") == 2
    call(
        "benchmark", "--policy", "random", "--policy", "fastest", "--policy", "least_loaded",
        "--stream", sealed.folder, "--seeds", 2, "--scale", 0.01, "--scale", 0.1,
        "--warmup", 100, "--out", out / "scales", *common,
    )  # fmt: skip
    tables = {
        scale: BenchmarkTable.from_json(out / f"scales/default-scale-{scale:g}" / "benchmark.json")
        for scale in (0.01, 0.1)
    }
    assert all(table.scale == scale for scale, table in tables.items())
    csv = (out / "scales/default-scale-0.1/benchmark.csv").read_text().splitlines()
    assert csv[1].split(",")[:3] == [str(sealed.folder), "0.1", "random"]
    assert len(list((out / "scales/cells").glob("*.json"))) == 6
    assert "tau with 0.1" in (out / "scales" / "scales.md").read_text()


BAD = {
    "no such file": ("fit", "nowhere.parquet"),
    "an unknown generator": ("fit", "RECORDS", "--generator", "tabdpm"),
    "an unknown setting": ("fit", "RECORDS", "--generator", "smote", "--set", "neighbors=5"),
    "a setting without a value": ("fit", "RECORDS", "--set", "x"),
    "an unknown surrogate": ("sample", "no-such-surrogate"),
    "an unknown policy": ("simulate", "--policy", "least_lodaed"),
    "an unknown platform": ("simulate", "--stream", "RECORDS", "--platform", "atlas15"),
    "a scale of zero": ("simulate", "--stream", "RECORDS", "--scale", "0"),
    "an unknown discipline": ("simulate", "--stream", "RECORDS", "--discipline", "sjf"),
    "a log of another ending": ("simulate", "--stream", "RECORDS", "--log", "run.txt"),
    "an unknown log level": (
        "simulate",
        "--stream",
        "RECORDS",
        "--log",
        "r.parquet",
        "--log-level",
        "all",
    ),
    "a replay of no log": ("replay", "RECORDS"),
    "neither file nor reference": ("records",),
    "a certificate that is none": ("verify", "nowhere.json"),
    "a fitted that is none": ("certify", "nowhere", "--records", "RECORDS"),
    "a run that is none": ("report", "nowhere"),
    "a negative seed": ("records", "--reference", "10", "--seed", "-1"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_exit_code_2(
    case: str,
    records_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [str(records_file) if word == "RECORDS" else word for word in BAD[case]]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["panda-grid", *words])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert "rror" in capsys.readouterr().err
    assert list(tmp_path.rglob("*")) == []


def test_the_installed_command_ends_with_code_2_and_no_traceback(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", "from panda_gym.cli import main; main()", "fit", "nowhere.csv"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(panda_gym.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert ran.stderr.count("error: ") == 1
    assert "Traceback" not in ran.stderr


def test_a_damaged_parquet_is_one_clear_error(records_file: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.parquet"
    damaged.write_bytes(records_file.read_bytes()[:-200])
    with pytest.raises(panda_gym.errors.RecordsError, match="damaged"):
        runner.invoke(APP, ["fit", str(damaged)], catch_exceptions=False)
