"""What cannot be operated is refused with one clear error; what can is what was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from panda_gym import distributions
from panda_gym.errors import PipelineError, SeedError
from panda_gym.pipelines.drift import Drift
from panda_gym.pipelines.fleet import Fleet
from panda_gym.pipelines.kinds import Effect
from panda_gym.pipelines.operations import Cluster, Model, Operations
from panda_gym.pipelines.pipeline import Pipeline, Task
from panda_gym.pipelines.simulation import simulate
from panda_gym.pipelines.triggers import PageHinkley, Triggers

LINEAR = Drift("linear", rate=1e-6)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Task("trian"), "did you mean train"),
        (lambda: Task("train", read=-1.0), "read"),
        (lambda: Task("train", duration=3.0), "distribution"),
        (lambda: Effect({"accuracy": 1.0}), "metric"),
        (lambda: Pipeline("p", ()), "a task"),
        (lambda: Pipeline.chain("p", "train", "train"), "differ"),
        (lambda: Pipeline("p", (Task("train", after=("deploy",)), Task("deploy"))), "cycle"),
        (lambda: Pipeline("p", (Task("train", after=("prep",)),)), "'prep'"),
        (lambda: Cluster("c", 0), "slot"),
        (lambda: Cluster("c", 1, read_mbps=0.0), "read_mbps"),
        (lambda: Cluster("c", 1, write_mbps=float("nan")), "write_mbps"),
        (lambda: Cluster("c", 1, speed=-1.0), "speed"),
        (lambda: Drift("linaer", rate=1.0), "did you mean linear"),
        (lambda: Drift("linear"), "rate"),
        (lambda: Triggers(staleness=0.0), "staleness"),
        (lambda: Triggers(staleness=1.5), "below 1"),
        (lambda: Triggers(period_s=-1.0), "period_s"),
        (lambda: Triggers(manual=True, period_s=3.0), "contradict"),
        (lambda: Model("m", "p", triggers=Triggers(staleness=0.1)), "drift"),
        (lambda: Model("m", "p", drift=LINEAR, triggers=Triggers(page_hinkley=1.0)), "monitor_s"),
        (lambda: Model("m", "p", triggers=Triggers(new_data=1.0)), "data rate"),
        (lambda: Model("m", "p", drift=LINEAR, triggers=Triggers(improvement=0.95)), "improvement"),
        (lambda: Model("m", "p", data_rate=1.0, data_need=9.0, triggers=Triggers(new_data=5.0)),
         "new_data"),
        (lambda: Model("m", "p", metrics={"performance": 1.2}), "performance"),
        (lambda: Fleet.of(model=3), "did you mean models"),
        (lambda: Fleet(pipeline="sort"), "did you mean short"),
        (lambda: Fleet(drift="linear", staleness=2.0).open(), "below 1"),
        (lambda: PageHinkley(0.0), "page_hinkley"),
    ],
)  # fmt: skip
def test_what_cannot_be_operated_is_one_clear_error(make, named):
    with pytest.raises(PipelineError, match=named):
        make()


def operations(**changes) -> Operations:
    given = {
        "pipelines": [Pipeline.chain("p", "train", "deploy")],
        "models": [Model("m", "p")],
        "clusters": [Cluster("training", 1), Cluster("generic", 1)],
    }
    return Operations(**(given | changes))


def test_operations_that_do_not_fit_together_are_one_clear_error():
    for changes, named in (
        ({"models": []}, "models"),
        ({"models": [Model("m", "q")]}, "pipeline of model"),
        ({"models": [Model("m", "p"), Model("m", "p")]}, "differ"),
        ({"clusters": [Cluster("training", 1)]}, "cluster for task"),
        ({"discipline": "fif"}, "did you mean fifo"),
        ({"shares": {"a": 0.0}}, "share"),
    ):
        with pytest.raises(PipelineError, match=named):
            operations(**changes)
    growing = Pipeline(
        "p", (Task("train", duration=distributions.Growth(1.0, 1.1, 0.0, 0.1)), Task("deploy"))
    )
    with pytest.raises(PipelineError, match="rows and columns"):
        simulate(operations(pipelines=[growing]), 10.0)
    with pytest.raises(PipelineError, match="horizon"):
        simulate(operations(), 0.0)
    with pytest.raises(PipelineError, match="below 1"):
        simulate(operations(), 10.0, times=np.array([1.0]), models=np.array([1]))
    with pytest.raises(SeedError):
        simulate(operations(), 10.0, seed=-1)


def test_a_task_waits_reads_executes_and_writes():
    task = Task("train", duration=distributions.Constant(100.0), read=2.0, write=0.5)
    place = Cluster("training", 1, speed=2.0, read_mbps=200.0, write_mbps=50.0, latency_s=3.0)
    one = operations(
        pipelines=[Pipeline("p", (task,))], clusters=[place], assets=distributions.Constant(1e9)
    )
    ran = simulate(one, 1000.0, times=np.array([0.0, 10.0]), models=np.array([0, 0]))
    held = 3.0 + 2e9 / 200e6 + 100.0 / 2.0 + 3.0 + 0.5e9 / 50e6
    np.testing.assert_allclose(ran.tasks["end"], [held, 2 * held])
    np.testing.assert_allclose(ran.wait_s, [0.0, held - 10.0])
    assert (ran.bytes_read, ran.bytes_written) == (4e9, 1e9)


def test_effects_change_the_model_in_service():
    kinds = ("train", "compress", "harden", "debias", "deploy")
    chain = Pipeline.chain("p", *kinds)
    model = Model("m", "p", metrics={"performance": 0.8, "robustness": 0.5, "fairness": 0.7})
    ran = simulate(
        operations(pipelines=[chain], models=[model]),
        1e6,
        times=np.zeros(1),
        models=np.zeros(1, int),
    )
    np.testing.assert_allclose(ran.metrics[0], [0.8 - 0.025, 0.6, 0.8, 50.0, 12.0])


def test_a_gate_keeps_the_old_model():
    chain = Pipeline.chain("p", "train", "evaluate", "deploy")
    ran = simulate(
        operations(pipelines=[chain], models=[Model("m", "p", gate=0.95)]),
        1e6,
        times=np.zeros(1),
        models=np.zeros(1, int),
    )
    assert ran.counts()["rejected"] == 1
    assert np.isnan(ran.tasks["ready"][2])
    assert ran.models["version"][0] == 0


def test_page_hinkley_sees_a_fall_and_not_its_noise():
    rng = np.random.default_rng(0)
    detector = PageHinkley(0.3, delta=0.005)
    assert not any(detector.observe(0.9 + 0.01 * z) for z in rng.standard_normal(500))
    seen = [detector.observe(0.85 + 0.01 * z) for z in rng.standard_normal(30)]
    assert seen.index(True) < 15


def test_a_few_new_data_regain_a_part():
    model = Model(
        "m", "p", drift=LINEAR, triggers=Triggers(period_s=100_000.0), data_rate=1.0,
        data_need=200_000.0,
    )  # fmt: skip
    quick = [
        Task(k, duration=distributions.Constant(1e-6), read=0, write=0) for k in ("train", "deploy")
    ]
    ran = simulate(operations(pipelines=[Pipeline("p", quick)], models=[model]), 150_000.0)
    # Half of the loss of .1 x .9 is regained.
    assert ran.metrics[0, 0] == pytest.approx(0.9 - 0.045, rel=1e-6)
