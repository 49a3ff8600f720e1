"""`panda-grid joint` draws, solves and judges, and refuses bad files with exit code 2."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from panda_gym.cli import main


def command(capsys, monkeypatch, *words: object) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["panda-grid", "joint", *map(str, words)])
    with pytest.raises(SystemExit) as left:
        main()
    shown = capsys.readouterr()
    return int(left.value.code or 0), shown.out, shown.err


SMALL = ("--jobs", 8, "--nodes", 4, "--local-stores", 3, "--remote-stores", 2, "--seed", 1)


def test_draw_solve_and_evaluate(capsys, monkeypatch, tmp_path: Path) -> None:
    file, plan = tmp_path / "i.json", tmp_path / "s.json"
    code, out, _ = command(capsys, monkeypatch, "draw", file, *SMALL, "--quota", 1.5, "--json")
    assert (code, json.loads(out)["jobs"]) == (0, 8)
    words = ("solve", file, "--seconds", 30, "--steps", 2, "--out", plan, "--json")
    code, out, err = command(capsys, monkeypatch, *words)
    found = json.loads(out)
    assert (code, "local_search" in err) == (0, True)
    rows = [found[name] for name in ("random", "list", "alternation", "local_search")]
    assert all(row["makespan"] >= found["lower bound"] * (1 - 1e-12) for row in rows)
    code, out, _ = command(capsys, monkeypatch, "evaluate", file, plan, "--json")
    assert json.loads(out)["makespan"] == min(row["makespan"] for row in rows)
    words = ("solve", file, "--method", "list", "--bound-seconds", 0)
    code, out, _ = command(capsys, monkeypatch, *words)
    assert (code, "gap" in out) == (0, False)


def test_bad_input_exits_with_2(capsys, monkeypatch, tmp_path: Path) -> None:
    file = tmp_path / "i.json"
    file.write_text("{")
    cases = {
        ("solve", file): "whole JSON",
        ("solve", tmp_path / "none.json"): "No such file",
        ("draw", file, "--quota", "0.1"): "quota of at least 1",
    }
    for words, text in cases.items():
        code, _, err = command(capsys, monkeypatch, *words)
        assert (code, text in err, err.count("\n")) == (2, True, 1)
    command(capsys, monkeypatch, "draw", file, *SMALL)
    code, _, err = command(capsys, monkeypatch, "solve", file, "--method", "locl_search")
    assert (code, "did you mean local_search" in err) == (2, True)
