"""Tables a study of cost limits: what PPO-Lagrangian's runs cost and earned when training ended.

    for seed in 0 1 2 3 4 5 6 7 8 9; do for limit in 0.0005 0.001 0.0015; do
      panda-grid train --algo ppo_lagrangian --cost-limit $limit --seed $seed --steps 98304 \\
        --platform small15 --scale 1 --jobs 500 --out study/$limit-$seed
    done; panda-grid train --seed $seed --steps 98304 --platform small15 --scale 1 --jobs 500 \\
        --out study/none-$seed; done
    python scripts/cost_limits.py study
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from panda_gym.training.curve import read_curve

LAST = 0.2
"""Share of the rollouts, the last ones, that count as the end of training."""


def end_of(folder: Path) -> tuple[float, float, float]:
    """Mean cost, reward and multiplier a decision over the last rollouts of a run."""
    points = read_curve(folder / "curve.csv")
    last = points[-max(1, round(LAST * len(points))) :]
    rows = [(point.cost or 0.0, point.reward, point.multiplier or 0.0) for point in last]
    return tuple(float(value) for value in np.mean(rows, axis=0))  # type: ignore[return-value]


def main() -> None:
    """Print one row a limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", type=Path)
    study = parser.parse_args().study
    groups: dict[str, list[tuple[float, float, float]]] = {}
    for curve in sorted(study.glob("*/curve.csv")):
        groups.setdefault(curve.parent.name.rpartition("-")[0], []).append(end_of(curve.parent))
    print("| limit | seeds | cost / limit: mean, least, most | at most 1.1 | cost | reward |")
    print("|---|---|---|---|---|---|")
    for limit, runs in sorted(groups.items(), key=lambda pair: pair[0] != "none"):
        cost, reward, _ = np.array(runs).T
        ratio = "| |"
        if limit != "none":
            of = cost / float(limit)
            ratio = f"{of.mean():.3f}, {of.min():.3f}, {of.max():.3f} | {(of <= 1.1).sum()} |"
        spread = np.std(reward, ddof=1) / np.sqrt(len(reward)) if len(reward) > 1 else np.nan
        print(
            f"| {limit} | {len(runs)} | {ratio} {cost.mean():.6f} "
            f"| {reward.mean():.3f} +- {1.96 * spread:.3f} |"
        )


if __name__ == "__main__":
    main()
