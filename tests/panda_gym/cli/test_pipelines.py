"""`panda-grid pipelines` prints what the library says and refuses bad input with exit code 2."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from panda_gym.cli import main


def command(capsys, monkeypatch, *words: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["panda-grid", "pipelines", *words])
    with pytest.raises(SystemExit) as left:
        main()
    shown = capsys.readouterr()
    return int(left.value.code or 0), shown.out, shown.err


def test_distributions_are_fitted_replayed_and_operated(capsys, monkeypatch, tmp_path):
    rng, trace, distribution = (
        np.random.default_rng(0),
        tmp_path / "log.swf",
        str(tmp_path / "arrivals.json"),
    )
    submit = np.sort(rng.integers(0, 10 * 86_400, size=800))
    rows = [
        f"{i} {t} 0 {60 + i % 50} 1 -1 -1 1 -1 -1 1 {i % 7} {i % 3} -1 -1 1 -1 -1"
        for i, t in enumerate(submit)
    ]
    trace.write_text("\n".join(rows) + "\n")
    code, out, _ = command(
        capsys,
        monkeypatch,
        "fit",
        str(trace),
        "--out",
        distribution,
        "--model",
        "poisson",
        "--json",
    )
    assert (code, json.loads(out)["jobs"]) == (0, 800)
    code, out, _ = command(capsys, monkeypatch, "replay", distribution, "--days", "10", "--json")
    assert json.loads(out)["arrivals"] == pytest.approx(800, rel=0.15)
    code, out, _ = command(
        capsys, monkeypatch, "run", "--set", f"arrivals={distribution}", "--days", "5", "--json"
    )
    assert json.loads(out)["runs"] > 300
    page = tmp_path / "valid"
    code, out, _ = command(
        capsys, monkeypatch, "validate", str(trace), "--out", str(page), "--model", "poisson",
        "--seeds", "2", "--json",
    )  # fmt: skip
    assert (page / "validation.html").exists()
    assert json.loads(out)["jobs"]["recorded"] > 100
    wide = [row.replace(" 1 -1 -1 1 -1", " 32 -1 -1 32 -1", 1) for row in rows]
    trace.write_text("; MaxProcs: 128\n" + "\n".join(wide) + "\n")
    for words, processors in (((), 128), (("--processors", "64"), 64)):
        code, out, _ = command(
            capsys, monkeypatch, "validate", str(trace), "--out", str(page), "--model", "poisson",
            "--seeds", "1", "--json", *words,
        )  # fmt: skip
        assert json.loads(out)["waits"]["processors"] == processors


def test_a_question_is_answered_with_a_dashboard(capsys, monkeypatch, tmp_path):
    code, out, _ = command(
        capsys, monkeypatch, "ask", "threshold", "--out", str(tmp_path), "--values", "[0.05, 0.2]",
        "--set", "models=4", "--seeds", "2", "--days", "10", "--json",
    )  # fmt: skip
    assert code == 0
    assert json.loads(out)["answer"].startswith("staleness ")
    assert (tmp_path / "dashboard.html").exists()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("run", "--set", "model=3"), "did you mean models"),
        (("run", "--days", "0"), "horizon"),
        (("ask", "capacity", "--out", "x", "--set", "training_slots=0"), "training_slots"),
        (("replay", "no-such.json"), "saved distribution"),
        (("dashboard", "no-such-folder"), "experiment.json"),
    ],
)
def test_bad_input_is_one_line_and_code_2(words, named, capsys, monkeypatch):
    code, _, err = command(capsys, monkeypatch, *words)
    assert code == 2
    assert named in err
    assert err.count("\n") == 1
