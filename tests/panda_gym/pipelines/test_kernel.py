"""The kernel: equal to its slow twin, to closed forms, and conserving what it moves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panda_gym import distributions
from panda_gym.distributions.arrivals import poisson
from panda_gym.pipelines.drift import Drift
from panda_gym.pipelines.kernel_arrays import arrival_records, operations_arrays
from panda_gym.pipelines.operations import DISCIPLINES, Cluster, Model, Operations
from panda_gym.pipelines.pipeline import Pipeline, Task
from panda_gym.pipelines.simulation import drive, history_of, simulate
from panda_gym.pipelines.state import make_state
from panda_gym.pipelines.triggers import Triggers
from tests.oracles.pipeline_twin import PipelineTwin

HOUR, DAY = 3600.0, 86_400.0

DRIFTS = (
    Drift("linear", rate=2e-6),
    Drift("exponential", rate=3e-6),
    Drift("change_points", rate=2e-5, size=0.06),
    Drift("random_walk", size=1e-4, step_s=1800.0),
)
TRIGGERS = (
    Triggers(staleness=0.1),
    Triggers(improvement=0.08, monitor_s=1200.0, noise=0.01),
    Triggers(page_hinkley=0.15, monitor_s=600.0, noise=0.005),
    Triggers(period_s=30_000.0, staleness=0.2),
    Triggers(new_data=3e9),
)


def diamond() -> Pipeline:
    """A graph with two branches that meet."""
    return Pipeline(
        "diamond",
        (
            Task("preprocess"),
            Task("train", duration=distributions.Lognormal(2500.0, 0.7)),
            Task("debias", after=("preprocess",)),
            Task("evaluate", after=("train", "debias")),
            Task("compress"),
            Task("deploy"),
        ),
    )


def fleet(drift: int, trigger: int, discipline: str, gate: float, need: float) -> Operations:
    pipelines = [diamond(), Pipeline.chain("chain", "train", "evaluate", "deploy")]
    models = [
        Model(
            f"m{i}",
            ("diamond", "chain")[i % 2],
            spread=0.03,
            drift=DRIFTS[(drift + i) % 4],
            triggers=TRIGGERS[trigger],
            gate=gate,
            weight=1.0 + i,
            owner=f"o{i % 2}",
            deadline_s=(20_000.0, 90_000.0)[i % 2],
            data_rate=5e4,
            data_need=need if trigger in (1, 2) else 0.0,
            age_s=1000.0 * i,
            retry_s=7000.0,
        )
        for i in range(4)
    ]
    clusters = [Cluster("training", 1, speed=1.3, latency_s=2.0), Cluster("generic", 2)]
    return Operations(
        pipelines,
        models,
        clusters,
        arrivals=poisson(20_000.0),
        assets=distributions.Lognormal(2e9, 1.0),
        discipline=discipline,
        shares={"o1": 2.0},
    )


@settings(max_examples=40, deadline=None)
@given(
    drift=st.integers(0, 3),
    trigger=st.integers(0, 4),
    discipline=st.sampled_from(DISCIPLINES),
    gate=st.sampled_from([0.0, 0.88]),
    need=st.sampled_from([0.0, 4e9]),
    seed=st.integers(0, 2**32),
)
def test_the_kernel_is_its_twin(drift, trigger, discipline, gate, need, seed):
    operations, horizon = fleet(drift, trigger, discipline, gate, need), 4 * DAY
    rng = np.random.default_rng(seed)
    times = operations.arrivals.until(rng, horizon)
    models = rng.integers(4, size=len(times))
    plan = operations_arrays(operations, horizon, rng, models)
    arrivals = arrival_records(times, models, np.arange(len(times)))
    state = make_state(plan, arrivals[None], 8)  # so small that it must grow
    state.run["seed"] = seed
    state, _, _ = drive(plan, state, np.zeros(1, np.int8), np.zeros(1, np.int64))
    ran, twin = history_of(operations, plan, state, 0), PipelineTwin(plan, arrivals, seed).run()
    assert len(ran) == len(twin.pipes)
    assert len(ran) > len(times)
    for ours, theirs in (("requested", "requested"), ("ended", "ended"), ("model", "model"),
                         ("reason", "reason"), ("deployed", "deployed")):  # fmt: skip
        np.testing.assert_allclose(ran.runs[ours], [p[theirs] for p in twin.pipes], rtol=1e-12)
    np.testing.assert_allclose(ran.runs["metrics"][:, 0], [p["metrics"] for p in twin.pipes])
    for name in ("ready", "start", "end"):
        np.testing.assert_allclose(ran.tasks[name], [t[name] for t in twin.tasks], rtol=1e-12)
    for ours, theirs in ((ran.cost, twin.cost), (ran.bytes_read, twin.read)):
        assert ours == pytest.approx(theirs)
    for m in range(4):
        assert ran.models["quality"][m] == pytest.approx(twin.quality(m, horizon, 200), rel=1e-6)


@pytest.mark.parametrize("kind", ["linear", "exponential"])
def test_an_instant_retrain_has_the_closed_period_and_staleness(kind):
    rate, theta, latency = 2e-6, 0.1, 5000.0
    task = Task("train", duration=distributions.Constant(latency - 1000.0), read=0.0, write=0.0)
    last = Task("deploy", duration=distributions.Constant(1000.0), read=0.0, write=0.0)
    operations = Operations(
        [Pipeline("p", (task, last))],
        [Model("m", "p", drift=Drift(kind, rate=rate), triggers=Triggers(staleness=theta))],
        [Cluster("training", 1), Cluster("generic", 1)],
    )
    cross = theta / rate if kind == "linear" else -np.log1p(-theta) / rate
    period = cross + latency
    ran = simulate(operations, 50 * period)
    np.testing.assert_allclose(np.diff(ran.runs["ended"]), period, rtol=1e-12)
    stale = rate * period / 2
    if kind == "exponential":
        stale = 1.0 - (1.0 - np.exp(-rate * period)) / (rate * period)
    assert ran.summary()["mean_staleness"] == pytest.approx(stale, rel=1e-9)


def queue(jobs: int, seed: int):
    one = Pipeline(
        "one", (Task("deploy", duration=distributions.Exponential(300.0), read=0.0, write=0.0),)
    )
    operations = Operations(
        [one], [Model("m", "one")], [Cluster("generic", 8)], arrivals=poisson(44.0)
    )
    return simulate(operations, 44.0 * jobs, seed=seed)


def test_eight_slots_wait_as_erlang_says():
    ran = queue(1_000_000, 1)
    assert (ran.wait_s > 0.0).mean() == pytest.approx(0.5781, rel=0.05)
    assert ran.wait_s.mean() == pytest.approx(146.8, rel=0.05)
    assert ran.utilisation()["generic"] == pytest.approx(300.0 / 44.0 / 8.0, rel=0.01)


@pytest.mark.parametrize("discipline", DISCIPLINES)
def test_runs_and_bytes_are_conserved_and_seeds_decide(discipline):
    ran = simulate(fleet(0, 0, discipline, 0.9, 0.0), 6 * DAY, seed=5)
    counts = ran.counts()
    assert counts.pop("requested") == sum(counts.values())
    assert counts["rejected"] > 0
    read, written = ran.moved()
    assert (ran.bytes_read, ran.bytes_written) == (pytest.approx(read), pytest.approx(written))
    again, other = (simulate(ran.operations, 6 * DAY, seed=s) for s in (5, 6))
    np.testing.assert_array_equal(ran.tasks["end"], again.tasks["end"])
    assert len(other) != len(ran) or (other.tasks["end"] != ran.tasks["end"]).any()


def test_requests_from_outside_have_the_same_work_whatever_goes_first():
    ends = {}
    for discipline in ("fifo", "improvement"):
        ran = simulate(fleet(0, 0, discipline, 0.0, 0.0), 6 * DAY, seed=5)
        outside = ran.runs["reason"] == 0
        ends[discipline] = (ran.runs["requested"][outside], ran.row_bytes[outside])
    np.testing.assert_array_equal(ends["fifo"][0], ends["improvement"][0])
    np.testing.assert_array_equal(ends["fifo"][1], ends["improvement"][1])


def test_a_fair_share_is_kept_under_overload():
    train = Pipeline(
        "p", (Task("train", duration=distributions.Constant(1000.0), read=0, write=0),)
    )
    operations = Operations(
        [train],
        [Model("a", "p", owner="a"), Model("b", "p", owner="b")],
        [Cluster("training", 2)],
        arrivals=poisson(100.0),
        discipline="fair_share",
        shares={"a": 3.0, "b": 1.0},
    )
    ran = simulate(operations, 5 * DAY, seed=0)
    begun = ~np.isnan(ran.tasks["start"])
    of_a = ran.runs["model"][ran.tasks["run_index"][begun]] == 0
    assert of_a.mean() == pytest.approx(0.75, abs=0.01)
