"""Infos that are filled when read: nobody can tell them from dictionaries."""

from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest

import panda_gym
from panda_gym.environments.base.info import one_info
from panda_gym.environments.base.lazy_info import TRUNCATED, LazyInfo, StepInfo, rows
from panda_gym.environments.placement.batch import INFO
from tests.panda_gym.placements import small

WHOLE = {
    TRUNCATED: False,
    "cost": 1.5,
    "costs": {"wan_tb": 1.0, "closures": 0.5},
    "site": 3,
    "time_s": 9.0,
}


def columns() -> dict:
    return {
        "cost": np.array([0.0, 1.5]),
        "costs": {"wan_tb": np.array([0.0, 1.0]), "closures": np.array([0.0, 0.5])},
        "site": np.array([7, 3]),
        "time_s": np.array([9.0, 9.0]),
    }


class Source:
    """Columns that remember whether they were asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> dict:
        self.asked += 1
        return columns()


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def info(source: Source) -> LazyInfo:
    return LazyInfo(StepInfo(columns(), source), 1)


READS = {
    "equal": lambda d: d == WHOLE and WHOLE == d,  # noqa: SIM300
    "not unequal": lambda d: not (d != WHOLE),  # noqa: SIM202
    "names": lambda d: list(d) == list(d.keys()) == list(WHOLE),
    "backwards": lambda d: list(reversed(d)) == list(reversed(WHOLE)),
    "values": lambda d: list(d.values()) == list(WHOLE.values()),
    "items": lambda d: list(d.items()) == list(WHOLE.items()),
    "length": lambda d: len(d) == len(WHOLE),
    "dict()": lambda d: dict(d) == WHOLE,
    "put out": lambda d: {**d} == WHOLE,
    "as keywords": lambda d: (lambda **named: named)(**d) == WHOLE,
    "update of another": lambda d: (lambda o: o.update(d) or o)({"x": 1}) == {"x": 1, **WHOLE},
    "union": lambda d: d | {"x": 1} == {**WHOLE, "x": 1},
    "union on the right": lambda d: {"x": 1} | d == {**WHOLE, "x": 1},
    "copy": lambda d: type(d.copy()) is dict and d.copy() == WHOLE,
    "copy.copy": lambda d: type(copy.copy(d)) is dict and copy.copy(d) == WHOLE,
    "deep copy": lambda d: copy.deepcopy(d) == WHOLE,
    "pickle": lambda d: pickle.loads(pickle.dumps(d)) == WHOLE,  # noqa: S301
    "json": lambda d: json.loads(json.dumps(d)) == WHOLE,
    "json in order": lambda d: json.loads(json.dumps(d, sort_keys=True)) == WHOLE,
    "repr": lambda d: repr(d) == repr(WHOLE),
    "[]": lambda d: d["costs"] == WHOLE["costs"] and d["site"] == 3,
    "get": lambda d: d.get("time_s") == 9.0 and d.get("site", 0) == 3,
    "in": lambda d: "site" in d and "cost" in d and "episode" not in d,
    "pop": lambda d: d.pop("site") == 3 and d == {k: v for k, v in WHOLE.items() if k != "site"},
    "popitem": lambda d: d.popitem() == ("time_s", 9.0) and len(d) == 4,
    "del": lambda d: (d.__delitem__("costs"), "costs" not in d)[1],
    "setdefault": lambda d: d.setdefault("site", 0) == 3 and d.setdefault("x", 4) == d["x"] == 4,
    "set, then read": lambda d: (d.__setitem__("site", 0), d["site"] == 0 and len(d) == 5)[1],
    "update": lambda d: (d.update(x=1), d == {**WHOLE, "x": 1})[1],
    "clear": lambda d: (d.clear(), not d and d.get("site") is None)[1],
}
"""Ways to read or change a dictionary; each is true of WHOLE."""


@pytest.mark.parametrize("way", READS)
def test_it_is_the_whole_dictionary_whatever_is_asked_first(info: LazyInfo, way: str):
    assert READS[way](dict(WHOLE))
    assert READS[way](info)
    assert isinstance(info, dict)


def test_it_is_put_together_once_a_step_and_only_when_read(source: Source):
    step = StepInfo(columns(), source)
    infos = [LazyInfo(step, 0), LazyInfo(step, 1)]
    assert all(one.get("episode") is None and "is_success" not in one for one in infos)
    assert all(one[TRUNCATED] is False and "cost" in one for one in infos)
    assert source.asked == 0
    assert [one["cost"] for one in infos] == [0.0, 1.5]
    assert (infos[1]["site"], infos[0]["site"]) == (3, 7)
    assert source.asked == 1


def test_a_name_that_is_not_there_is_an_error(info: LazyInfo):
    with pytest.raises(KeyError, match="episode"):
        info["episode"]


def test_infos_of_the_environment_are_those_of_the_single_one():
    env = panda_gym.sb3_vec_env(3, seed=2, **small())
    env.reset()
    kept = []
    for k in range(12):
        infos = env.step(np.array([k % 7, 3, 99]))[3]
        report = env.batch.report()
        kept += [(infos[e], one_info(report, e)) for e in range(3)]
    for found, expected in kept:  # read steps later, from what was then
        assert found == {TRUNCATED: False, **expected}
        assert list(found) == [TRUNCATED, *INFO]
        assert all(type(found[name]) is type(v) for name, v in expected.items())


def test_rows_are_the_columns():
    assert {TRUNCATED: False, **rows(columns())[1]} == WHOLE


def test_the_monitor_of_sb3_writes_its_episodes():
    from stable_baselines3.common.vec_env import VecMonitor

    env = VecMonitor(panda_gym.sb3_vec_env(2, seed=0, **small()))
    env.reset()
    ended = []
    for _ in range(60):
        infos = env.step(np.zeros(2, dtype=np.int64))[3]
        ended += [one for one in infos if "episode" in one]
    assert ended
    assert all({"terminal_observation", "site", "costs"} <= set(one) for one in ended)
