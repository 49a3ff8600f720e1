"""Class docstrings of environments: their sections, and tables that agree with the spaces."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re

import gymnasium
import numpy as np
import pytest

import panda_gym

SECTIONS = [
    "Description", "Action space", "Observation space", "Reward", "Cost", "Episode end",
    "Reset options", "Info", "Arguments", "Example", "Version history",
]  # fmt: skip


def entry(name: str) -> type:
    module, _, attribute = panda_gym.ENVIRONMENTS[name]["entry_point"].partition(":")
    return getattr(importlib.import_module(module), attribute)


def section(text: str, title: str) -> str:
    return re.search(rf"^## {title}$(.*?)(?=^## |\Z)", text, re.S | re.M)[1]


def table(text: str) -> list[list[str]]:
    """Cells of the rows below a table's head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.fixture(params=sorted(panda_gym.ENVIRONMENTS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def test_a_docstring_has_all_sections_and_no_token_left(name):
    text = inspect.getdoc(entry(name))
    assert re.findall(r"^## (.*)$", text, re.M) == SECTIONS
    assert "<<" not in text
    assert text.splitlines()[0].endswith(".")


def test_the_observation_tables_are_the_spaces(name):
    text = section(inspect.getdoc(entry(name)), "Observation space")
    space = gymnasium.make(name).observation_space
    parts = re.findall(r"^`(\w+)`, .*:\n\n((?:\|.*\n)+)", text, re.M)
    assert {part for part, _ in parts} == set(space.spaces) - {"action_mask"}
    for part, lines in parts:
        ranges = [row[3] for row in table(lines)]
        box = space[part]
        low, high = (side.reshape(len(side), -1)[:, 0] for side in (box.low, box.high))
        assert ranges == [f"[{a:g}, {b:g}]" for a, b in zip(low, high, strict=True)]
        assert len({row[0] for row in table(lines)}) == len(box.low)


def test_the_info_table_is_what_info_holds(name):
    rows = table(section(inspect.getdoc(entry(name)), "Info"))
    _, info = gymnasium.make(name, ranked=True).reset(seed=0)
    assert [row[0].strip("`") for row in rows] == list(info)
    for row in rows:
        value = info[row[0].strip("`")]
        assert row[1].startswith(type(value).__name__), row


def test_the_cost_table_is_what_info_holds(name):
    rows = table(section(inspect.getdoc(entry(name)), "Cost"))
    _, info = gymnasium.make(name).reset(seed=0)
    assert [row[0].strip("`") for row in rows] == list(info["costs"])


def test_every_setting_is_described(name):
    rows = table(section(inspect.getdoc(entry(name)), "Arguments"))
    env = gymnasium.make(name).unwrapped
    named = {row[0].strip("`") for row in rows}
    left = {"data_actions", "decisions"} if "Data" in name else set()
    assert named >= {one.name for one in dataclasses.fields(env.batch.scenario)} - left
    assert all(row[2] for row in rows)
    assert len(named) == len(rows)


def test_true_bounds_hold_in_play(name):
    env = gymnasium.make(name)
    observation, _ = env.reset(seed=1)
    rng = np.random.default_rng(0)
    for _ in range(60):
        assert env.observation_space.contains(observation)
        action = env.action_space.sample()
        observation, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            observation, _ = env.reset(seed=int(rng.integers(100)))
