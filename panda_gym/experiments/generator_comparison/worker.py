"""Run one step of a comparison in its own process.

    python -m panda_gym.experiments.generator_comparison.worker fit|evaluate FOLDER NAME

Progress goes to standard output, one JSON list [done, total, message] a line. Every result is
written aside and renamed; a step whose result is there does nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from panda_gym.experiments.generator_comparison.entry import Cost, Scores, write
from panda_gym.experiments.generator_comparison.plan import ComparisonFolder, GeneratorFolder
from panda_gym.experiments.generator_comparison.source import read_back
from panda_gym.files import whole_file
from panda_gym.surrogate.fit_record import FitRecord, peak_mb

Progress = Callable[[int, int, str], None]


def fit(folder: ComparisonFolder, name: str, progress: Progress) -> None:
    """Fit one generator, save it, draw rows, and write down the cost of both.

    A generator that was fitted elsewhere is only sampled; `fit.json` has the cost of its fit.
    """
    plan, own = folder.plan(), folder.of(name)
    if own.external.is_file():
        model, spent = _external(own)
    else:
        model, spent = _fitted(folder, name, progress)
    n = plan.synthetic_rows or plan.train_rows
    wall, cpu = time.perf_counter(), time.process_time()
    rows = model.sample(n, seed=plan.seed + 1)
    drawn = _since(wall, cpu)
    with whole_file(own.rows) as aside:
        rows.to_parquet(aside)
    size = sum(file.stat().st_size for file in own.model.iterdir())
    draw: dict[str, Any] = {"sample_rows": n, "sample_wall_s": drawn[0], "sample_cpu_s": drawn[1]}
    write(own.cost, Cost(**spent, **draw, rss_mb=peak_mb(), model_mb=size / 1e6))
    shutil.rmtree(own.checkpoint, ignore_errors=True)


def _fitted(folder: ComparisonFolder, name: str, progress: Progress) -> tuple[Any, dict[str, Any]]:
    """Return a generator that was fitted and saved, and its cost."""
    import generators

    plan, own = folder.plan(), folder.of(name)
    train = read_back(folder.train)
    config = plan.config_of(name)
    model = generators.create(name, **config)
    base = peak_mb()
    wall, cpu = time.perf_counter(), time.process_time()
    model.fit(train, seed=plan.seed, progress=progress, checkpoint=own.checkpoint)
    took = _since(wall, cpu)
    spent = {"fit_wall_s": took[0], "fit_cpu_s": took[1], "fit_rss_mb": peak_mb()}
    shutil.rmtree(own.model, ignore_errors=True)
    model.save(own.model)
    return model, {**spent, "base_rss_mb": base, "config": config}


def _external(own: GeneratorFolder) -> tuple[Any, dict[str, Any]]:
    """Return a generator that was fitted elsewhere, and its cost."""
    import generators

    behind = FitRecord.read(own.external.parent)
    spent: dict[str, Any] = {"fit_wall_s": behind.wall_s, "fit_cpu_s": behind.cpu_s}
    spent |= {"fit_rss_mb": behind.rss_mb, "base_rss_mb": behind.base_rss_mb}
    return generators.load(own.model), {**spent, "config": behind.config}


def evaluate(folder: ComparisonFolder, name: str, progress: Progress) -> None:
    """Evaluate the rows of one generator against training and held-out rows."""
    from panda_gym.experiments.generator_comparison import evaluation

    plan, own = folder.plan(), folder.of(name)
    train, holdout, rows = (read_back(p) for p in (folder.train, folder.holdout, own.rows))
    how: dict[str, Any] = {"quick": plan.quick, "policy": plan.policy, "seed": plan.seed}
    found = evaluation.certificate(
        train,
        holdout,
        rows,
        target=plan.target,
        time=plan.time,
        origin=plan.origin,
        work=folder.measured,
        progress=progress,
        **how,
    )
    found.to_json(own.certificate)
    scores = evaluation.scores(found, train, holdout, rows, plan.target, plan.seed)
    write(own.scores, Scores(scores, None if "f1" in scores else found.passed))


def _since(wall: float, cpu: float) -> tuple[float, float]:
    return time.perf_counter() - wall, time.process_time() - cpu


def _say(done: int, total: int, message: str) -> None:
    print(json.dumps([done, total, message]), flush=True)


def main(arguments: list[str]) -> None:
    """Run one step."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    step, folder, name = arguments
    {"fit": fit, "evaluate": evaluate}[step](ComparisonFolder(Path(folder)), name, _say)


if __name__ == "__main__":
    main(sys.argv[1:])
