"""Scenes against the events that lead to them, one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from panda_gym.environments.placement.env import PlacementEnv
from panda_gym.episode_log import LoggedEpisode, about, derived
from panda_gym.simulator.state import EVENT, KINDS
from panda_gym.visualization.replay.scenes import scenes
from tests.panda_gym.placements import PLATFORM, STREAM, small


@pytest.fixture(scope="module")
def episode() -> LoggedEpisode:
    env = PlacementEnv(**small())
    env.reset(seed=7)
    for k in range(40):
        env.step(k % 5)
    return LoggedEpisode(env.episode_log(), None, about(PLATFORM, STREAM))


def site_events(*rows: tuple[float, str, int, int]) -> np.ndarray:
    found = np.zeros(len(rows), dtype=EVENT)
    for event, (time, kind, site, other) in zip(found, rows, strict=True):
        event["time"], event["kind"] = time, KINDS.index(kind)
        event["site"], event["other"], event["job"] = site, other, -1
    return found


def test_every_scene_is_what_the_events_up_to_it_add_up_to(episode: LoggedEpisode) -> None:
    shown, log = scenes(episode, 23), episode.log
    happened = derived(log)
    for t, now in enumerate(shown.times_s):
        past = happened[happened["time"] <= now]
        jobs = {kind: past[past["kind"] == KINDS.index(kind)]["job"] for kind in KINDS}
        placed, ready, begun, gone = (
            set(jobs[kind].tolist()) for kind in ("placement", "activation", "cores_taken", "end")
        )
        inside = {"staging": placed - ready, "waiting": ready - begun, "running": begun - gone}
        for stage, members in inside.items():
            at = np.bincount(log.site[sorted(members)], minlength=len(PLATFORM))
            np.testing.assert_array_equal(shown.sites[stage][t], at)
        assert shown.totals["arrived"][t] == len(jobs["arrival"])
        assert shown.totals["finished"][t] == shown.sites["ended"][t].sum() == len(gone)


def test_the_last_event_of_a_site_holds_until_the_next(episode: LoggedEpisode) -> None:
    end = scenes(episode, 11).times_s[-1]
    kept = site_events(
        (0.0, "competing_load", 1, 3), (0.45 * end, "competing_load", 1, 5),
        (0.25 * end, "site_down", 2, 0), (0.55 * end, "site_brown", 2, 1),
        (0.75 * end, "site_up", 2, 9),
    )  # fmt: skip
    kept.sort(order="time")
    shown = scenes(replace(episode, events=kept), 11)
    assert shown.has_site_events
    assert shown.sites["competing"][:, 1].tolist() == [3] * 5 + [5] * 6
    assert shown.sites["status"][:, 2].tolist() == [2] * 3 + [0] * 3 + [1] * 2 + [2] * 3
    assert (shown.sites["competing"][:, 0] == 0).all()


def test_flows_are_the_inputs_on_their_way(episode: LoggedEpisode) -> None:
    log = episode.log
    source = np.where(np.arange(len(log)) % 3 == 0, (log.site + 1) % len(PLATFORM), -1)
    moved = replace(episode, log=replace(log, source=source.astype(np.int16)))
    shown = scenes(moved, 17)
    for t, now in enumerate(shown.times_s):
        moving = (log.arrival_s <= now) & (log.activation_s > now) & (source >= 0)
        rows = slice(shown.flows["first"][t], shown.flows["first"][t + 1])
        assert shown.flows["inputs"][rows].sum() == moving.sum()
        pairs = set(zip(shown.flows["source"][rows], shown.flows["target"][rows], strict=True))
        assert pairs == set(zip(source[moving], log.site[moving], strict=True))


def test_scenes_reach_beyond_the_last_arrival(episode: LoggedEpisode) -> None:
    last = scenes(episode, 5).times_s[-1]
    assert episode.log.arrival_s.max() <= last <= 1.25 * episode.log.arrival_s.max() + 1.0
