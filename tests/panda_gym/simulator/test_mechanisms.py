"""Claims about the mechanisms: the same luck for every policy, conservation, limits, fairness."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from panda_gym.errors import SettingError
from panda_gym.jit.counter_rng import CANCELS, FAILS, PILOT, WHEN
from panda_gym.jobs import episode
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
from panda_gym.simulator.state import CAUSES, KINDS, STATES
from tests.oracles.grid_twin import job_uniform
from tests.oracles.worlds import ENCODING, make_episode, make_platform, make_stream

PLATFORM = make_platform(12, most_cores=16)
EVERYTHING = Settings(
    competing=Competing(mean=0.4),
    network=Network(level=1, mbps_per_core=0.5),
    storage=Storage(gb_per_core=2.0),
    failures=Failures(),
    retries=Retries(),
    limits=Limits(assigned_s=3000.0, activated_s=20_000.0, heartbeat_s=1000.0),
    outages=Outages(up_s=20_000.0, down_s=3000.0, brown_s=3000.0),
    cancellations=Cancellations(),
    pilot_s=60.0,
    events=100_000,
)


def world(
    rules: Settings, jobs: int = 300, seed: int = 0, load: float = 1.5, tail: int | None = None
) -> Simulator:
    episode = make_episode(
        PLATFORM,
        jobs=jobs - 20,
        warmup=20,
        load=load,
        seed=seed,
        datasets=30,
        hazard=0.3,
        tail=tail,
    )
    capacity = len(episode)
    simulator = Simulator(PLATFORM, batch=1, capacity=capacity, encoding=ENCODING, settings=rules)
    simulator.load(0, episode, seed=seed)
    simulator.begin()
    return simulator


def play(simulator: Simulator, seed: int = 0) -> Simulator:
    """Random legal sites to the end of the episode, and on until all placed jobs have left."""
    rng = np.random.default_rng(seed)
    while not simulator.done[0]:
        simulator.step(rng.choice(np.flatnonzero(simulator.mask[0, :12]), 1))
    simulator.drain(0)
    return simulator


def test_two_policies_on_one_seed_have_the_same_luck():
    one, other = play(world(EVERYTHING), 1), play(world(EVERYTHING), 2)
    first, second = one.world.attempts[0, :300], other.world.attempts[0, :300]
    for field in ("key", "hazard", "first_arrival"):
        np.testing.assert_array_equal(first[field], second[field])
    np.testing.assert_array_equal(
        one.world.jobs["noise"][0, :300], other.world.jobs["noise"][0, :300]
    )
    fate = [
        [(row["time"], row["site"], row["kind"]) for row in simulator.events(0)
         if KINDS[row["kind"]] in ("site_up", "site_brown", "site_down", "competing_load")]
        for simulator in (one, other)
    ]  # fmt: skip
    length = min(len(each) for each in fate)
    assert length > 100
    assert fate[0][:length] == fate[1][:length]
    assert not np.array_equal(one.log(0).site[:300], other.log(0).site[:300])


def test_an_attempt_fails_exactly_when_its_own_draw_says_so():
    rules = Settings(failures=Failures(most=0.9), retries=Retries())
    log = play(world(rules)).log(0)
    simulator = play(world(rules))
    rows, risk = simulator.world.attempts[0], simulator.world.site_status["risk"][0]
    for j in range(len(log)):
        if log.site[j] >= 0:
            chance = min(0.9, rows["hazard"][j] * risk[log.site[j]])
            fails = job_uniform(int(rows["key"][j]), int(log.attempt[j]), FAILS) < chance
            assert (STATES[log.state_code[j]] == "failed") == fails
    assert (log.cause == CAUSES.index("early")).any()
    assert (log.cause == CAUSES.index("late")).any()


def test_a_black_hole_fails_all_but_a_few_attempts_within_a_minute():
    one = Failures(black_hole=3, black_hole_share=0.8)
    log = play(world(Settings(failures=one, retries=Retries()))).log(0)
    site = one.black_hole_site(PLATFORM.cores)
    assert (PLATFORM.cores > PLATFORM.cores[site]).sum() <= 2
    there, failed = log.site == site, log.cause == CAUSES.index("black_hole")
    ended = there & (log.state_code >= STATES.index("finished"))
    assert failed.any()
    assert there[failed].all()
    assert (log.end_s - log.start_s)[failed].max() <= 60.0 + 1e-6
    assert 0.5 < failed[ended].mean() < 0.95
    assert (log.state_code[ended & ~failed] == STATES.index("finished")).all()


def placements(simulator: Simulator, seed: int = 0) -> dict[int, int]:
    """Play at random to the end; return the site that was chosen for each row."""
    rng, chosen = np.random.default_rng(seed), {}
    while not simulator.done[0]:
        row = int(simulator.pending[0, 0])
        site = int(rng.choice(np.flatnonzero(simulator.mask[0, :12])))
        chosen[row] = site
        simulator.step(np.array([site]))
    simulator.drain(0)
    return chosen


@pytest.mark.parametrize("tail", [None, 0, 10, 200])
def test_nobody_but_the_policy_places_a_judged_job(tail):
    simulator = world(EVERYTHING, tail=tail)
    chosen = placements(simulator)
    log = simulator.log(0)
    placed = np.flatnonzero((log.site >= 0) & (log.origin >= log.warmup))
    assert {int(row): int(log.site[row]) for row in placed}.items() <= chosen.items()
    late = np.flatnonzero((log.site >= 0) & (log.placed_s > log.placed_s[log.warmup]))
    assert set(late.tolist()) <= set(chosen)
    judged = np.flatnonzero(log.judged)
    assert judged.max() < 300
    if tail is not None:  # every judged job was placed, and its last attempt is final
        assert judged.tolist() == list(range(20, 300))
        last = np.zeros(len(log), dtype=np.int64)
        np.maximum.at(last, log.origin, np.arange(len(log)))
        final = last[judged]
        assert np.isin(log.state[final], ("finished", "failed", "closed", "cancelled")).all()
        again = np.isin(log.state[final], ("failed", "closed"))
        assert (log.attempt[final][again] == 3).all()


def test_a_retry_that_nobody_may_place_stays_unplaced():
    simulator = world(EVERYTHING)
    placements(simulator)
    log = simulator.log(0)
    unplaced = (log.attempt > 1) & (log.site < 0)
    assert unplaced.any()
    assert (log.state[unplaced] == "pending").all()
    assert np.isnan(log.placed_s[unplaced]).all()


def test_jobs_before_the_tail_do_not_depend_on_it():
    stream = make_stream(PLATFORM, jobs=500)
    plain = episode(stream, PLATFORM, jobs=50, warmup=10, running=5, seed=3)
    longer = episode(stream, PLATFORM, jobs=50, warmup=10, running=5, seed=3, tail=20)
    assert plain.tail is None
    assert (longer.tail, len(longer)) == (20, 85)
    for field in ("arrival_s", "cores", "workload_true", "noise", "failure_u", "place_u"):
        np.testing.assert_array_equal(getattr(longer, field)[:65], getattr(plain, field))
    assert (np.diff(longer.arrival_s) >= 0.0).all()


def test_retries_are_new_jobs_and_at_most_three_attempts():
    log = play(world(EVERYTHING)).log(0)
    assert log.attempt.max() == 3
    for j in np.flatnonzero(log.attempt > 1):
        before = np.flatnonzero((log.origin == log.origin[j]) & (log.attempt == log.attempt[j] - 1))
        assert len(before) == 1
        assert log.state[before[0]] in ("failed", "closed")
        assert log.arrival_s[j] == log.end_s[before[0]] + 600.0


def test_endpoint_sharing_gives_every_flow_what_the_formula_says():
    simulator = world(EVERYTHING)
    w, rng, seen = simulator.world, np.random.default_rng(0), 0
    while not simulator.done[0]:
        for k in range(int(w.grids["flows"][0])):
            j = w.flow_heap[0, k]["job"]
            flow, source = w.flows[0, j], w.site_storage[0, w.flows[0, j]["source"]]
            target = w.site_storage[0, w.job_states[0, j]["site"]]
            fair = source["cap"] / source["outgoing"], target["cap"] / target["incoming"]
            assert flow["rate"] == min(flow["link"], *fair)
            seen += 1
        simulator.step(rng.integers(0, 12, 1))
    assert seen > 50


def test_max_min_fairness_gives_every_flow_a_bottleneck():
    """Max-min fair: no end over its cap, and every flow is at its link's limit or among the
    fastest at an end that is full (Bertsekas and Gallager, section 6.5.2)."""
    rules = Settings(network=Network(level=2, mbps_per_core=0.2))
    simulator = world(rules, load=40.0)
    w, rng, most = simulator.world, np.random.default_rng(0), 0
    while not simulator.done[0]:
        rows = w.flow_heap[0, : int(w.grids["flows"][0])]["job"]
        rate, link = w.flows[0, rows]["rate"], w.flows[0, rows]["link"]
        cap = w.site_storage[0]["cap"]
        bound = rate >= link * (1.0 - 1e-9)
        for end in (w.flows[0, rows]["source"], w.job_states[0, rows]["site"]):
            total = np.bincount(end, weights=rate, minlength=12)
            assert (total <= cap * (1.0 + 1e-9)).all()
            fastest = np.zeros(12)
            np.maximum.at(fastest, end, rate)
            full = total >= cap * (1.0 - 1e-9)
            bound |= full[end] & (rate >= fastest[end] * (1.0 - 1e-9))
        assert bound.all()
        most = max(most, len(rows))
        simulator.step(rng.integers(0, 12, 1))
    assert most > 10


@pytest.mark.parametrize("level", [0, 1, 2])
def test_bytes_are_counted_as_they_moved(level):
    """Stage-ins that are cut off count as far as they came, in the log as in the flows."""
    rules = replace(
        EVERYTHING,
        network=Network(level=level, mbps_per_core=0.1),
        limits=Limits(assigned_s=10.0),
        cancellations=Cancellations(share=0.3, mean_s=10.0),
    )
    simulator = play(world(rules, load=3.0))
    log, moved = simulator.log(0), np.zeros(len(simulator.log(0)))
    remote = log.source >= 0
    cut = remote & np.isnan(log.activation_s)
    assert cut.sum() > 10
    assert (log.moved_bytes[~remote] == 0.0).all()
    assert (log.moved_bytes[cut] < log.input_bytes[cut]).all()
    assert (log.moved_bytes[remote & ~cut] == log.input_bytes[remote & ~cut]).all()
    if level > 0:
        for row in simulator.events(0):
            if KINDS[row["kind"]] == "flow_end":
                moved[row["job"]] += row["bytes"]
        np.testing.assert_allclose(log.moved_bytes, moved, atol=1.0)
    assert log.moved_bytes.sum() < 0.95 * log.input_bytes[remote].sum()


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_transfer_takes_its_bytes_over_the_rate_of_its_link_to_the_last_digits(level):
    platform = replace(
        make_platform(2, most_cores=16),
        bandwidth_mbps=np.full((2, 2), 5.0, np.float32),
        latency_s=np.zeros((2, 2), np.float32),
    )
    jobs = replace(
        make_episode(platform, jobs=1), input_bytes=np.array([50e6]), cores=np.ones(1, np.int32),
        replicas=np.array([[1, -1, -1]], np.int16),
    )  # fmt: skip
    rules = Settings(network=Network(level=level) if level else None)
    simulator = Simulator(platform, batch=1, capacity=1, encoding=ENCODING, settings=rules)
    simulator.load(0, jobs, seed=0)
    simulator.begin()
    simulator.step(np.zeros(1, np.int64))
    simulator.drain(0)
    assert simulator.log(0).activation_s[0] == pytest.approx(10.0, abs=1e-12)


@pytest.mark.parametrize("level", [0, 1])
def test_a_transfer_that_goes_on_counts_as_far_as_it_came(level):
    simulator = world(Settings(network=Network(level=level, mbps_per_core=0.01)), load=3.0)
    rng, before = np.random.default_rng(0), np.zeros(300)
    while not simulator.done[0]:
        simulator.step(rng.integers(0, 12, 1))
        now = simulator.log(0).moved_bytes
        assert (now >= before - 1.0).all()
        before = now
    simulator.drain(0)
    log = simulator.log(0)
    assert (before[log.source >= 0] < log.input_bytes[log.source >= 0]).any()
    np.testing.assert_allclose(
        log.moved_bytes, np.where(log.source >= 0, log.input_bytes, 0.0), atol=1.0
    )


def test_no_job_stays_in_a_state_beyond_its_limit():
    log = play(world(EVERYTHING)).log(0)
    limits = EVERYTHING.limits
    ended = np.where(np.isnan(log.activation_s), log.end_s, log.activation_s)
    assert np.nanmax(ended - log.placed_s) <= limits.assigned_s * (1 + 1e-12)
    waited = np.where(np.isnan(log.starting_s), log.end_s, log.starting_s) - log.activation_s
    assert np.nanmax(waited) <= limits.activated_s * (1 + 1e-12)
    assert (log.state == "closed").any()


def test_a_site_that_is_down_starts_nothing_and_loses_what_runs_too_long():
    simulator = play(world(EVERYTHING))
    events, down = simulator.events(0), np.zeros(12, bool)
    for row in events:
        kind = KINDS[row["kind"]]
        if kind.startswith("site_"):
            down[row["site"]] = kind == "site_down"
        assert not (kind == "cores_taken" and down[row["site"]])
    assert (simulator.log(0).cause == CAUSES.index("heartbeat")).any()


def test_draws_of_a_job_are_uniform_and_apart():
    draws = np.array(
        [[job_uniform(key * 977, a, k) for k in (FAILS, WHEN, PILOT, CANCELS)]
         for key in range(1000) for a in (1, 2)]
    )  # fmt: skip
    assert abs(draws.mean() - 0.5) < 0.02
    assert np.abs(np.corrcoef(draws.T)[np.triu_indices(4, 1)]).max() < 0.08


@pytest.mark.parametrize(
    ("build", "hint"),
    [
        (lambda: Failures(most=1.5), "most"),
        (lambda: Failures(early=float("nan")), "early"),
        (lambda: Failures(black_hole=1.5), "black_hole"),
        (lambda: Failures(black_hole=13).black_hole_site(PLATFORM.cores), "black_hole"),
        (lambda: Retries(attempts=2.5), "attempts"),
        (lambda: Network(level=3), "level"),
        (lambda: Network(mbps_per_core=0.0), "mbps_per_core"),
        (lambda: Storage(gb_per_core=-1.0), "gb_per_core"),
        (lambda: Outages(up_s=0.0), "up_s"),
        (lambda: Limits(assigned_s=0.0), "assigned_s"),
        (lambda: Cancellations(share=2.0), "share"),
        (lambda: Competing(trace=((1.5,),)), "trace"),
        (lambda: Settings(discipline="lifo"), "discipline"),
        (lambda: Settings(replicate=True), "storage"),
        (lambda: Settings(staleness_s=900.0, retries=Retries(delay_s=600.0)), "delay_s"),
        (lambda: Settings(defer_s=0.0), "defer_s"),
        (lambda: Settings(decisions=0), "decisions"),
    ],
)
def test_a_setting_out_of_range_is_one_clear_error(build, hint):
    with pytest.raises(SettingError, match=hint):
        build()


def test_a_quota_counts_replicas_that_are_still_in_transfer():
    rules = Settings(network=Network(level=1), storage=Storage(gb_per_core=2.0), events=100_000)
    simulator, seen = world(rules, load=3.0), 0
    storage, rng = simulator.world.site_storage[0], np.random.default_rng(0)
    while not simulator.done[0]:
        simulator.step(rng.integers(0, 12, 1))
        begun, there = np.zeros(12), np.zeros(12)
        for row in simulator.events(0):
            kind, sign = KINDS[row["kind"]], {"replica_gone": -1.0}.get(KINDS[row["kind"]], 1.0)
            if kind in ("replica_begun", "output", "replica_gone"):
                begun[row["site"]] += sign * row["bytes"]
            if kind in ("replica_there", "output", "replica_gone"):
                there[row["site"]] += sign * row["bytes"]
        np.testing.assert_array_equal(storage["used"], begun)
        assert (storage["used"] <= storage["quota"]).all()
        seen += (there < begun).any()
    assert seen > 20


def test_a_dataset_larger_than_every_quota_is_read_through_and_costs():
    rules = Settings(storage=Storage(gb_per_core=0.0))
    simulator, overrun = world(rules), 0.0
    for _ in range(100):
        simulator.step(np.array([3]))
        overrun += simulator.outcome["overrun_bytes"][0]
    assert overrun > 0.0
    assert (simulator.world.site_storage["used"] == 0.0).all()
