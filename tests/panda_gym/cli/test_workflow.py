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
    assert json.loads(out)["lower_bound_s"] == 1205.0
    assert picture.exists()
    code, out, _ = command(capsys, monkeypatch, "analyse", str(export), "--json")
    assert json.loads(out)["tasks"] == 627
    code, out, _ = command(capsys, monkeypatch, "compare", "cdg1", "--json")
    assert json.loads(out)["sets fifo"]["improvement"] == pytest.approx(0.0)
    code, out, _ = command(capsys, monkeypatch, "compare", "ddmd", "--json")
    rows = json.loads(out)
    assert rows["static heft"]["ttx_s"] == rows["sets upward_rank"]["ttx_s"] == 1232.5
    assert {row["lower_bound_s"] for row in rows.values()} == {1205.0}
    assert all(row["over_bound"] >= 1.0 for row in rows.values())


def test_a_file_of_several_jobs_gives_all_of_them_or_one(capsys, monkeypatch, tmp_path):
    path = tmp_path / "batch_task.csv"
    path.write_text(
        "task_name,instance_num,job_name,task_type,status,start_time,end_time,plan_cpu,plan_mem\n"
        "M1,2,j_1,1,Terminated,0,60,100,0.3\nR2_1_,1,j_1,1,Terminated,60,90,100,0.3\n"
        "M1,1,j_2,1,Terminated,0,30,100,0.3\n"
    )
    for verb, figure in (("analyse", "tasks"), ("run", "tasks")):
        code, out, _ = command(capsys, monkeypatch, verb, str(path), "--json")
        assert code == 0
        assert {job: row[figure] for job, row in json.loads(out).items()} == {"j_1": 3, "j_2": 1}
        code, out, _ = command(capsys, monkeypatch, verb, str(path), "--job", "j_2", "--json")
        assert json.loads(out)[figure] == 1
    code, out, _ = command(capsys, monkeypatch, "compare", str(path), "--json")
    assert sorted(json.loads(out)) == ["j_1", "j_2"]
    assert json.loads(out)["j_1"]["sets fifo"]["ttx_s"] == 90.0
    code, out, _ = command(capsys, monkeypatch, "compare", str(path))
    assert (code, "j_1, static heft" in out) == (0, True)
    code, _, err = command(capsys, monkeypatch, "run", str(path), "--job", "j_3")
    assert (code, "j_1" in err, err.count("\n")) == (2, True, 1)
    picture = str(tmp_path / "run.png")
    code, _, err = command(capsys, monkeypatch, "run", str(path), "--plot", picture)
    assert (code, "--job" in err, err.count("\n")) == (2, True, 1)


def test_bad_input_exits_with_2(capsys, monkeypatch, tmp_path):
    code, _, err = command(capsys, monkeypatch, "analyse", "ddm")
    assert (code, err.count("\n")) == (2, 1)
    assert "did you mean ddmd" in err
    (tmp_path / "cut.json").write_text('{"name": ')
    code, _, err = command(capsys, monkeypatch, "run", str(tmp_path / "cut.json"))
    assert (code, err.count("\n")) == (2, 1)
    code, _, err = command(capsys, monkeypatch, "run", "ddmd", "--nodes", "1", "--gpus", "0")
    assert (code, "Simulation1" in err) == (2, True)
