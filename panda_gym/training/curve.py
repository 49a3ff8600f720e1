"""The learning curve: one row for each rollout, written and read as CSV."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from panda_gym.files import whole_file


@dataclass(frozen=True)
class CurvePoint:
    """Figures of one rollout and the update after it; None where the learner has none."""

    steps: int
    """Decisions so far."""
    reward: float
    """Mean reward a decision over the rollout, under the drawing policy."""
    entropy: float | None
    """Mean entropy of the choice, nat."""
    value_loss: float | None
    """Mean squared error of the critic, or of the network of the sites' costs."""
    explained_variance: float | None
    """Share of the returns' variance that the critic explains."""
    kl: float | None
    """Approximate Kullback-Leibler divergence of the update."""
    environment_s: float
    """CPU seconds in the environment so far."""
    choosing_s: float
    """CPU seconds in choosing actions so far."""
    learning_s: float
    """CPU seconds in updates so far."""
    cost: float | None = None
    """Mean cost a decision over the rollout, under the drawing policy."""
    multiplier: float | None = None
    """Lagrange multiplier of the cost."""
    evaluation: float | None = None
    """Minus the objective of the greedy agent on held-out seeds, mean ln(bounded slowdown) by
    default."""


def write_curve(points: Sequence[CurvePoint], path: Path) -> None:
    """Write the curve as CSV atomically."""
    with whole_file(path) as aside, aside.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in fields(CurvePoint))
        writer.writerows(astuple(point) for point in points)


def read_curve(path: Path) -> list[CurvePoint]:
    """Read what `write_curve` wrote."""
    with path.open(newline="") as file:
        return [
            CurvePoint(
                int(row.pop("steps")),
                **{key: float(value) if value else None for key, value in row.items()},  # type: ignore[arg-type]
            )
            for row in csv.DictReader(file)
        ]
