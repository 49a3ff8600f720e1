"""Pictures are whole files, say what ran, and read no markup in names."""

from __future__ import annotations

import numpy as np
import pytest

from panda_gym.errors import WorkflowError
from panda_gym.workflows import Pool, TaskSet, Workflow, random_workflow, simulate
from panda_gym.workflows.gantt import MOST_ROWS, draw, gantt_rows, running_by_kind

EVIL = "<script>alert(1)</script>$x_{$"


@pytest.fixture(scope="module")
def run():
    sets = [TaskSet(EVIL, 3, 5.0, EVIL, cores=1), TaskSet("_b", 2, 3.0, cores=1)]
    return simulate(Workflow.of(EVIL, sets, [(EVIL, "_b")]), Pool.cores(2))


def test_a_page_escapes_names(run, tmp_path):
    draw(tmp_path / "run.html", {EVIL: run})
    text = (tmp_path / "run.html").read_text()
    assert "<script>alert(1)" not in text
    assert "alert(1)" in text
    assert "plotly" in text


def test_a_png_is_a_png(run, tmp_path):
    draw(tmp_path / "run.png", {EVIL: run, "again": run})
    assert (tmp_path / "run.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_bars_and_curves_say_what_ran(run):
    rows = gantt_rows(run)
    assert rows.names == (EVIL, "_b")
    assert rows.start.tolist() == [0.0, 10.0]
    assert rows.stop.tolist() == [10.0, 13.0]
    times, tasks = running_by_kind(run)[EVIL]
    assert times.tolist() == [0.0, 5.0, 10.0]
    assert tasks.tolist() == [2, 1, 0]


def test_many_sets_are_gathered_by_kind():
    flow = random_workflow("layered", 0, tasks=500, kinds=3)
    rows = gantt_rows(simulate(flow, Pool.cores(16)))
    assert len(rows.names) == 3 <= MOST_ROWS
    assert int(np.sum(rows.tasks)) == 500


def test_another_suffix_is_refused(run, tmp_path):
    with pytest.raises(WorkflowError, match=r"\.html or \.png"):
        draw(tmp_path / "run.pdf", {"run": run})
    with pytest.raises(WorkflowError, match="at least one"):
        draw(tmp_path / "run.png", {})
    assert not list(tmp_path.iterdir())
