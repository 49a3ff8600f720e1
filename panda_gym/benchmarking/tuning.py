"""Fit the weights of the policy `tuned` on training seeds by CMA-ES.

CMA-ES (Hansen, "The CMA evolution strategy: a tutorial", arXiv:1604.00772) adapts mean, step size
and covariance of a normal distribution; the package `cmaes` implements it. All candidates of a
generation play the same seeds, and each generation has new ones, so that the search does not
overfit to seeds. The result is the mean of the last distribution.

The state of a search is the list of its losses: the same seed draws the same candidates again, so
that an interrupted search is told what it had found and goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from panda_gym.benchmarking.episodes import play
from panda_gym.deprecated import old_keywords
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies import Policy
from panda_gym.environments.placement.policies.base import Ranking
from panda_gym.environments.placement.policies.tuned_terms import NAMES, cost
from panda_gym.environments.placement.policies.tuned_weights import TunedWeights, find_fit
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.files import whole_file
from panda_gym.jobs.split import HALF, has_halves, is_recorded, split
from panda_gym.provenance import named, plain, versions

if TYPE_CHECKING:
    from panda_gym.jobs import JobStream

Array = np.ndarray
Progress = Callable[[int, int, str], None]

TRAINING_SEEDS: Final = 1_000_000
"""Fitting uses seeds from here on; benchmarks use seeds below."""
OBJECTIVE: Final = "geometric_slowdown"
"""Measure that is minimised: the mean of its logarithm over episodes."""
PACKAGES: Final = ("panda-grid-gym", "cmaes", "numpy")
"""Packages whose versions are stored with a fit."""


@old_keywords(worlds="episodes")
@dataclass(frozen=True)
class Search:
    """Settings of a search."""

    generations: int = 45
    population: int = 16
    episodes: int = 4
    """Episodes that each candidate plays in a generation."""
    jobs: int = 800
    """Judged decisions of each episode."""
    spread: float = 0.4
    """Standard deviation of the first generation."""
    start: str | None = None
    """Fit whose weights are the first mean, as the setting of `tuned`; None: all weights 0."""
    seed: int = 0


class Candidates(Ranking):
    """One candidate for each environment: the policy `tuned` with its own row of weights."""

    def __init__(self, weights: Array) -> None:
        self.weights = weights

    def score(self, view: PlacementView) -> Array:
        """Return minus the weighted cost of every site, float64[E, S]."""
        return -cost(view, self.weights)


def tune(
    search: Search | None = None,
    *,
    until: str | float | None = None,
    state_file: str | Path | None = None,
    progress: Progress | None = None,
    command: str | None = None,
    **scenario: Any,
) -> TunedWeights:
    """Return the weights that minimise the objective in a scenario, with what they come from.

    Args:
        search: sizes and seed.
        until: fit on the jobs before this time, ISO (UTC) or a share of the jobs (`jobs.split`).
            None: on the first half of a recorded stream, and on all jobs of a surrogate.
        state_file: written after every generation; an interrupted or shorter search is resumed.
        progress: called as progress(generations done, in all, message).
        command: command line that is stored with the weights.
        scenario: settings of the environment, as `benchmark` takes them.

    Raises:
        StreamError: the stream has no past before `until`, or one of fewer than 1,000 jobs.
    """
    search = search or Search()
    setting = Scenario.of(**scenario)
    past = past_of(replace(setting, input_scale=1.0, arrivals=None).open_stream(), until)
    fixed = replace(setting, stream=past, jobs=search.jobs).judged_to_end()
    key = _key(search, {**scenario, "stream": named(past)})
    losses = _run(
        search, fixed, _Losses(None if state_file is None else Path(state_file), key), progress
    )
    seeds = (TRAINING_SEEDS, TRAINING_SEEDS + search.generations * search.episodes)
    return TunedWeights(
        weights=dict(zip(NAMES, _mean(search, losses).tolist(), strict=True)),
        scenario=str(scenario.get("scenario", "default")),
        scale=setting.scale,
        stream=named(past),
        seeds=seeds,
        command=command,
        settings={k: v for k, v in plain(scenario).items() if k not in ("stream", "surrogate")},
        search=vars(search),
        versions=versions(PACKAGES),
        losses=tuple(float(np.sort(row)[: len(row) // 2].mean()) for row in losses),
    )


def past_of(stream: JobStream, until: str | float | None) -> JobStream:
    """Return the jobs to fit on: those before `until`; see `tune`."""
    if until is None and not (is_recorded(stream) and has_halves(stream)):
        return stream
    return split(stream, HALF if until is None else until)[0]


class _Losses:
    """Losses of the generations that were played, kept in a file under the key of the search."""

    def __init__(self, file: Path | None, key: str) -> None:
        self.file, self.key = file, key
        self.rows: list[list[float]] = self._read()

    def _read(self) -> list[list[float]]:
        """Return what the file holds; nothing if it is damaged or of another search."""
        try:
            document = json.loads(self.file.read_text()) if self.file is not None else {}
            rows = document["losses"] if document.get("key") == self.key else []
            return [[float(loss) for loss in row] for row in rows]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return []

    def add(self, row: Array) -> None:
        self.rows.append([float(loss) for loss in row])
        if self.file is not None:
            with whole_file(self.file) as aside:
                aside.write_text(json.dumps({"key": self.key, "losses": self.rows}) + "\n")


def _key(search: Search, scenario: dict[str, Any]) -> str:
    """Return what the losses of a search depend on, but for the number of generations."""
    same = {name: value for name, value in vars(search).items() if name != "generations"}
    first = None if search.start is None else find_fit(search.start).row().tolist()
    return json.dumps([same, first, plain(scenario), NAMES, versions(["cmaes"])["cmaes"]])


def _run(
    search: Search, setting: Scenario, losses: _Losses, progress: Progress | None
) -> list[list[float]]:
    """Play the generations that are missing; return the losses of all, one row a generation."""
    strategy = _strategy(search)
    batch: PlacementBatch | None = None
    for generation in range(search.generations):
        drawn = [strategy.ask() for _ in range(search.population)]
        if generation == len(losses.rows):
            batch = batch or PlacementBatch(setting, search.population * search.episodes)
            first = TRAINING_SEEDS + generation * search.episodes
            seeds = range(first, first + search.episodes)
            losses.add(evaluate(batch, np.array(drawn), seeds).mean(axis=1))
            if progress is not None:
                last = f"ln slowdown {min(losses.rows[-1]):.4f}"
                progress(generation + 1, search.generations, last)
        strategy.tell(list(zip(drawn, losses.rows[generation], strict=True)))
    return losses.rows[: search.generations]


def _strategy(search: Search) -> Any:
    """Return CMA-ES before its first generation."""
    from cmaes import CMA

    mean = np.zeros(len(NAMES)) if search.start is None else find_fit(search.start).row()
    return CMA(mean, search.spread, seed=search.seed, population_size=search.population)


def _mean(search: Search, losses: Sequence[Sequence[float]]) -> Array:
    """Return the mean of the distribution after the last generation, float64[terms]."""
    strategy = _strategy(search)
    for row in losses:
        strategy.tell([(strategy.ask(), loss) for loss in row])
    mean: Array = strategy.mean
    return mean


def evaluate(batch: PlacementBatch, weights: Array, seeds: Sequence[int]) -> Array:
    """Return ln of the objective for every row of weights and seed, float64[W, seeds]."""
    every = np.repeat(weights, len(seeds), axis=0)
    policy: Policy = Candidates(every)
    measured = play(batch, policy, [*seeds] * len(weights), label="candidate")
    values = np.array([episode[OBJECTIVE] for episode in measured])
    return np.log(values).reshape(len(weights), len(seeds))
