"""Predefined experiments: which capacity, which staleness threshold, which scheduler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from panda_gym.errors import PipelineError, nearest
from panda_gym.pipelines.comparison import compare, paired
from panda_gym.pipelines.experiment import Experiment, Progress, run
from panda_gym.pipelines.fleet import Fleet
from panda_gym.pipelines.operations import DISCIPLINES
from panda_gym.units import SECONDS_PER_HOUR

if TYPE_CHECKING:
    import pandas as pd

MEASURES: Final = (
    "worth", "performance", "mean_staleness", "wait_mean_s", "wait_p95_s", "slowdown_mean",
    "retrains", "quality_hours", "cost", "utilisation_training",
)  # fmt: skip
"""Measures of an answer; `worth` is quality hours minus cost."""


@dataclass(frozen=True, eq=False)
class Answer:
    """Answer to a question."""

    question: str
    """Name of the question."""
    sentence: str
    """The answer as a sentence, with its interval."""
    best: Any
    """Value of the setting that answers the question; None if none does."""
    figures: pd.DataFrame
    """Every value and measure with its interval."""
    results: pd.DataFrame
    """One row per run."""


@dataclass(frozen=True)
class Question:
    """Question about one setting of a fleet."""

    setting: str
    """Setting that is varied."""
    values: tuple[Any, ...]
    """Values that are tried."""
    read: Callable[[pd.DataFrame, pd.DataFrame, float], tuple[Any, str]]
    """Function of figures, results and target that returns the best value and a sentence."""


def _capacity(figures: pd.DataFrame, results: pd.DataFrame, target: float) -> tuple[Any, str]:
    """Return the fewest slots whose interval of the mean wait is below the target."""
    waits = figures[figures["measure"] == "wait_mean_s"].sort_values("training_slots")
    enough = waits[waits["high"] <= target * SECONDS_PER_HOUR]
    if len(enough) == 0:
        least = waits["value"].min() / SECONDS_PER_HOUR
        return None, f"no capacity tried waits less than {target:g} h; the least is {least:.2f} h"
    row = enough.iloc[0]
    low, mean, high = (row[k] / SECONDS_PER_HOUR for k in ("low", "value", "high"))
    slots = int(row["training_slots"])
    return slots, f"{slots} training slots: mean wait {mean:.2f} h [{low:.2f}, {high:.2f}]"


def _most_worth(setting: str) -> Callable[[pd.DataFrame, pd.DataFrame, float], tuple[Any, str]]:
    def read(figures: pd.DataFrame, results: pd.DataFrame, target: float) -> tuple[Any, str]:
        worth = figures[figures["measure"] == "worth"]
        best, next_best = worth.sort_values("value", ascending=False)[setting].tolist()[:2]
        gain, low, high = paired(results, setting, next_best, best, "worth")
        mean = worth.set_index(setting).loc[best, "value"]
        return best, (
            f"{setting} {best}: worth {mean:,.1f} quality hours net of cost;"
            f" over {next_best} {gain:+,.1f} [{low:+,.1f}, {high:+,.1f}] in pairs"
        )

    return read


QUESTIONS: Final = {
    "capacity": Question("training_slots", (1, 2, 3, 4, 6, 8), _capacity),
    "threshold": Question("staleness", (0.02, 0.05, 0.1, 0.15, 0.2, 0.3), _most_worth("staleness")),
    "scheduler": Question("discipline", DISCIPLINES, _most_worth("discipline")),
}
"""Questions by name."""


def ask(
    question: str,
    folder: str | Path,
    *,
    fleet: Fleet | None = None,
    values: tuple[Any, ...] | None = None,
    seeds: range | tuple[int, ...] = range(10),
    days: float = 60.0,
    target: float = 1.0,
    progress: Progress | None = None,
) -> Answer:
    """Run (or resume) the experiment of a question in a folder and return the answer.

    Args:
        question: one of `QUESTIONS`.
        fleet: settings that are not varied; None: the defaults.
        values: values of the setting; None: those of `QUESTIONS`.
        seeds: seeds; every value is run with each.
        days: horizon of a run.
        target: upper limit of the mean wait for the question `capacity`, hours.
        progress: called after every run.

    Raises:
        PipelineError: the question is unknown, or fewer than two values are compared.
    """
    if question not in QUESTIONS:
        close = nearest(str(question), QUESTIONS)
        raise PipelineError("a question", repr(question), close)
    asked = QUESTIONS[question]
    grid = {asked.setting: list(values or asked.values)}
    if question != "capacity" and len(grid[asked.setting]) < 2:
        raise PipelineError("two values to compare", repr(values), "pass more")
    title = f"Which {question}?"
    table = run(Experiment(fleet or Fleet(), grid, tuple(seeds), days, title), folder, progress)
    table = table.assign(worth=table["quality_hours"] - table["cost"])
    figures = compare(table, [asked.setting], list(MEASURES))
    best, sentence = asked.read(figures, table, target)
    return Answer(question, sentence, best, figures, table)
