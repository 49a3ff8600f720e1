"""Fitting the weights of a policy on training seeds; knows worlds and outcomes, no formula.

A covariance-adapting evolution strategy with rank-mu update (Hansen and Ostermeier 2001; the
population is small, so step size and covariance move together as in the cross-entropy method).
Every candidate of a generation plays the same worlds, and generations change worlds, so that no
seed is learned by heart.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from panda_gym.benchmarking.episodes import play
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies import Policy
from panda_gym.environments.placement.policies.base import Ranking
from panda_gym.environments.placement.policies.tuned import WEIGHTS, Tuned, cost, read_table
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.files import whole_file
from panda_gym.provenance import plain

Array = np.ndarray
Progress = Callable[[int, int, str], None]

TRAINING_SEEDS: Final = 1_000_000
"""Seeds from here on are for fitting; benchmarks evaluate below."""
OBJECTIVE: Final = "geometric_slowdown"
"""What is minimised: the mean over worlds of its logarithm."""


@dataclass(frozen=True)
class Search:
    """How long and how wide the search goes."""

    generations: int = 16
    population: int = 16
    worlds: int = 8
    """Worlds that each candidate plays in a generation."""
    jobs: int = 800
    """Decisions in each of them."""
    spread: float = 0.6
    """Standard deviation of the first generation."""
    start: str | None = None
    """Column of the shipped table that the first generation is drawn around; None: all 0."""
    seed: int = 0


@dataclass
class Course:
    """Where a search stands: what the next generation is drawn from, and how the last ones did."""

    mean: Array
    """Weights, float64[W]."""
    spread: Array
    """Covariance, float64[W, W]."""
    losses: list[float]
    """ln of the objective at the mean, by generation."""

    def save(self, path: Path, key: str) -> None:
        """Write it beside what it is the course of."""
        parts = {"mean": self.mean.tolist(), "spread": self.spread.tolist(), "losses": self.losses}
        with whole_file(path) as aside:
            aside.write_text(json.dumps({"key": key, **parts}) + "\n")

    @classmethod
    def load(cls, path: Path, key: str) -> Course | None:
        """Read it; None if there is none, or one of another search, or a damaged one."""
        try:
            parts = json.loads(path.read_text())
            if parts["key"] != key:
                return None
            return cls(np.array(parts["mean"]), np.array(parts["spread"]), parts["losses"])
        except (OSError, ValueError, KeyError, TypeError):
            return None


class Candidates(Ranking):
    """Every environment by a row of weights of its own."""

    def __init__(self, weights: Array) -> None:
        self.weights = weights

    def score(self, view: PlacementView) -> Array:
        return -cost(view, self.weights)


def tune(
    search: Search | None = None,
    *,
    course: str | Path | None = None,
    progress: Progress | None = None,
    **scenario: Any,
) -> Course:
    """Return the end of a search for weights that do best in a scenario.

    course: file that is written after every generation; a search that stopped, or was shorter,
        goes on from it.
    scenario: settings of the environment, as `benchmark` takes them.
    """
    search = search or Search()
    mean = np.zeros(len(WEIGHTS)) if search.start is None else Tuned(search.start).row
    same = {name: value for name, value in vars(search).items() if name != "generations"}
    key = json.dumps([same, mean.tolist(), plain(scenario), [weight.name for weight in WEIGHTS]])
    file = None if course is None else Path(course)
    now = (file and Course.load(file, key)) or Course(
        mean, search.spread**2 * np.eye(len(WEIGHTS)), []
    )
    setting = replace(Scenario.of(**scenario), jobs=search.jobs)
    batch = PlacementBatch(setting, search.population * search.worlds)
    while len(now.losses) < search.generations:
        advance(batch, search, now)
        if file is not None:
            now.save(file, key)
        if progress is not None:
            last = f"ln slowdown {now.losses[-1]:.4f}"
            progress(len(now.losses), search.generations, last)
    return now


def advance(batch: PlacementBatch, search: Search, now: Course) -> None:
    """One generation: draw, play, and draw nearer to those that did best."""
    generation = len(now.losses)
    rng = np.random.default_rng([search.seed, generation])
    drawn = rng.multivariate_normal(now.mean, now.spread, search.population)
    drawn[0] = now.mean
    first = TRAINING_SEEDS + generation * search.worlds
    losses = evaluate(batch, drawn, range(first, first + search.worlds)).mean(axis=1)
    now.mean, now.spread = update(now.mean, now.spread, drawn, losses)
    now.losses.append(float(losses[0]))


def update(mean: Array, spread: Array, drawn: Array, losses: Array) -> tuple[Array, Array]:
    """The next generation's mean and covariance from the better half, best weighted most."""
    keep = len(drawn) // 2
    order = np.argsort(losses)[:keep]
    share = np.log(keep + 1.0) - np.log(np.arange(1.0, keep + 1.0))
    share /= share.sum()
    steps = drawn[order] - mean
    return mean + share @ steps, 0.7 * spread + 0.3 * (steps * share[:, None]).T @ steps


def evaluate(batch: PlacementBatch, weights: Array, seeds: Sequence[int]) -> Array:
    """Return ln of the objective of every row of weights in every world, float64[W, seeds]."""
    every = np.repeat(weights, len(seeds), axis=0)
    policy: Policy = Candidates(every)
    measured = play(batch, policy, [*seeds] * len(weights), label="candidate")
    values = np.array([world[OBJECTIVE] for world in measured])
    return np.log(values).reshape(len(weights), len(seeds))


def write_column(path: str | Path, name: str, weights: Array) -> None:
    """Put weights into a table as the column of that name; other columns stay."""
    path = Path(path)
    table = read_table(path) if path.is_file() else {}
    table[name] = weights
    lines = [",".join(["weight", *table])]
    for row, weight in enumerate(WEIGHTS):
        lines.append(",".join([weight.name, *(f"{column[row]:.5g}" for column in table.values())]))
    with whole_file(path) as aside:
        aside.write_text("\n".join(lines) + "\n")
