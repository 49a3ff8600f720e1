"""Fit the weights of the policy `tuned` on training seeds by an evolution strategy.

The search adapts mean and covariance of a normal distribution with a rank-mu update (Hansen and
Ostermeier 2001). The population is small, so step size and covariance change together, as in the
cross-entropy method. All candidates of a generation play the same seeds, and each generation has
new ones, so that the search does not overfit to seeds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from panda_gym.benchmarking.episodes import play
from panda_gym.deprecated import old_keywords, old_names
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
"""Fitting uses seeds from here on; benchmarks use seeds below."""
OBJECTIVE: Final = "geometric_slowdown"
"""Measure that is minimised: the mean of its logarithm over episodes."""


@old_keywords(worlds="episodes")
@dataclass(frozen=True)
class Search:
    """Settings of a search."""

    generations: int = 16
    population: int = 16
    episodes: int = 8
    """Episodes that each candidate plays in a generation."""
    jobs: int = 800
    """Decisions of each episode."""
    spread: float = 0.6
    """Standard deviation of the first generation."""
    start: str | None = None
    """Column of the shipped table that is the first mean; None: all weights 0."""
    seed: int = 0


@dataclass
class SearchState:
    """State of a search: distribution of the next generation, and losses of the past ones."""

    mean: Array
    """Mean of the weights, float64[W]."""
    spread: Array
    """Covariance, float64[W, W]."""
    losses: list[float]
    """ln of the objective at the mean, by generation."""

    def save(self, path: Path, key: str) -> None:
        """Write the state; `key` names the search that it belongs to."""
        parts = {"mean": self.mean.tolist(), "spread": self.spread.tolist(), "losses": self.losses}
        with whole_file(path) as aside:
            aside.write_text(json.dumps({"key": key, **parts}) + "\n")

    @classmethod
    def load(cls, path: Path, key: str) -> SearchState | None:
        """Read a state; None if there is none, or it is damaged or of another search."""
        try:
            parts = json.loads(path.read_text())
            if parts["key"] != key:
                return None
            return cls(np.array(parts["mean"]), np.array(parts["spread"]), parts["losses"])
        except (OSError, ValueError, KeyError, TypeError):
            return None


class Candidates(Ranking):
    """One candidate for each environment: the policy `tuned` with its own row of weights."""

    def __init__(self, weights: Array) -> None:
        self.weights = weights

    def score(self, view: PlacementView) -> Array:
        """Return minus the weighted cost of every site, float64[E, S]."""
        return -cost(view, self.weights)


_IN_KEY: Final = {"episodes": "worlds"}
"""Settings whose name in state files is that of release 0.1, so that searches of 0.1 resume."""


def tune(
    search: Search | None = None,
    *,
    state_file: str | Path | None = None,
    progress: Progress | None = None,
    **scenario: Any,
) -> SearchState:
    """Search for the weights that minimise the objective in a scenario; return the final state.

    Args:
        search: sizes and seed.
        state_file: written after every generation; an interrupted or shorter search is resumed.
        progress: called as progress(generations done, in all, message).
        scenario: settings of the environment, as `benchmark` takes them.
    """
    search = search or Search()
    mean = np.zeros(len(WEIGHTS)) if search.start is None else Tuned(search.start).row
    same = {_IN_KEY.get(k, k): value for k, value in vars(search).items() if k != "generations"}
    key = json.dumps([same, mean.tolist(), plain(scenario), [weight.name for weight in WEIGHTS]])
    file = None if state_file is None else Path(state_file)
    now = (file and SearchState.load(file, key)) or SearchState(
        mean, search.spread**2 * np.eye(len(WEIGHTS)), []
    )
    setting = replace(Scenario.of(**scenario), jobs=search.jobs).judged_to_end()
    batch = PlacementBatch(setting, search.population * search.episodes)
    while len(now.losses) < search.generations:
        advance(batch, search, now)
        if file is not None:
            now.save(file, key)
        if progress is not None:
            last = f"ln slowdown {now.losses[-1]:.4f}"
            progress(len(now.losses), search.generations, last)
    return now


def advance(batch: PlacementBatch, search: Search, now: SearchState) -> None:
    """Run one generation: draw candidates, play them, update mean and covariance."""
    generation = len(now.losses)
    rng = np.random.default_rng([search.seed, generation])
    drawn = rng.multivariate_normal(now.mean, now.spread, search.population)
    drawn[0] = now.mean
    first = TRAINING_SEEDS + generation * search.episodes
    losses = evaluate(batch, drawn, range(first, first + search.episodes)).mean(axis=1)
    now.mean, now.spread = update(now.mean, now.spread, drawn, losses)
    now.losses.append(float(losses[0]))


def update(mean: Array, spread: Array, drawn: Array, losses: Array) -> tuple[Array, Array]:
    """Return mean and covariance of the next generation from the better half of this one."""
    keep = len(drawn) // 2
    order = np.argsort(losses)[:keep]
    share = np.log(keep + 1.0) - np.log(np.arange(1.0, keep + 1.0))
    share /= share.sum()
    steps = drawn[order] - mean
    return mean + share @ steps, 0.7 * spread + 0.3 * (steps * share[:, None]).T @ steps


def evaluate(batch: PlacementBatch, weights: Array, seeds: Sequence[int]) -> Array:
    """Return ln of the objective for every row of weights and seed, float64[W, seeds]."""
    every = np.repeat(weights, len(seeds), axis=0)
    policy: Policy = Candidates(every)
    measured = play(batch, policy, [*seeds] * len(weights), label="candidate")
    values = np.array([episode[OBJECTIVE] for episode in measured])
    return np.log(values).reshape(len(weights), len(seeds))


def write_column(path: str | Path, name: str, weights: Array) -> None:
    """Write weights to a table as the column `name`; other columns stay."""
    path = Path(path)
    table = read_table(path) if path.is_file() else {}
    table[name] = weights
    lines = [",".join(["weight", *table])]
    for row, weight in enumerate(WEIGHTS):
        lines.append(",".join([weight.name, *(f"{column[row]:.5g}" for column in table.values())]))
    with whole_file(path) as aside:
        aside.write_text("\n".join(lines) + "\n")


__getattr__ = old_names(__name__)
