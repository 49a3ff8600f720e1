"""The simulator's public interface: what the rest of the package uses of it."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np

import panda_gym
from panda_gym import simulator
from panda_gym.simulator import Competing, Outages, Settings, Simulator, available_cores
from panda_gym.simulator.state import KINDS
from tests.oracles.worlds import ENCODING, make_episode, make_platform

PACKAGE = Path(panda_gym.__file__).parent
OPEN = {"panda_gym.simulator", "panda_gym.simulator.compiled_api", "panda_gym.simulator.snapshot"}


def imported(path: Path) -> set[str]:
    """Modules of the simulator that a file imports from."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    found = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name for name in found if name.startswith("panda_gym.simulator")}


def test_the_package_imports_no_inner_module_of_the_simulator():
    files = [f for f in PACKAGE.rglob("*.py") if "simulator" not in f.relative_to(PACKAGE).parts]
    past = {f.name: imported(f) - OPEN for f in files}
    assert {name: found for name, found in past.items() if found} == {}
    assert any(imported(f) for f in files)


def test_the_simulator_exports_at_most_fifteen_names():
    assert len(simulator.__all__) <= 15
    assert all(hasattr(simulator, name) for name in simulator.__all__)


def test_available_cores_are_those_of_the_recorded_episode():
    platform = make_platform(4, most_cores=16)
    episode = make_episode(platform, jobs=60, warmup=10, load=1.0)
    rules = Settings(
        competing=Competing(mean=0.5, spread=0.5),
        outages=Outages(up_s=3000.0, down_s=2000.0, brown_s=2000.0),
        events=50_000,
    )
    grid = Simulator(platform, batch=1, capacity=70, encoding=ENCODING, settings=rules)
    grid.load(0, episode, seed=3)
    grid.begin()
    for _ in range(60):
        grid.step(np.zeros(1, np.int64))
    now = grid.clock[0]
    levels, edges = available_cores(grid, 0, np.full(4, now))
    shown = grid.snapshot(0)
    for s in range(4):
        last = levels[edges[s] : edges[s + 1]]
        level = last["cores"][last["time"] <= now][-1]
        usable = shown.used_cores[s] + shown.free_cores[s]
        assert level == (-1e18 if shown.down[s] else usable)
    kinds = [KINDS[row["kind"]] for row in grid.events(0)]
    changed = sum(kind == "competing_load" or kind.startswith("site_") for kind in kinds)
    assert (np.isfinite(levels["time"]) & (levels["time"] <= now)).sum() == changed
