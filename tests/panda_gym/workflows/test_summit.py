"""The six Summit runs, from their task sets; figures of the raw data behind arXiv 2208.11069."""

from __future__ import annotations

import json

import numpy as np
import pytest

from panda_gym.errors import WorkflowError
from panda_gym.workflows import analyse, degrees, read_workflow, simulate
from panda_gym.workflows.analytics import masked_s, residual_at, span_s, t_seq_s, work_s
from panda_gym.workflows.execution import steps
from panda_gym.workflows.replay import concurrency, excess, read_recorded
from panda_gym.workflows.summit import RUNS, SUMMIT16, improvements, reproduce, summit_workflow
from panda_gym.workflows.width import width


@pytest.fixture(scope="module")
def found():
    return reproduce()


@pytest.mark.parametrize(
    ("run", "ideal"),
    [
        ("ddmd_seq", 1575.0),
        ("ddmd_async", 1290.0),
        ("cdg1_seq", 1875.6),
        ("cdg1_async", 1875.6),
        ("cdg2_seq", 1769.1),
        ("cdg2_async", 1307.6),
    ],
)
def test_ideal_times(found, run, ideal):
    assert found[run].ideal.ttx_s == pytest.approx(ideal, abs=0.1)


@pytest.mark.parametrize("run", sorted(RUNS))
def test_times_and_utilisation_with_the_measured_overheads(found, run):
    assert abs(found[run].ttx_error) <= 0.015
    assert max(map(abs, found[run].utilisation_errors)) <= 0.02
    assert found[run].agrees


def test_improvements_and_their_signs(found):
    gains = improvements(found)
    for simulated, measured in gains.values():
        assert simulated == pytest.approx(measured, abs=0.02)
    assert gains["ddmd"][0] > 0.1
    assert gains["cdg2"][0] > 0.1
    # Asynchrony does not pay for c-DG1.
    assert abs(gains["cdg1"][0]) < 0.02


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ddmd", (2, 1, 1)),
        ("cdg1_split", (2, 2, 2)),
        ("cdg2_split", (2, 2, 2)),
        ("ddmd_chain", (0, 0, 0)),
        ("cdg1", (1, 1, 1)),
    ],
)
def test_degrees(name, expected):
    d = degrees(summit_workflow(name), SUMMIT16)
    assert (d.doa_dep, d.doa_res, d.wla) == expected


def test_spans_and_sequential_times():
    ddmd = summit_workflow("ddmd")
    assert span_s(ddmd) == 1205.0
    assert t_seq_s(ddmd, SUMMIT16) == 1575.0
    assert analyse(ddmd, SUMMIT16).masked_bound_s == 370.0


@pytest.mark.parametrize(("name", "fifo"), [("ddmd", 1267.5), ("ddmd_authors", 1290.0)])
def test_upward_rank_beats_fifo(name, fifo):
    flow = summit_workflow(name)
    times = [simulate(flow, SUMMIT16, priority=p).ttx_s for p in ("fifo", "upward_rank")]
    assert times == [fifo, 1232.5]
    assert min(times) >= span_s(flow)


def test_residual_degrees_and_masked_time_of_an_execution():
    flow = summit_workflow("ddmd")
    run = simulate(flow, SUMMIT16, priority="upward_rank")
    assert masked_s(flow, SUMMIT16, run) == 1575.0 - 1232.5
    begin, late, end = (residual_at(run, SUMMIT16, t) for t in (-1.0, 1100.0, 1232.5))
    assert begin == degrees(flow, SUMMIT16)
    # At 1100 s the third aggregation and the inferences are left, and every GPU is taken: the
    # second inferences cannot start beside what runs.
    assert late.doa_dep == 2
    assert (end.doa_dep, end.doa_res) == (0, 0)


def test_no_asynchronicity_no_improvement():
    flow = summit_workflow("ddmd_chain")
    assert simulate(flow, SUMMIT16, "sets").ttx_s == simulate(flow, SUMMIT16, "sequential").ttx_s


RECORDED = ("cdg1_async", "cdg1_seq", "cdg2_async", "cdg2_seq", "ddmd_async_alt", "ddmd_seq")


@pytest.mark.parametrize("run", RECORDED)
def test_replay_of_the_recorded_runs(shared_data, run):
    folder = shared_data / "async_workflows"
    summary = {row["run"]: row for row in json.loads((folder / "summary.json").read_text())}[run]
    ran = read_recorded(folder / f"{run}.csv", SUMMIT16)
    assert ran.ttx_s == pytest.approx(summary["ttx_exec_s"], abs=0.01)
    assert not excess(ran).any()
    assert ran.workflow.total_tasks == summary["n_tasks"]
    assert ran.utilisation["gpus"] == pytest.approx(summary["gpu_util"], abs=1e-4)
    assert ran.utilisation["threads"] == pytest.approx(summary["hwthread_util"], abs=1e-4)
    times, sets = concurrency(ran)
    assert sets.max() == summary["max_concurrent_sets"]
    mean = float(np.dot(np.diff(times), sets[:-1]) / ran.ttx_s)
    assert mean == pytest.approx(summary["mean_concurrent_sets"], abs=0.01)


def test_a_replay_beyond_capacity_is_seen(tmp_path):
    head = "uid,pipeline,stage,hw_threads,gpus,start_s,stop_s\n"
    rows = [f"t{i},p,s,4,1,0.0,{10 + i}.0\n" for i in range(97)]
    path = tmp_path / "run.csv"
    path.write_text(head + "".join(rows))
    ran = read_recorded(path, SUMMIT16)
    assert ran.ttx_s == 106.0
    assert excess(ran).tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("uid,pipeline\n", "hw_threads"),
        ("uid,pipeline,stage,hw_threads,gpus,start_s,stop_s\n", "no row"),
        ("uid,pipeline,stage,hw_threads,gpus,start_s,stop_s\nbad,p,s,x,0,0,1\n", "'bad'"),
        ("uid,pipeline,stage,hw_threads,gpus,start_s,stop_s\nbad,p,s,4,0,5,1\n", "'bad'"),
        ("uid,pipeline,stage,hw_threads,gpus,start_s,stop_s\nbad,p,s,4,0,nan,1\n", "'bad'"),
    ],
)
def test_a_bad_recording_is_refused(tmp_path, text, named):
    path = tmp_path / "run.csv"
    path.write_text(text)
    with pytest.raises(WorkflowError, match=named):
        read_recorded(path, SUMMIT16)


def test_steps_add_up():
    times, held = steps(np.array([0.0, 1.0]), np.array([2.0, 3.0]), np.array([2, 5]))
    assert times.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert held.tolist() == [2, 7, 5, 0]


@pytest.mark.parametrize(
    ("file", "tasks", "edges", "doa", "work", "span"),
    [
        ("helloworld-forkjoin-10-chameleon", 10, 16, 7, 1028.7, 307.4),
        ("bacass-dirt02-001", 11, 14, 4, 3961.9, 2150.0),
        ("epigenomics-chameleon-hep-1seq-100k-001", 41, 48, 8, 539.3, 104.8),
        ("blast-chameleon-small-001", 43, 120, 39, 382.9, 10.4),
        ("1000genome-chameleon-2ch-100k-001", 52, 76, 27, 2771.3, 204.7),
        ("montage-chameleon-2mass-005d-001", 58, 114, 17, 221.7, 21.4),
        ("soykb-chameleon-10fastq-10ch-001", 96, 194, 49, 11814.5, 2933.3),
        ("seismology-chameleon-100p-001", 101, 100, 99, 71.9, 2.8),
    ],
)
def test_recorded_wfformat_workflows(shared_data, file, tasks, edges, doa, work, span):
    flow = read_workflow(shared_data / "workflows" / f"{file}.json")
    assert (len(flow), len(flow.edges), width(flow).value - 1) == (tasks, edges, doa)
    assert work_s(flow) == pytest.approx(work, abs=0.06)
    assert span_s(flow) == pytest.approx(span, abs=0.06)
