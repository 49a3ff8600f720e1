"""WfFormat is read in three versions, written in one, and refused by the offending id."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panda_gym.errors import WorkflowError
from panda_gym.workflows import Pool, random_workflow, simulate
from panda_gym.workflows.formats import read_wfformat, read_workflow, write_wfformat
from panda_gym.workflows.formats.wfformat import from_wfformat
from panda_gym.workflows.summit import SUMMIT16, summit_workflow


def document(version: str = "1.5") -> dict[str, Any]:
    """Three tasks: a writes what b and c read."""

    def task(name: str, parents: list[str], children: list[str], **files: list[str]) -> dict:
        return {"name": name, "id": f"{name}_1", "parents": parents, "children": children, **files}

    return {
        "name": "three",
        "schemaVersion": version,
        "workflow": {
            "specification": {
                "tasks": [
                    task("a", [], ["b_1", "c_1"], inputFiles=["in"], outputFiles=["out"]),
                    task("b", ["a_1"], [], inputFiles=["out"], outputFiles=[]),
                    task("c", ["a_1"], []),
                ],
                "files": [{"id": "in", "sizeInBytes": 10}, {"id": "out", "sizeInBytes": 20}],
            },
            "execution": {
                "makespanInSeconds": 5,
                "executedAt": "2026-01-01T00:00:00Z",
                "tasks": [
                    {"id": "a_1", "runtimeInSeconds": 1.5, "coreCount": 2},
                    {"id": "b_1", "runtimeInSeconds": 2, "gpuCount": 1, "memoryInBytes": 2e9},
                    {"id": "c_1", "runtimeInSeconds": 3},
                ],
            },
        },
    }


def flat() -> dict[str, Any]:
    """The same in version 1.4: references by name, edges at one end."""
    return {
        "name": "three",
        "schemaVersion": "1.4",
        "workflow": {
            "makespanInSeconds": 5,
            "executedAt": "2026-01-01T00:00:00Z",
            "tasks": [
                {
                    "name": "a",
                    "id": "a_1",
                    "runtimeInSeconds": 1.5,
                    "cores": 2,
                    "files": [
                        {"link": "input", "name": "in", "sizeInBytes": 10},
                        {"link": "output", "name": "out", "sizeInBytes": 20},
                    ],
                },
                {
                    "name": "b",
                    "id": "b_1",
                    "runtimeInSeconds": 2,
                    "parents": ["a"],
                    "gpuCount": 1,
                    "memoryInBytes": 2e9,
                    "files": [{"link": "input", "name": "out", "sizeInBytes": 20}],
                },
                {"name": "c", "id": "c_1", "runtimeInSeconds": 3, "parents": ["a_1"]},
            ],
        },
    }


@pytest.mark.parametrize("made", [document("1.5"), document("1.6"), flat()])
def test_the_versions_say_the_same(made):
    flow = from_wfformat(made, "test")
    assert flow.ids == ("a_1", "b_1", "c_1")
    assert [(flow.ids[p], flow.ids[c]) for p, c in flow.edges] == [("a_1", "b_1"), ("a_1", "c_1")]
    assert flow.mean_s.tolist() == [1.5, 2.0, 3.0]
    assert flow.cores.tolist() == [2, 1, 1]
    assert flow.gpus.tolist() == [0, 1, 0]
    assert flow.memory_gb.tolist() == [0.0, 2.0, 0.0]
    assert flow.edge_bytes.tolist() == [20.0, 0.0]
    assert flow.input_bytes.tolist() == [10.0, 0.0, 0.0]


def tasks(made: dict[str, Any]) -> list[dict[str, Any]]:
    return made["workflow"]["specification"]["tasks"]


def runs(made: dict[str, Any]) -> list[dict[str, Any]]:
    return made["workflow"]["execution"]["tasks"]


def _cycle(made: dict[str, Any]) -> None:
    tasks(made)[0]["parents"].append("b_1")
    tasks(made)[1]["children"].append("a_1")


DAMAGE = {
    "version": (lambda m: m.update(schemaVersion="1.3"), "1.3"),
    "no version": (lambda m: m.pop("schemaVersion"), "schemaVersion"),
    "no workflow": (lambda m: m.pop("workflow"), "workflow"),
    "workflow a list": (lambda m: m.update(workflow=[]), "dict"),
    "no execution": (lambda m: m["workflow"].pop("execution"), "run times"),
    "no tasks": (lambda m: tasks(m).clear(), "at least one task"),
    "twice": (lambda m: tasks(m)[2].update(id="b_1"), "'b_1' twice"),
    "one-sided parent": (lambda m: tasks(m)[0]["children"].remove("c_1"), "'c_1'.*'a_1'"),
    "one-sided child": (lambda m: tasks(m)[1]["parents"].clear(), "'a_1'.*'b_1'"),
    "missing parent": (lambda m: tasks(m)[1]["parents"].append("ghost"), "'b_1'.*'ghost'"),
    "missing child": (lambda m: tasks(m)[1]["children"].append("ghost"), "'b_1'.*'ghost'"),
    "cycle": (_cycle, "'?a_1 -> b_1|b_1 -> a_1"),
    "undeclared file": (lambda m: tasks(m)[0]["inputFiles"].append("nil"), "'a_1'.*'nil'"),
    "no runtime": (lambda m: runs(m)[1].pop("runtimeInSeconds"), "'b_1'"),
    "no run": (lambda m: runs(m).pop(1), "'b_1'"),
    "negative": (lambda m: runs(m)[1].update(runtimeInSeconds=-1), "'b_1'"),
    "NaN": (lambda m: runs(m)[1].update(runtimeInSeconds=float("nan")), "'b_1'"),
    "text": (lambda m: runs(m)[1].update(runtimeInSeconds="2"), "'b_1'"),
    "zero cores": (lambda m: runs(m)[1].update(coreCount=0), "'b_1'"),
    "parents a text": (lambda m: tasks(m)[1].update(parents="a_1"), "'b_1'"),
    "a task a text": (lambda m: tasks(m).append("d"), r"tasks\[3\]"),
    "negative size": (
        lambda m: m["workflow"]["specification"]["files"][0].update(sizeInBytes=-1), "'in'"
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", sorted(DAMAGE))
def test_a_damaged_document_is_one_clear_error(damage, tmp_path):
    spoil, named = DAMAGE[damage]
    made = copy.deepcopy(document())
    spoil(made)
    path = tmp_path / "damaged.json"
    path.write_text(json.dumps(made))
    with pytest.raises(WorkflowError, match=named):
        read_workflow(path)


@pytest.mark.parametrize(
    "text", ['{"name": "cut', "[]", "", "7", "\ufeff{}", "[" * 200_000, '{"a": 1}']
)
def test_a_damaged_file_is_one_clear_error(text, tmp_path):
    path = tmp_path / "damaged.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(WorkflowError, match=r"damaged\.json"):
        read_workflow(path)
    path.write_bytes(b"\xff\xfe\x00{")
    with pytest.raises(WorkflowError, match="UTF-8"):
        read_workflow(path)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), count=st.integers(1, 60))
def test_a_simulated_execution_comes_back(tmp_path_factory, seed, count):
    flow = random_workflow("layered", seed, tasks=count)
    run = simulate(flow, Pool("p", nodes=2, threads=8), seed=seed)
    path = tmp_path_factory.mktemp("wf") / "run.json"
    write_wfformat(path, run)
    back = read_wfformat(path)
    assert back.ids == flow.ids
    assert set(map(tuple, back.edges)) == set(map(tuple, flow.edges))
    np.testing.assert_allclose(back.mean_s, run.stop - run.start)
    np.testing.assert_array_equal(back.cores, flow.cores)
    written = json.loads(path.read_text())
    assert written["schemaVersion"] == "1.5"
    assert written["workflow"]["execution"]["makespanInSeconds"] == run.ttx_s


def test_sets_are_written_task_by_task(tmp_path):
    path = tmp_path / "ddmd.json"
    write_wfformat(path, simulate(summit_workflow("ddmd"), SUMMIT16))
    back = read_wfformat(path)
    assert len(back) == 627
    assert back.gpus.sum() == 579
    assert simulate(back, SUMMIT16).ttx_s == 1267.5


def test_what_cannot_be_written_leaves_the_old_file(tmp_path):
    from panda_gym.workflows import TaskSet, Workflow

    path = tmp_path / "kept.json"
    path.write_text("kept")
    with pytest.raises(WorkflowError, match="'a b'"):
        write_wfformat(path, Workflow.of("w", [TaskSet("a b", cores=1)]))
    wide = [TaskSet("a", 3000, cores=1), TaskSet("b", 3000, cores=1)]
    with pytest.raises(WorkflowError, match="edges between tasks"):
        write_wfformat(path, Workflow.of("w", wide, [("a", "b")]))
    assert path.read_text() == "kept"
    assert [p.name for p in tmp_path.iterdir()] == ["kept.json"]


def test_the_formats_own_library_reads_what_is_written(tmp_path):
    wfcommons = pytest.importorskip("wfcommons")
    run = simulate(random_workflow("layered", 0), Pool.cores(4))
    path, schema = tmp_path / "run.json", tmp_path / "schema.json"
    write_wfformat(path, run)
    schema.write_text("{}")  # the library would fetch one
    read = wfcommons.Instance(path, schema_file=str(schema)).workflow
    assert read.number_of_nodes() == len(run.workflow)
    assert read.number_of_edges() == len(run.workflow.edges)
    assert read.makespan == run.ttx_s
