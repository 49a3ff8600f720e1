"""A dataset goes to a site once: jobs that need it while it is on its way join the transfer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from panda_gym.environments.placement.observation import SITE_FEATURES
from panda_gym.simulator import (
    Cancellations,
    Limits,
    Network,
    Retries,
    Settings,
    Simulator,
    Storage,
)
from panda_gym.simulator.state import KINDS, STATES
from tests.oracles.worlds import ENCODING, make_episode, make_platform

SIZE, RATE_MBPS = 50e6, 5.0  # alone, a transfer takes 10 s
NEVER = np.nan


def two_sites(arrivals: list[float], rules: Settings) -> Simulator:
    """Jobs that all read one dataset, which site 1 holds."""
    n = len(arrivals)
    platform = replace(
        make_platform(2, most_cores=16),
        bandwidth_mbps=np.where(np.eye(2, dtype=bool), 10.0, 1.0) * RATE_MBPS,
        latency_s=np.zeros((2, 2), np.float32),
    )
    episode = replace(
        make_episode(platform, jobs=n, datasets=1), arrival_s=np.array(arrivals),
        input_bytes=np.full(n, SIZE), cores=np.ones(n, np.int32),
        replicas=np.tile(np.array([1, -1, -1], np.int16), (n, 1)),
    )  # fmt: skip
    simulator = Simulator(platform, batch=1, capacity=n, encoding=ENCODING, settings=rules)
    simulator.load(0, episode, seed=0)
    simulator.begin()
    return simulator


def rules_at(level: int, **changed: object) -> Settings:
    network = Network(level=level, mbps_per_core=0.01) if level else None
    return Settings(network=network, storage=Storage(), staleness_s=0.0, events=10_000, **changed)


def transfer_seen(simulator: Simulator, site: int) -> float:
    """The stage-in time of the pending job that the observation shows, s."""
    row = next(k for k, one in enumerate(SITE_FEATURES) if one.name == "transfer")
    code = float(simulator.flat[0, row * len(simulator.platform) + site])
    return code * SITE_FEATURES[row].scale / (1.0 - code)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_the_second_job_has_its_input_when_the_first_one_has(level):
    simulator = two_sites([0.0, 4.0, 12.0], rules_at(level))
    simulator.step(np.zeros(1, np.int64))
    assert transfer_seen(simulator, 0) == pytest.approx(6.0, rel=1e-5)
    simulator.step(np.zeros(1, np.int64))
    assert simulator.outcome["transfer"][0] == pytest.approx(6.0)
    assert simulator.outcome["wan_bytes"][0] == 0.0
    simulator.step(np.zeros(1, np.int64))
    simulator.drain(0)
    log = simulator.log(0)
    np.testing.assert_allclose(log.activation_s, [10.0, 10.0, 13.0])  # the last reads locally
    np.testing.assert_array_equal(log.moved_bytes, [SIZE, 0.0, 0.0])
    np.testing.assert_array_equal(log.source, [1, 1, -1])


@pytest.mark.parametrize("discipline", ["fifo", "priority", "easy"])
def test_jobs_that_joined_enter_the_queue_in_the_order_of_their_placement(discipline):
    simulator = two_sites([0.0] + [4.0] * 30, rules_at(1, discipline=discipline))
    for _ in range(31):
        simulator.step(np.zeros(1, np.int64))
    simulator.drain(0)
    log = simulator.log(0)
    assert (log.activation_s == 10.0).all()
    assert (np.diff(log.starting_s) >= 0.0).all()
    assert log.starting_s[-1] > 10.0  # 16 cores


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize(
    ("limit", "second", "activation", "moved"),
    [
        (6.0, 5.0, [NEVER, 10.0], [SIZE, 0.0]),  # the first is closed, the second waits on
        (6.0, 1.0, [NEVER, NEVER], [0.7 * SIZE, 0.0]),  # both are closed: it stops with the last
        (3.0, 5.0, [NEVER, NEVER], [0.3 * SIZE, 0.3 * SIZE]),  # nobody waits: it stops at once
    ],
)
def test_a_transfer_goes_on_as_long_as_a_job_waits_for_it(level, limit, second, activation, moved):
    simulator = two_sites([0.0, second], rules_at(level, limits=Limits(assigned_s=limit)))
    simulator.step(np.zeros(1, np.int64))
    simulator.step(np.zeros(1, np.int64))
    simulator.drain(0)
    log = simulator.log(0)
    np.testing.assert_allclose(log.activation_s, activation)
    np.testing.assert_allclose(log.moved_bytes, moved, atol=1.0)


@pytest.mark.parametrize("level", [0, 1])
def test_what_an_abandoned_transfer_has_moved_so_far_counts_for_its_beginner(level):
    simulator = two_sites([0.0, 5.0, 8.0], rules_at(level, limits=Limits(assigned_s=6.0)))
    simulator.step(np.zeros(1, np.int64))
    simulator.step(np.zeros(1, np.int64))
    assert simulator.log(0).state[0] == "closed"
    np.testing.assert_allclose(simulator.log(0).moved_bytes, [0.8 * SIZE, 0.0, 0.0], atol=1.0)


def test_without_storage_every_job_fetches_its_own():
    simulator = two_sites([0.0, 4.0], replace(rules_at(0), storage=None))
    simulator.step(np.zeros(1, np.int64))
    simulator.step(np.zeros(1, np.int64))
    simulator.drain(0)
    np.testing.assert_allclose(simulator.log(0).activation_s, [10.0, 14.0])


@pytest.mark.parametrize("level", [0, 1])
def test_an_input_without_room_is_joined_while_it_is_on_its_way_and_not_kept(level):
    rules = replace(rules_at(level), storage=Storage(gb_per_core=0.0))
    simulator, overrun = two_sites([0.0, 4.0, 11.0], rules), []
    for _ in range(3):
        simulator.step(np.zeros(1, np.int64))
        overrun.append(simulator.outcome["overrun_bytes"][0])
    simulator.drain(0)
    log = simulator.log(0)
    np.testing.assert_array_equal(overrun, [SIZE, 0.0, SIZE])
    np.testing.assert_array_equal(log.moved_bytes, [SIZE, 0.0, SIZE])
    np.testing.assert_allclose(log.activation_s, [10.0, 10.0, 21.0])
    assert simulator.world.site_storage[0, 0]["used"] == 0.0
    assert not (simulator.world.holders[0, 0, 1] > 0).any()


@pytest.mark.parametrize("level", [0, 1])
def test_a_job_joins_a_replication(level):
    simulator = two_sites([0.0, 4.0], rules_at(level, replicate=True))
    simulator.step(np.array([[0, 1]]))  # replicate to site 0, and place there
    assert simulator.outcome["wan_bytes"][0] == SIZE
    simulator.step(np.array([[0, 0]]))
    assert simulator.outcome["wan_bytes"][0] == 0.0
    simulator.drain(0)
    log = simulator.log(0)
    np.testing.assert_allclose(log.activation_s, [10.0, 10.0])
    np.testing.assert_array_equal(log.moved_bytes, [0.0, 0.0])
    np.testing.assert_array_equal(log.replicated_bytes, [SIZE, 0.0])


def crowded(rules: Settings, seed: int, datasets: int) -> Simulator:
    """Seven sites with slow links, so that transfers are long and often joined."""
    platform = make_platform(7, seed=seed, most_cores=8)
    episode = make_episode(
        platform, jobs=120, warmup=20, load=6.0, seed=seed, datasets=datasets, hazard=0.2
    )
    episode = replace(episode, input_bytes=20.0 * episode.input_bytes)
    simulator = Simulator(
        platform, batch=1, capacity=len(episode), encoding=ENCODING, settings=rules
    )
    simulator.load(0, episode, seed=seed)
    simulator.begin()
    return simulator


def step_at_random(simulator: Simulator, rng: np.random.Generator) -> None:
    """A legal site, and a legal action on data where there are any."""
    mask = simulator.mask[0]
    chosen = [rng.choice(np.flatnonzero(mask[:7]))]
    if simulator.settings.replicate:
        chosen.append(rng.choice(np.flatnonzero(mask[7:])))
    simulator.step(np.array([chosen]))


CROWDED = {
    "seed": st.integers(0, 1000),
    "datasets": st.sampled_from([3, 10]),
    "rules": st.builds(
        Settings,
        network=st.builds(Network, level=st.sampled_from([1, 2]), mbps_per_core=st.just(0.05)),
        storage=st.builds(Storage, gb_per_core=st.sampled_from([0.0, 6.0, 40.0, 1e3])),
        limits=st.none() | st.just(Limits(assigned_s=300.0)),
        cancellations=st.none() | st.just(Cancellations(share=0.3, mean_s=30.0)),
        retries=st.none() | st.just(Retries(delay_s=600.0)),
        replicate=st.booleans(),
        events=st.just(50_000),
    ),
}


def assert_one_flow_at_a_time(simulator: Simulator) -> None:
    """While a dataset is on its way to a site, no second flow of it goes there."""
    coming: set[tuple[int, int]] = set()
    for row in simulator.events(0):
        one = int(row["site"]), int(simulator.world.jobs[0, row["job"]]["dataset"])
        if KINDS[row["kind"]] == "flow_start":
            assert one not in coming
            coming.add(one)
        elif KINDS[row["kind"]] == "flow_end":
            coming.remove(one)
    assert not coming


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(**CROWDED)
def test_bytes_of_the_flows_are_those_of_the_log(seed, datasets, rules):
    """By attempt, and never two transfers at a time of one dataset to one site."""
    simulator, rng = crowded(rules, seed, datasets), np.random.default_rng(seed)
    while not simulator.done[0]:
        step_at_random(simulator, rng)
    simulator.drain(0)
    log, events = simulator.log(0), simulator.events(0)
    of = {name: events[events["kind"] == KINDS.index(name)] for name in KINDS}
    moved = np.bincount(of["flow_end"]["job"], of["flow_end"]["bytes"], minlength=simulator.rows)
    np.testing.assert_allclose(moved[: len(log)], log.moved_bytes, atol=1.0)
    assert moved[len(log) :].sum() == pytest.approx(log.replicated_bytes.sum(), abs=1.0)
    placed = of["placement"]
    asked = np.bincount(placed["job"], placed["bytes"], minlength=len(log))
    assert (log.moved_bytes <= asked + 1.0).all()
    assert set(np.flatnonzero(asked)) == {j for j in of["flow_start"]["job"] if j < len(log)}
    joined = placed["job"][(placed["other"] >= 0) & (placed["bytes"] == 0.0)]
    ends = of["flow_end"]
    came = set(zip(ends["time"].tolist(), ends["site"].tolist(), strict=True))
    for j in joined[~np.isnan(log.activation_s[joined])]:
        assert (log.activation_s[j], log.site[j]) in came
    assert_one_flow_at_a_time(simulator)


def test_crowded_grids_have_many_jobs_that_join():
    rules = Settings(network=Network(mbps_per_core=0.05), storage=Storage(1e3), events=50_000)
    simulator, rng = crowded(rules, 0, 3), np.random.default_rng(0)
    while not simulator.done[0]:
        step_at_random(simulator, rng)
    placed = simulator.events(0)
    placed = placed[placed["kind"] == KINDS.index("placement")]
    assert ((placed["other"] >= 0) & (placed["bytes"] == 0.0)).sum() > 10


def waits_together(simulator: Simulator) -> bool:
    """Whether jobs wait for a transfer that another one began."""
    transfers = simulator.world.transfers[0, : int(simulator.world.grids[0]["replicas"])]
    return bool(((transfers["carrier"] >= 0) & (transfers["first"] >= 0)).any())


def test_a_copy_made_while_jobs_wait_together_goes_the_same_way():
    rules = Settings(
        network=Network(mbps_per_core=0.05), storage=Storage(1e3),
        cancellations=Cancellations(share=0.3, mean_s=30.0),
    )  # fmt: skip
    simulator, rng = crowded(rules, 1, 3), np.random.default_rng(1)
    while simulator.decided[0] < 40 or not waits_together(simulator):
        step_at_random(simulator, rng)
    aside = simulator.copy()
    fork = simulator.fork(7, np.ones(1), np.ones(1))
    for one in (simulator, aside, fork):
        again = np.random.default_rng(2)
        while not one.done[0]:
            step_at_random(one, again)
        one.drain(0)
        assert (one.log(0).state_code >= STATES.index("finished")).all()
        ever = int(one.world.grids[0]["replicas"])
        assert (one.world.transfers[0, :ever]["carrier"] == -1).all()
    np.testing.assert_array_equal(simulator.log(0).end_s, aside.log(0).end_s)
