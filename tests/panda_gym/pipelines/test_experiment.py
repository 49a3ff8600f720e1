"""Experiments: resume without loss or repetition, tidy results, questions with answers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from panda_gym.errors import PipelineError
from panda_gym.pipelines import experiment as experiments
from panda_gym.pipelines.comparison import compare, interval, paired
from panda_gym.pipelines.experiment import Experiment, load, run
from panda_gym.pipelines.fleet import Fleet
from panda_gym.pipelines.questions import QUESTIONS, ask

SMALL = Fleet(models=6, training_slots=1)
GRID = {"discipline": ["fifo", "improvement"], "staleness": [0.05, 0.1, None], "period_days": [3.0]}


def small(**changes) -> Experiment:
    return Experiment(SMALL, GRID, (0, 1), days=20.0, **changes)


def test_an_interrupted_experiment_goes_on_where_it_stopped(tmp_path, monkeypatch):
    whole = run(small(), tmp_path / "whole")
    simulated = []
    real = experiments.simulate

    def dying(operations, horizon_s, seed):
        if len(simulated) == 5:
            raise KeyboardInterrupt
        simulated.append(seed)
        return real(operations, horizon_s, seed)

    monkeypatch.setattr(experiments, "simulate", dying)
    with pytest.raises(KeyboardInterrupt):
        run(small(), tmp_path / "cut")
    with pytest.raises(PipelineError, match="5 runs"):
        load(tmp_path / "cut")
    monkeypatch.setattr(experiments, "simulate", lambda *a: (simulated.append(a[2]), real(*a))[1])
    resumed = run(small(), tmp_path / "cut")
    assert len(simulated) == len(whole) == 12
    pd.testing.assert_frame_equal(resumed, whole)
    run(small(), tmp_path / "cut")
    assert len(simulated) == 12


def test_a_killed_process_leaves_whole_runs_only(tmp_path):
    program = (
        "import sys, time\n"
        "from panda_gym.pipelines import experiment as e\n"
        "from panda_gym.pipelines.fleet import Fleet\n"
        "real = e.simulate\n"
        "e.simulate = lambda *a: (time.sleep(0.05), real(*a))[1]\n"
        "e.run(e.Experiment(Fleet(models=3), {'training_slots': [1, 2]}, tuple(range(20)),"
        " days=5.0), sys.argv[1])\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)])
    runs, deadline = tmp_path / "runs", time.monotonic() + 120
    while len(list(runs.glob("[!.]*.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    kept = {path: path.stat().st_mtime_ns for path in runs.glob("[!.]*.json")}
    assert 3 <= len(kept) < 40
    for path in kept:
        json.loads(path.read_text())
    table = run(
        Experiment(Fleet(models=3), {"training_slots": [1, 2]}, tuple(range(20)), days=5.0),
        tmp_path,
    )
    assert len(table) == 40
    assert not table.duplicated(["training_slots", "seed"]).any()
    assert all(path.stat().st_mtime_ns == then for path, then in kept.items())


def test_results_are_tidy_and_figures_have_intervals(tmp_path):
    table = run(small(), tmp_path)
    document, again = load(tmp_path)
    pd.testing.assert_frame_equal(again, table)
    assert document["grid"]["discipline"] == ["fifo", "improvement"]
    figures = compare(table, ["discipline"], ["performance", "cost"])
    assert (figures["low"] <= figures["value"]).all()
    assert (figures["n"] == 6).all()
    with pytest.raises(PipelineError, match="did you mean performance"):
        compare(table, ["discipline"], ["perfomance"])


def test_the_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = sum(
        low <= 0.0 <= high for _, low, high in map(interval, rng.standard_normal((2000, 8)))
    )
    assert covered / 2000 == pytest.approx(0.95, abs=0.015)


def test_another_experiment_is_not_mixed_in(tmp_path):
    run(small(), tmp_path)
    with pytest.raises(PipelineError, match="another one"):
        run(small(title="other"), tmp_path)
    path = next((tmp_path / "runs").glob("*.json"))
    path.write_text("{")
    with pytest.raises(PipelineError, match="delete it"):
        run(small(), tmp_path)


@pytest.mark.parametrize("question", QUESTIONS)
def test_questions_are_answered(question, tmp_path):
    fleet = Fleet(models=8, training_slots=1, age_days=4.0)
    answer = ask(question, tmp_path, fleet=fleet, seeds=(0, 1, 2), days=25.0)
    assert answer.best in QUESTIONS[question].values
    assert str(answer.best) in answer.sentence
    if question == "capacity":
        mean = answer.figures[answer.figures["measure"] == "wait_mean_s"]["value"].to_numpy()
        assert (np.diff(mean) <= 0).all()
    else:
        gain = paired(
            answer.results, QUESTIONS[question].setting, answer.best, answer.best, "worth"
        )
        assert gain == (0.0, 0.0, 0.0)


def performances(slots: int, **changes) -> np.ndarray:
    """Performance of FIFO and of potential improvement in 20 paired worlds, float64[2, 20]."""
    from panda_gym.pipelines.simulation import simulate

    fleet = Fleet(models=30, training_slots=slots, train_hours=6.0, drift_per_day=0.05, **changes)
    return np.array(
        [
            [simulate(fleet.but(discipline=d).open(), 30 * 86_400.0, s).summary()["performance"]
             for s in range(20)]
            for d in ("fifo", "improvement")
        ]
    )  # fmt: skip


def test_improvement_goes_first_pays_where_requests_come_from_outside():
    outside = {"staleness": None, "drift_spread": 1.0}
    # Offered load about 1.3: 13.6 hours of training an hour on 10 slots.
    fifo, gain = performances(10, arrivals_per_day=48.0, **outside)
    assert (gain > fifo).all()
    fifo, gain = performances(50, arrivals_per_day=48.0, **outside)
    assert np.abs(gain - fifo).max() < 0.002


def test_bad_experiments_are_one_clear_error():
    for given, named in (
        ({"grid": {"disciplin": ["fifo"]}}, "did you mean discipline"),
        ({"grid": {"discipline": ["lifo"]}}, "discipline"),
        ({"grid": {"discipline": "fifo"}}, "list"),
        ({"grid": {"training_slots": [0]}}, "training_slots"),
        ({"seeds": ()}, "seeds"),
        ({"seeds": (1, 1)}, "differ"),
        ({"days": 0.0}, "horizon"),
    ):
        with pytest.raises(PipelineError, match=named):
            Experiment(**given)
    with pytest.raises(PipelineError, match="did you mean capacity"):
        ask("capacty", "nowhere")
