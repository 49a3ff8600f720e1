"""The kernel equals its SimPy twin, event for event, on small random worlds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from panda_gym.environments.placement.observation import SITE_FEATURES
from panda_gym.simulator import (
    Cancellations,
    Competing,
    Failures,
    Limits,
    Network,
    Outages,
    Retries,
    Settings,
    Simulator,
    Storage,
)
from panda_gym.simulator.state import CAUSES, KINDS
from tests.oracles.grid_twin import GridTwin
from tests.oracles.worlds import ENCODING, make_episode, make_platform

COMPETING = st.none() | st.builds(
    Competing,
    mean=st.sampled_from([0.2, 0.6, 0.9]),
    spread=st.sampled_from([0.0, 0.5]),
    memory=st.sampled_from([0.0, 0.9]),
    interval_s=st.sampled_from([100.0, 900.0]),
    trace=st.none() | st.just(((0.2, 0.9), (0.5, 0.0), (0.1,) * 2)),
)
PLAIN = {
    "staleness_s": st.sampled_from([0.0, 60.0, 300.0, 7.0]),
    "efficiency": st.sampled_from([1.0, 0.9]),
    "bound_s": st.sampled_from([10.0, 600.0]),
    "competing": COMPETING,
}
RULES = st.builds(Settings, **PLAIN)
NETWORK = st.builds(
    Network, level=st.sampled_from([0, 1, 2]), mbps_per_core=st.sampled_from([0.1, 1e3])
)
STORAGE = st.builds(
    Storage, gb_per_core=st.sampled_from([0.0, 0.5, 3.0, 1e3]), output=st.sampled_from([0.0, 0.5])
)
FAILURES = st.builds(
    Failures, early=st.sampled_from([0.0, 0.5, 1.0]), black_hole=st.sampled_from([0, 0, 1])
)
LIMITS = st.builds(
    Limits,
    assigned_s=st.sampled_from([30.0, 43200.0]),
    activated_s=st.sampled_from([200.0, 2000.0, 172800.0]),
    running_s=st.sampled_from([1000.0, 1e6]),
    heartbeat_s=st.sampled_from([100.0, 7200.0]),
)
OUTAGES = st.builds(
    Outages,
    up_s=st.sampled_from([600.0, 20000.0]),
    down_s=st.sampled_from([300.0, 5000.0]),
    brown_s=st.just(2000.0),
    brown=st.sampled_from([0.0, 0.5]),
    step_s=st.sampled_from([60.0, 300.0]),
)
CANCELLATIONS = st.builds(Cancellations, share=st.just(0.3), mean_s=st.sampled_from([0.0, 1000.0]))
MECHANISMS = dict(
    **PLAIN,
    network=st.none() | NETWORK,
    failures=st.none() | FAILURES,
    retries=st.none() | st.builds(Retries, attempts=st.sampled_from([1, 2, 3])),
    limits=st.none() | LIMITS,
    outages=st.none() | OUTAGES,
    cancellations=st.none() | CANCELLATIONS,
    discipline=st.sampled_from(["fifo", "priority", "easy", "conservative"]),
    reservations=st.sampled_from([1, 2, 5, 1000]),
    requested_factor=st.sampled_from([0.0, 0.5, 2.0]),
    kill_at_requested=st.booleans(),
    pilot_s=st.sampled_from([0.0, 120.0]),
    decisions=st.sampled_from([1, 1, 3]),
    defer_s=st.none() | st.sampled_from([50.0, 1000.0]),
    events=st.just(20_000),
)
EVERYTHING = st.builds(Settings, **MECHANISMS) | st.builds(
    Settings,
    **{**MECHANISMS, "decisions": st.just(1)},
    storage=STORAGE,
    replicate=st.booleans(),
)


def parts_of(simulator: Simulator, e: int, q: int = 0) -> dict[str, np.ndarray]:
    """The observation of job q of grid e, split as the environment splits it."""
    n = len(simulator.platform)
    sites, rest = np.split(simulator.world.flat[e, q], [len(SITE_FEATURES) * n])
    return {
        "sites": sites.reshape(-1, n),
        "job": rest[:4],
        "grid": rest[4:],
        "action_mask": simulator.world.mask[e, q],
    }


def assert_seen_alike(simulator: Simulator, twin: GridTwin) -> None:
    for q in range(simulator.settings.decisions):
        expected = twin.observation(q)
        for name, found in parts_of(simulator, 0, q).items():
            np.testing.assert_allclose(found, expected[name], rtol=2e-5, atol=2e-6, err_msg=name)


def assert_outcomes_alike(simulator: Simulator, twin: GridTwin) -> None:
    for q, outcome in enumerate(twin.outcomes):
        for name, expected in outcome.items():
            last = simulator.world.outcome[0, -1 if name in twin.totals else q]
            np.testing.assert_allclose(last[name], expected, rtol=1e-9, atol=1e-4, err_msg=name)


def assert_histories_alike(simulator: Simulator, twin: GridTwin) -> None:
    """Event for event, and to the last bit; max-min rates sum up in another order."""
    found = [
        (float(row["time"]), KINDS[row["kind"]], int(row["job"]), int(row["site"]),
         int(row["other"]), float(row["bytes"]))
        for row in simulator.events(0) if KINDS[row["kind"]] not in ("flow_rate", "refresh")
    ]  # fmt: skip
    assert simulator.events_lost(0) == 0
    for ours, theirs in zip(found, twin.history, strict=False):
        assert ours == theirs, (ours, theirs)
    assert len(found) == len(twin.history)


def draw_actions(simulator: Simulator, rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """Sites and actions on data for the turn, most of them legal."""
    n, k = len(simulator.platform), simulator.settings.decisions
    sites, data = [], []
    for q in range(k):
        mask = simulator.world.mask[0, q]
        places = n + (simulator.settings.defer_s is not None)
        legal = np.flatnonzero(mask[:places])
        sites.append(int(rng.choice(legal) if rng.random() < 0.8 else rng.integers(-1, n + 2)))
        ops = np.flatnonzero(mask[places:])
        known = len(ops) and rng.random() < 0.9
        data.append(int(rng.choice(ops) if known else rng.integers(-1, 2 * n + 3)))
    return sites, data


def run_both(
    rules: Settings,
    sites: int,
    jobs: int,
    load: float,
    seed: int,
    datasets: int | None = None,
    hazard: float = 0.0,
    alike: bool = False,
    tail: int | None = None,
    requested: float = 0.0,
    heavy: float = 1.0,
) -> None:
    platform = make_platform(sites, seed=seed, most_cores=8, alike=alike)
    episode = make_episode(
        platform, jobs=jobs, warmup=jobs // 3, load=load, seed=seed, datasets=datasets,
        hazard=hazard, tail=tail, requested=requested,
    )  # fmt: skip
    episode = replace(episode, input_bytes=heavy * episode.input_bytes)
    simulator = Simulator(
        platform, batch=1, capacity=len(episode), encoding=ENCODING, settings=rules
    )
    simulator.load(0, episode, seed=seed)
    simulator.begin()
    twin = GridTwin(platform, episode, rules, seed)
    rng = np.random.default_rng(seed)
    while not simulator.done[0]:
        assert_seen_alike(simulator, twin)
        places, data = draw_actions(simulator, rng)
        simulator.step(np.array([places + (data if rules.replicate else [])]))
        twin.step(places, data)
        assert_outcomes_alike(simulator, twin)
    assert twin.done
    if tail is None:  # else time may have run on past the last reading
        assert_seen_alike(simulator, twin)
    simulator.drain(0)
    twin.drain()
    if rules.events:
        assert_histories_alike(simulator, twin)
    log = simulator.log(0)
    for found, name in (
        (log.site, "site"),
        (log.origin, "origin"),
        (log.attempt, "attempt"),
        (log.arrival_s, "arrival"),
        (log.placed_s, "placed"),
        (log.activation_s, "activation"),
        (log.starting_s, "taken"),
        (log.start_s, "start"),
        (log.end_s, "end"),
        (log.source, "source"),
        (log.moved_bytes, "moved"),
        (log.priority, "priority"),
        (log.state, "state"),
        (np.array(CAUSES)[log.cause], "cause"),
    ):
        np.testing.assert_array_equal(found, [getattr(j, name) for j in twin.jobs], err_msg=name)


WORLDS = {
    "sites": st.integers(1, 6),
    "jobs": st.integers(3, 40),
    "load": st.sampled_from([0.3, 1.0, 3.0]),
    "seed": st.integers(0, 10_000),
}
FULL_WORLDS = {
    **WORLDS,
    "rules": EVERYTHING,
    "datasets": st.none() | st.sampled_from([1, 4, 15]),
    "hazard": st.sampled_from([0.0, 0.2, 0.8]),
    "tail": st.none() | st.sampled_from([0, 3, 20]),
    "requested": st.sampled_from([0.0, 1.0, 4.0]),
    "heavy": st.sampled_from([1.0, 30.0]),
}
JOINING_WORLDS = {
    **FULL_WORLDS,
    "rules": st.builds(
        Settings,
        **{**MECHANISMS, "decisions": st.just(1)},
        storage=st.builds(Storage, gb_per_core=st.sampled_from([0.0, 30.0, 1e3])),
        replicate=st.booleans(),
    ),
    "datasets": st.sampled_from([1, 2, 4]),
    "heavy": st.sampled_from([10.0, 100.0]),
}


@settings(max_examples=60, deadline=None)
@given(rules=RULES, **WORLDS)
def test_kernel_equals_the_simpy_twin(rules, sites, jobs, load, seed):
    run_both(rules, sites, jobs, load, seed)


@settings(max_examples=450, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(**FULL_WORLDS)
def test_kernel_with_all_mechanisms_equals_the_simpy_twin(**world):
    run_both(**world)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(**JOINING_WORLDS)
def test_kernel_equals_the_simpy_twin_where_jobs_join_transfers(**world):
    run_both(**world)


@pytest.mark.parametrize("seed", range(4))
def test_of_replicas_equally_far_the_latest_is_read(seed):
    rules = Settings(network=Network(), storage=Storage(), events=20_000)
    run_both(rules, sites=20, jobs=150, load=1.0, seed=seed, datasets=3, alike=True)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(**FULL_WORLDS)
def test_kernel_equals_the_simpy_twin_on_many_worlds(**world):
    run_both(**world)
