"""Files of task sets, Alibaba's names and the Workflow Trace Archive's tables."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from panda_gym.errors import WorkflowError
from panda_gym.workflows import Pool, random_workflow, read_workflow, simulate, write_sets
from panda_gym.workflows.formats import read_alibaba, read_sets, read_wta
from panda_gym.workflows.formats.alibaba import COLUMNS, parse_task_name, task_names
from panda_gym.workflows.formats.setfile import pool_of
from panda_gym.workflows.random_graphs import SHAPES
from panda_gym.workflows.summit import SUMMIT16, summit_workflow


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_a_file_of_sets_comes_back_whole(shape, tmp_path):
    flow = random_workflow(shape, 5)
    write_sets(tmp_path / "flow.json", flow)
    back = read_workflow(tmp_path / "flow.json")
    assert (back.name, back.ids) == (flow.name, flow.ids)
    kinds, wanted = ([f.kind_names[k] for k in f.kind] for f in (back, flow))
    assert kinds == wanted
    for field in ("tasks", "cores", "threads", "gpus", "mean_s", "sd_s", "distribution", "edges",
                  "each", "edge_bytes", "input_bytes", "output_bytes"):  # fmt: skip
        np.testing.assert_array_equal(getattr(back, field), getattr(flow, field), err_msg=field)
    pool = Pool("p", nodes=4, threads=168, gpus=6)
    assert simulate(back, pool, seed=1).ttx_s == simulate(flow, pool, seed=1).ttx_s


def test_a_file_of_sets_keeps_stages_and_the_pool(tmp_path):
    path = tmp_path / "ddmd.json"
    write_sets(path, summit_workflow("ddmd"), SUMMIT16)
    assert simulate(read_sets(path), SUMMIT16, "sequential").ttx_s == 1575.0
    assert pool_of(json.loads(path.read_text()), "ddmd.json") == SUMMIT16


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"version": 2}, "version"),
        ({"sets": [{"id": "a", "core": 1}]}, "did you mean cores"),
        ({"sets": [{"tasks": 1}]}, "id"),
        ({"sets": "a"}, "sets"),
        ({"sets": [{"id": "a", "cores": 1, "mean_s": -1}]}, "'a'"),
        ({"edges": [{"parent": "a", "child": "z"}]}, "'z'"),
        ({"edges": [{"parent": "a"}]}, "child"),
        ({"sets": []}, "at least one"),
    ],
)
def test_a_bad_file_of_sets_is_refused(change, named, tmp_path):
    document = {"format": "panda-grid-workflow", "version": 1, "name": "w"}
    document |= {"sets": [{"id": "a", "cores": 1}], "edges": []} | change
    (tmp_path / "w.json").write_text(json.dumps(document))
    with pytest.raises(WorkflowError, match=named):
        read_sets(tmp_path / "w.json")


@pytest.mark.parametrize(
    ("name", "parsed"),
    [
        ("M1", (1, ())),
        ("R2_1", (2, (1,))),
        ("M5_3_4", (5, (3, 4))),
        ("J4_3_", (4, (3,))),
        ("R5_1_2__", (5, (1, 2))),
        ("J10_2_Stg3", (10, (2,))),
        ("task_Nzg3ODAwNDgzMTA=", None),
        ("MergeTask", None),
    ],
)
def test_alibaba_names(name, parsed):
    assert parse_task_name(name) == parsed


def rows(names: list[str], job: str = "j_1", **fields: str) -> str:
    given = {"n": "2", "start": "100", "end": "160", "cpu": "150", **fields}
    return "".join(
        f"{name},{given['n']},{job},1,Terminated,{given['start']},{given['end']},{given['cpu']},0.3\n"
        for name in names
    )


def test_alibaba_jobs_are_read_and_names_come_back(tmp_path):
    flow = random_workflow("layered", 3, tasks=30)
    path = tmp_path / "batch_task.csv"
    path.write_text(rows(task_names(flow)) + rows(["task_x", "M1"], job="j_2"))
    found = read_alibaba(path)
    assert list(found) == ["j_1", "j_2"]
    assert set(map(tuple, found["j_1"].edges)) == set(map(tuple, flow.edges))
    assert found["j_1"].cores.tolist() == [2] * 30
    assert found["j_1"].tasks.tolist() == [2] * 30
    assert found["j_1"].mean_s.tolist() == [60.0] * 30
    assert list(read_alibaba(path, jobs={"j_2"})) == ["j_2"]
    with pytest.raises(WorkflowError, match=r"one workflow.*--job"):
        read_workflow(path)
    assert len(read_workflow(path, "j_2")) == 2
    with pytest.raises(WorkflowError, match="did you mean j_"):
        read_workflow(path, "j_3")
    with pytest.raises(WorkflowError, match="job 'j_4'"):
        read_alibaba(path, jobs=["j_1", "j_4"])


def test_an_underscore_at_the_end_keeps_the_edge_and_a_header_is_no_job(tmp_path):
    path = tmp_path / "batch_task.csv"
    body = rows(["M1", "R2_1_", "J3_1_2_", "J4_3_"])
    path.write_text("\ufeff" + ",".join(COLUMNS) + "\n" + body, encoding="utf-8")
    flow = read_workflow(path)
    edges = {(flow.ids[p], flow.ids[c]) for p, c in flow.edges}
    assert edges == {("M1", "R2_1_"), ("M1", "J3_1_2_"), ("R2_1_", "J3_1_2_"), ("J3_1_2_", "J4_3_")}
    path.write_text(body)
    assert set(map(tuple, read_workflow(path).edges)) == set(map(tuple, flow.edges))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (rows(["M1", "R3_2"]), "'R3_2'.*no task 2"),
        (rows(["M1", "R1"]), "'M1' and 'R1'"),
        (rows(["M1_2", "R2_1"]), "cycle"),
        (rows(["M1"], end="50"), "'M1'"),
        (rows(["M1"], end="soon"), "'M1'"),
        (rows(["M1"], n="0"), "'M1'"),
        ("M1,1,j\n", "line 1"),
        ("", "jobs"),
    ],
)
def test_a_bad_alibaba_file_is_refused(text, named, tmp_path):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(WorkflowError, match=named):
        read_alibaba(tmp_path / "t.csv")


def write_wta(folder, tasks: dict, workflows: dict) -> None:
    for table, columns in (("tasks", tasks), ("workflows", workflows)):
        (folder / table / "schema-1.0").mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), folder / table / "schema-1.0" / "part.0.parquet")


TASKS = {
    "id": [1, 2, 3],
    "workflow_id": [7, 7, 7],
    "ts_submit": [0, 10, 20],
    "runtime": [1000, 2500, 500],
    "resource_amount_requested": [1.0, 4.0, -1.0],
    "parents": [[], [1], [1, 2]],
}
FLOWS = {"id": [7], "task_count": [3], "critical_path_length": [4000]}


def test_a_workflow_trace_archive_is_read(tmp_path):
    write_wta(tmp_path / "trace", TASKS, FLOWS)
    flow = read_workflow(tmp_path / "trace")
    assert flow.name == "7"
    assert flow.mean_s.tolist() == [1.0, 2.5, 0.5]
    assert flow.cores.tolist() == [1, 4, 1]
    assert {(flow.ids[p], flow.ids[c]) for p, c in flow.edges} == {
        ("1", "2"),
        ("1", "3"),
        ("2", "3"),
    }


@pytest.mark.parametrize(
    ("tasks", "flows", "named"),
    [
        ({"parents": [[], [1], [9]]}, {}, "'3'.*'9'"),
        ({"runtime": [1000, -5, 1]}, {}, "'2'"),
        ({"runtime": [1000, None, 1]}, {}, "'2'"),
        ({"resource_amount_requested": [1.0, 0.0, 1.0]}, {}, "'2'"),
        ({"id": [1, 1, 3], "parents": [[], [], [1]]}, {}, "'1'"),
        ({}, {"task_count": [4]}, "4 tasks of workflow '7'"),
    ],
)
def test_a_bad_trace_archive_is_refused(tasks, flows, named, tmp_path):
    write_wta(tmp_path / "trace", TASKS | tasks, FLOWS | flows)
    with pytest.raises(WorkflowError, match=named):
        read_wta(tmp_path / "trace")


def test_a_trace_archive_without_tables_or_columns_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(WorkflowError, match="Parquet files"):
        read_wta(tmp_path / "empty")
    short = {k: v for k, v in TASKS.items() if k != "parents"}
    write_wta(tmp_path / "short", short, FLOWS)
    with pytest.raises(WorkflowError, match="'parents'"):
        read_wta(tmp_path / "short")
    write_wta(tmp_path / "torn", TASKS, FLOWS)
    torn = tmp_path / "torn" / "tasks" / "schema-1.0" / "part.0.parquet"
    torn.write_bytes(torn.read_bytes()[:100])
    with pytest.raises(WorkflowError, match="Parquet in"):
        read_wta(tmp_path / "torn")
