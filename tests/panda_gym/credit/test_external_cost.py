"""The cost for others against episodes that are really played without the job."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from panda_gym.credit.external_cost import external_costs, own_costs
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.errors import SettingError
from panda_gym.simulator import EpisodeLog
from tests.oracles.worlds import make_platform, make_stream

PLATFORM = make_platform(6)
SETTINGS: dict[str, Any] = {
    "platform": PLATFORM,
    "stream": make_stream(PLATFORM, jobs=400),
    "scale": 1.0,
    "jobs": 60,
    "warmup": 30,
    "load": 1.4,
}


def played(sites: np.ndarray | None = None, **changed: Any) -> tuple[PlacementBatch, EpisodeLog]:
    """An episode whose job k goes to sites[k], else to a site drawn by a fixed generator."""
    batch, rng = PlacementBatch(Scenario.of(**{**SETTINGS, **changed}), 1), np.random.default_rng(5)
    batch.begin([(0, np.random.default_rng(3))])
    for step in range(SETTINGS["jobs"]):
        legal = np.flatnonzero(batch.simulator.mask[0])
        drawn = legal[rng.integers(len(legal))]
        batch.step(np.array([drawn if sites is None else sites[step]]))
    return batch, batch.log(0)


def served(log: EpisodeLog, free: Any, site: int, without: int) -> np.ndarray:
    """Start of every job of a site in a line served one by one, the obvious way.

    free: cores at a time. Jobs in order of activation; each starts at the first of the times
    when cores may have come free at which it fits.
    """
    at = [j for j in np.flatnonzero(log.site == site) if j != without]
    at.sort(key=lambda j: (log.activation_s[j], j))
    start, run = log.starting_s.copy(), log.end_s - log.starting_s
    before = 0.0
    for place, j in enumerate(at):
        earlier = at[:place]
        times = {max(before, log.activation_s[j])}
        times |= {start[k] + run[k] for k in earlier} | set(free(None))
        for t in sorted(t for t in times if t >= max(before, log.activation_s[j])):
            busy = sum(log.cores[k] for k in earlier if start[k] <= t < start[k] + run[k])
            if free(t) - busy >= log.cores[j]:
                start[j] = before = t
                break
    return start


def slow_cost(batch: PlacementBatch, log: EpisodeLog, j: int) -> float:
    """What job j cost the others, by serving its site's line without it."""
    site, cores = int(log.site[j]), int(PLATFORM.cores[log.site[j]])

    def free(t: float | None) -> Any:
        return [] if t is None else cores

    start = served(log, free, site, j)
    end = start + (log.end_s - log.starting_s)
    ideal = np.maximum(log.ideal_s, log.bound_s)
    total = 0.0
    for k in np.flatnonzero(log.site == site):
        if k != j:
            with_it = np.log(max(1.0, (log.end_s[k] - log.arrival_s[k]) / ideal[k]))
            total += with_it - np.log(max(1.0, (end[k] - log.arrival_s[k]) / ideal[k]))
    return total


def test_it_is_what_serving_the_line_without_the_job_saves() -> None:
    batch, log = played(competing=None)
    found = external_costs(batch.simulator, 0, log)
    judged = np.arange(log.warmup, len(log))
    slow = np.array([slow_cost(batch, log, j) for j in judged])
    np.testing.assert_allclose(found[judged], slow, atol=1e-9)
    assert (found[judged] > 0.1).sum() > 5
    assert not found[: log.warmup].any()


def test_the_line_with_everybody_starts_every_job_when_it_did() -> None:
    """With competing load: the last job of each line costs the others nothing, to the last bit."""
    batch, log = played(competing={"mean": 0.5, "spread": 0.8, "interval_s": 100.0})
    found = external_costs(batch.simulator, 0, log)
    for site in range(len(PLATFORM)):
        at = np.flatnonzero((log.site == site) & (np.arange(len(log)) >= log.warmup))
        if len(at):
            last = at[np.argmax(log.activation_s[at])]
            assert found[last] == 0.0


def test_a_job_moved_elsewhere_saves_what_it_is_said_to_cost() -> None:
    """Two whole episodes that differ in the site of one job: lines of other sites are the same."""
    _, log = played(competing={"mean": 0.4, "interval_s": 300.0})
    sites = log.site[log.warmup :].copy()
    batch, first = played(sites, competing={"mean": 0.4, "interval_s": 300.0})
    found = external_costs(batch.simulator, 0, first)
    j = first.warmup + int(np.argmax(found[first.warmup :]))
    here, there = first.site[j], (first.site[j] + 1) % len(PLATFORM)
    sites[j - first.warmup] = there
    _, second = played(sites, competing={"mean": 0.4, "interval_s": 300.0})
    others = (first.site == here) & (np.arange(len(first)) != j)
    saved = (own_costs(first) - own_costs(second))[others].sum()
    assert found[j] > 0.5
    assert found[j] == pytest.approx(saved, rel=1e-9)


def test_the_simulation_is_left_as_it_was() -> None:
    batch, log = played(outages=True, failures=True, retries=True, limits=True)
    before = [np.array(part) for part in batch.simulator.world if isinstance(part, np.ndarray)]
    external_costs(batch.simulator, 0, log)
    after = [part for part in batch.simulator.world if isinstance(part, np.ndarray)]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_own_cost_of_a_retry_is_its_jobs() -> None:
    _, log = played(limits={"activated_s": 900.0}, retries=True)
    own = own_costs(log)
    retries = np.flatnonzero(log.attempt > 1)
    assert len(retries)
    np.testing.assert_array_equal(own[retries], own[log.origin[retries]])


def test_other_disciplines_are_refused() -> None:
    batch, log = played(discipline="easy")
    with pytest.raises(SettingError, match="fifo"):
        external_costs(batch.simulator, 0, log)
