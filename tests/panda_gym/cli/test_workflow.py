"""`panda-grid workflow` prints what the library says and refuses bad files with exit code 2."""

from __future__ import annotations

import json
import sys

import pytest

from panda_gym.cli import main


def command(capsys, monkeypatch, *words: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["panda-grid", "workflow", *words])
    with pytest.raises(SystemExit) as left:
        main()
    shown = capsys.readouterr()
    return int(left.value.code or 0), shown.out, shown.err


def test_reproduce_agrees(capsys, monkeypatch):
    code, out, _ = command(capsys, monkeypatch, "reproduce", "--json")
    assert code == 0
    assert json.loads(out)["agreement"] == "all within tolerance"


def test_analyse_and_run_and_compare(capsys, monkeypatch, tmp_path):
    code, out, _ = command(capsys, monkeypatch, "analyse", "ddmd", "--json")
    found = json.loads(out)
    assert (code, found["doa_dep"], found["wla"], found["span_s"]) == (0, 2, 1, 1205.0)
    picture, export = tmp_path / "run.png", tmp_path / "run.json"
    words = ("run", "ddmd", "--priority", "upward_rank", "--json")
    code, out, _ = command(
        capsys, monkeypatch, *words, "--plot", str(picture), "--export", str(export)
    )
    assert (code, json.loads(out)["ttx_s"]) == (0, 1232.5)
    assert picture.exists()
    code, out, _ = command(capsys, monkeypatch, "analyse", str(export), "--json")
    assert json.loads(out)["tasks"] == 627
    code, out, _ = command(capsys, monkeypatch, "compare", "cdg1", "--json")
    assert json.loads(out)["sets fifo"]["improvement"] == pytest.approx(0.0)


def test_bad_input_exits_with_2(capsys, monkeypatch, tmp_path):
    code, _, err = command(capsys, monkeypatch, "analyse", "ddm")
    assert (code, err.count("\n")) == (2, 1)
    assert "did you mean ddmd" in err
    (tmp_path / "cut.json").write_text('{"name": ')
    code, _, err = command(capsys, monkeypatch, "run", str(tmp_path / "cut.json"))
    assert (code, err.count("\n")) == (2, 1)
    code, _, err = command(capsys, monkeypatch, "run", "ddmd", "--nodes", "1", "--gpus", "0")
    assert (code, "Simulation1" in err) == (2, True)
