"""What must hold in every grid at every moment, whatever is decided."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panda_gym.errors import StreamError
from panda_gym.simulator import Competing, Settings, Simulator
from tests.oracles.worlds import ENCODING, make_episode, make_platform

PLATFORM = make_platform(12, most_cores=16)


def build(episodes: list, rules: Settings, platform=PLATFORM) -> Simulator:
    simulator = Simulator(
        platform,
        batch=len(episodes),
        capacity=max(len(one) for one in episodes),
        encoding=ENCODING,
        settings=rules,
    )
    for e, one in enumerate(episodes):
        simulator.load(e, one, seed=e)
    simulator.begin()
    return simulator


def assert_consistent(simulator: Simulator) -> None:
    sites, grids = simulator.world.sites, simulator.world.grids
    cores = simulator.world.site_static["cores"]
    assert (sites["free"] + sites["used"] + sites["competing_cores"] == cores).all()
    assert (sites["used"] >= 0).all()
    assert (sites["used"] <= cores).all()
    assert (sites["competing_cores"] <= cores - sites["widest"]).all()
    for counter in ("running", "activated", "assigned", "committed_cores"):
        assert (sites[counter] >= 0).all()
    alive = (sites["running"] + sites["activated"] + sites["assigned"]).sum(axis=1)
    assert (alive == grids["unfinished"]).all()
    assert (sites["assigned"].sum(axis=1) == grids["queued_events"] + grids["flows"]).all()
    assert ((sites["head"] >= 0) == (sites["activated"] > 0)).all()


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1000),
    load=st.sampled_from([0.5, 2.0, 20.0]),
    mean=st.sampled_from([0.0, 0.5, 0.95]),
    staleness=st.sampled_from([0.0, 300.0]),
)
def test_jobs_and_cores_are_conserved_at_every_step(seed, load, mean, staleness):
    episode = make_episode(PLATFORM, jobs=80, warmup=20, load=load, seed=seed)
    rules = Settings(staleness_s=staleness, competing=Competing(mean=mean) if mean else None)
    simulator = build([episode], rules)
    rng = np.random.default_rng(seed)
    for k in range(80):
        assert_consistent(simulator)
        assert simulator.world.grids["cursor"][0] == 20 + k
        simulator.step(rng.integers(0, 12, 1))
    assert simulator.done.all()
    simulator.drain(0)
    assert_consistent(simulator)
    log = simulator.log(0)
    assert (log.state == "finished").all()
    assert simulator.world.grids["unfinished"][0] == 0
    assert (log.arrival_s <= log.activation_s).all()
    assert (log.activation_s <= log.start_s).all()
    assert log.workload_true.sum() == episode.workload_true.sum()
    speed = simulator.world.site_static["speed"][log.site]
    expected = episode.workload_true / (episode.cores * speed) * episode.noise
    np.testing.assert_allclose(log.run_s, expected, rtol=1e-6)


def cores_in_use(log, site: int) -> np.ndarray:
    """The cores of a site's running jobs just after each start there, counted from the log."""
    here = log.site == site
    starts = log.start_s[here]
    running = (log.start_s[here] <= starts[:, None]) & (log.end_s[here] > starts[:, None])
    return (running * log.cores[here]).sum(axis=1)


def test_the_log_alone_shows_that_no_site_ever_runs_more_than_its_cores():
    simulator = build([make_episode(PLATFORM, jobs=400, load=5.0)], Settings())
    rng = np.random.default_rng(0)
    for _ in range(400):
        simulator.step(rng.integers(0, 12, 1))
    simulator.drain(0)
    log, full = simulator.log(0), 0
    for s, cores in enumerate(PLATFORM.cores):
        used = cores_in_use(log, s)
        assert used.max(initial=0) <= cores
        full += used.max(initial=0) == cores
    assert full > 6  # the load is high enough to fill sites


def test_sites_serve_jobs_in_the_order_of_activation():
    simulator = build([make_episode(PLATFORM, jobs=300, load=3.0)], Settings())
    rng = np.random.default_rng(1)
    for _ in range(300):
        simulator.step(rng.integers(0, 12, 1))
    simulator.drain(0)
    log = simulator.log(0)
    for s in range(12):
        here = np.flatnonzero(log.site == s)
        order = here[np.lexsort((here, log.activation_s[here]))]
        assert (np.diff(log.start_s[order]) >= 0.0).all()


def test_two_policies_on_one_seed_meet_the_same_arrivals_noise_and_competing_load():
    episode = make_episode(PLATFORM, jobs=150, load=2.0)
    rules = Settings(competing=Competing(mean=0.6, spread=0.4, interval_s=60.0))
    one, other = build([episode], rules), build([episode], rules)
    rng = np.random.default_rng(0)
    for _ in range(149):
        one.step(np.array([0]))
        other.step(rng.integers(0, 12, 1))
        assert one.world.grids["clock"][0] == other.world.grids["clock"][0]
        for field in ("competing_cores", "load_changes", "load"):
            np.testing.assert_array_equal(one.world.sites[field], other.world.sites[field])
    assert one.world.sites["load_changes"].sum() > 100
    assert not np.array_equal(one.log(0).start_s, other.log(0).start_s)


def test_a_grid_does_not_depend_on_its_neighbours_in_the_batch():
    episodes = [make_episode(PLATFORM, jobs=60, warmup=10, seed=e) for e in range(5)]
    together = build(episodes, Settings(competing=Competing()))
    alone = build(episodes[3:4], Settings(competing=Competing()))
    alone.load(0, episodes[3], seed=3)
    alone.begin()
    actions = np.random.default_rng(0).integers(0, 12, (60, 5))
    for row in actions:
        together.step(row)
        alone.step(row[3:4].copy())
        np.testing.assert_array_equal(together.flat[3], alone.flat[0])
        assert together.outcome[3] == alone.outcome[0]


def test_staleness_hides_what_others_do_but_not_what_the_broker_did():
    episode = replace(make_episode(PLATFORM, jobs=40, load=1.0), input_bytes=np.zeros(40))
    simulator = build([episode], Settings(staleness_s=1e9))
    view = simulator.flat[0, : 15 * 12].reshape(15, 12)
    before = view.copy()
    simulator.step(np.array([0]))
    changed = np.flatnonzero((view[[2, 3, 4, 5, 6]] != before[[2, 3, 4, 5, 6]]).any(axis=0))
    assert changed.tolist() == [0]
    for _ in range(30):
        simulator.step(np.array([0]))
    assert (view[3] == 0.0).all()  # it never saw one run
    assert simulator.world.sites["running"][0, 0] > 0


def test_no_job_may_be_wider_than_every_site():
    episode = make_episode(PLATFORM, jobs=10)
    simulator = build([episode], Settings())
    with pytest.raises(StreamError, match="at most 16 cores"):
        simulator.load(0, replace(episode, cores=np.full(10, 17, np.int32)), seed=0)
    with pytest.raises(StreamError, match="1 to 10 jobs"):
        simulator.load(0, make_episode(PLATFORM, jobs=11), seed=0)
