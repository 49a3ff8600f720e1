"""Offline learners x data sets x cost limits x seeds, scored in worlds that no data set holds.

    python scripts/offline_study.py --out runs/offline_study

Cells are kept, so that a study that was stopped goes on. Writes table.md and cells/*.json. Learners
are the files in examples/offline; the environment is `panda_gym.offline.datasets.SMALL`.
"""

from __future__ import annotations

import importlib.util
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
import typer

from metrics.statistics.intervals import Interval, from_draws
from panda_gym.benchmarking.policy_resolution import find_policies
from panda_gym.environments.placement.policies.learned import Learned, save_agent
from panda_gym.errors import SettingError
from panda_gym.files import whole_file
from panda_gym.offline import datasets

EXAMPLES: Final = Path(__file__).resolve().parents[1] / "examples" / "offline"
LEARNERS: Final = {
    "bc": False,
    "bc_safe": True,
    "cql": False,
    "cql_lagrangian": True,
    "cpq": True,
}
"""Learner to whether it heeds the limit; one that does not is trained once for all limits."""

RECIPES: Final = ("panda", "medium-expert", "medley")
POLICIES: Final = ("random", "data_locality", "panda_production_draw@scaled", "earliest_completion")
WORLDS: Final = range(3_000_000, 3_000_016)


@dataclass(frozen=True)
class Cell:
    """One agent on one data set; limit: its place among the three, None for all of them."""

    recipe: str
    learner: str
    limit: int | None
    seed: int

    @property
    def name(self) -> str:
        return f"{self.recipe}-{self.learner}-{self.limit}-{self.seed}"


def cells(recipes: Iterable[str], seeds: int) -> Iterator[Cell]:
    """Every agent of the study, seed by seed."""
    for seed in range(seeds):
        for recipe in recipes:
            for learner, heeds in LEARNERS.items():
                for limit in range(3) if heeds else (None,):
                    yield Cell(recipe, learner, limit, seed)


def example(name: str) -> ModuleType:
    """A learner's file as a module."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(cell: Cell, data: datasets.OfflineDataset, out: Path, updates: int) -> dict[str, Any]:
    """Learn, play, and return returns and costs by world; from the folder if they are there."""
    path = out / "cells" / f"{cell.name}.json"
    if path.is_file():
        return json.loads(path.read_text())
    began, module = time.process_time(), example(cell.learner)
    limit = data.cost_limits[cell.limit or 0]
    try:
        agent = module.learn(data, limit, cell.seed, updates, "cpu")
    except SettingError:  # no episode keeps the limit: there is nothing to clone
        return {"returns": [], "costs": [], "learned_s": 0.0}
    learned_s = time.process_time() - began
    save_agent(out / "agents" / cell.name, agent, {"cell": vars(cell), "updates": updates})
    found = played(data, Learned(out / "agents" / cell.name, greedy=module.GREEDY))
    document = {**found, "learned_s": learned_s}
    with whole_file(path) as aside:
        aside.write_text(json.dumps(document))
    return document


def played(data: datasets.OfflineDataset, policy: Any) -> dict[str, Any]:
    """Returns and costs of a policy in the worlds of the study."""
    found = datasets.trial(data, policy, WORLDS)
    return {"returns": found.returns.tolist(), "costs": found.costs.tolist()}


def normalised(data: datasets.OfflineDataset, found: list[dict[str, Any]], limit: float) -> str:
    """Normalised reward and cost over seeds and worlds with their intervals."""
    if not found[0]["returns"]:
        return "no episode to learn from"
    scale = [
        np.array([data.get_normalized_score(*pair, limit) for pair in zip(r, c, strict=True)])
        for r, c in ((one["returns"], one["costs"]) for one in found)
    ]
    reward, cost = (both(np.stack([one[:, k] for one in scale])) for k in (0, 1))
    mark = "**" if cost.value <= 1.0 else ""
    return f"{mark}{text(reward)}{mark} / {text(cost)}"


def both(values: np.ndarray, repeats: int = 2000) -> Interval:
    """Mean of [seeds, worlds] with an interval that draws seeds and worlds again, both."""
    rng = np.random.default_rng(0)
    seeds, worlds = values.shape
    drawn = [
        values[np.ix_(rng.integers(0, seeds, seeds), rng.integers(0, worlds, worlds))].mean()
        for _ in range(repeats)
    ]
    return from_draws(float(values.mean()), np.array(drawn), 0.95, values.size)


def text(one: Interval) -> str:
    return f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}]"


def main(
    out: Path = Path("runs/offline_study"),
    transitions: int = 20_000,
    updates: int = 600,
    seeds: int = 2,
    recipe: list[str] = list(RECIPES),  # noqa: B006
) -> None:
    """Collect the data sets, learn, play, and write the table."""
    sets = {
        name: datasets.collect(
            out / "data" / name,
            datasets.recipe(name),
            transitions,
            epsilon=0.1,
            **datasets.SMALL,
        )
        for name in recipe
    }
    found: dict[tuple[str, str, int | None], list[dict[str, Any]]] = {}
    for cell in cells(sets, seeds):
        result = run(cell, sets[cell.recipe], out, updates)
        found.setdefault((cell.recipe, cell.learner, cell.limit), []).append(result)
        print(cell.name, f"{result['learned_s']:.1f} s", flush=True)
    limits = next(iter(sets.values())).cost_limits
    lines = ["| data set | learner | " + " | ".join(f"limit {one:.2f} TB" for one in limits) + " |"]
    lines.append("|---|---|" + "---|" * len(limits))
    for label, policy in find_policies(POLICIES, float(datasets.SMALL["scale"])).items():
        data = next(iter(sets.values()))
        scores = [normalised(data, [played(data, policy)], limit) for limit in limits]
        lines.append(f"| - | `{label}` | " + " | ".join(scores) + " |")
    for name, data in sets.items():
        for learner, heeds in LEARNERS.items():
            scores = [
                normalised(data, found[name, learner, k if heeds else None], limit)
                for k, limit in enumerate(limits)
            ]
            lines.append(f"| {name} | {learner} | " + " | ".join(scores) + " |")
    with whole_file(out / "table.md") as aside:
        aside.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    typer.run(main)
