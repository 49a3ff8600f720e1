"""One step of one generator in a process of its own; knows the folder of a run.

    python -m panda_gym.table1.worker fit|judge FOLDER NAME

Progress goes to standard output, one JSON list [done, total, message] a line. Every result is
written aside and renamed; a step whose result is there does nothing.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from panda_gym.files import whole_file
from panda_gym.table1.entry import Cost, Scores, write
from panda_gym.table1.plan import Folder

Progress = Callable[[int, int, str], None]


def fit(folder: Folder, name: str, progress: Progress) -> None:
    """Fit one generator, save it, draw rows, and write down what both took."""
    import pandas as pd

    import generators

    plan, own = folder.plan(), folder.of(name)
    train = pd.read_parquet(folder.train)
    config = plan.config_of(name)
    model = generators.create(name, **config)
    base = _peak_mb()
    wall, cpu = time.perf_counter(), time.process_time()
    model.fit(train, seed=plan.seed, progress=progress, checkpoint=own.checkpoint)
    fit_cost = _since(wall, cpu), _peak_mb()
    shutil.rmtree(own.model, ignore_errors=True)
    model.save(own.model)
    n = plan.synthetic_rows or len(train)
    wall, cpu = time.perf_counter(), time.process_time()
    rows = model.sample(n, seed=plan.seed + 1)
    sample_cost = _since(wall, cpu)
    with whole_file(own.rows) as aside:
        rows.to_parquet(aside)
    size = sum(file.stat().st_size for file in own.model.iterdir())
    write(
        own.cost,
        Cost(*fit_cost[0], fit_cost[1], n, *sample_cost, _peak_mb(), base, size / 1e6, config),
    )
    shutil.rmtree(own.checkpoint, ignore_errors=True)


def judge(folder: Folder, name: str, progress: Progress) -> None:
    """Judge one generator's rows against training and held-out rows."""
    import pandas as pd

    from panda_gym.table1 import judging

    plan, own = folder.plan(), folder.of(name)
    train, holdout, rows = (pd.read_parquet(p) for p in (folder.train, folder.holdout, own.rows))
    how: dict[str, Any] = {"quick": plan.quick, "policy": plan.policy, "seed": plan.seed}
    found = judging.certificate(
        train,
        holdout,
        rows,
        target=plan.target,
        time=plan.time,
        origin=plan.origin,
        work=folder.judged,
        progress=progress,
        **how,
    )
    found.to_json(own.certificate)
    scores = judging.scores(found, train, holdout, rows, plan.target, plan.seed)
    write(own.scores, Scores(scores, None if "f1" in scores else found.passed))


def _since(wall: float, cpu: float) -> tuple[float, float]:
    return time.perf_counter() - wall, time.process_time() - cpu


def _peak_mb() -> float:
    """Return the greatest resident memory of this process so far, MB.

    Where /proc tells, it is asked: the resource usage of a Linux process starts at its parent's.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        return int(lines["VmHWM"].split()[0]) / 1e3
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def _say(done: int, total: int, message: str) -> None:
    print(json.dumps([done, total, message]), flush=True)


def main(arguments: list[str]) -> None:
    """Run one step."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    step, folder, name = arguments
    {"fit": fit, "judge": judge}[step](Folder(Path(folder)), name, _say)


if __name__ == "__main__":
    main(sys.argv[1:])
