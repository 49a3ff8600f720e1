"""Replay logs in Standard Workload Format on one site of their size, against a plain FCFS.

    python -m tests.bench.replay LOG.swf.gz [LOG ...]

Prints for each log its jobs, the site's cores (the header's MaxProcs, or the widest job), the share
of jobs that wait, and the greatest differences of run times and waits from an FCFS that shares
nothing with the simulator, s. The log is also read a second time, line by line.
"""

from __future__ import annotations

import argparse
import gzip
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from panda_gym.jobs import JobStream
from panda_gym.jobs.swf import read_swf
from tests.panda_gym.test_replays import fcfs, one_site, replayed


def plain_jobs(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return submit times, run times and processors of the jobs that ran, in order."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="latin-1") as file:
        lines = [line.split()[:18] for line in file if line.strip() and not line.startswith(";")]
    rows = np.array(lines, dtype=np.float64)
    rows = rows[(rows[:, 3] >= 0) & (rows[:, 1] >= 0) & ~np.isin(rows[:, 10], (2, 3, 4))]
    rows = rows[np.argsort(rows[:, 1], kind="stable")]
    cores = np.where(rows[:, 4] > 0, rows[:, 4], np.maximum(rows[:, 7], 1)).astype(int)
    return rows[:, 1] - rows[0, 1], rows[:, 3], cores


def compare(path: Path) -> str:
    """Return one line on a log."""
    submit, run, cores = plain_jobs(path)
    stated = read_swf(path).header.get("MaxProcs", "0")
    size = max(int(stated) if stated.isdigit() else 0, int(cores.max()))
    with tempfile.TemporaryDirectory() as folder:
        log = replayed(JobStream.from_swf(path), one_site(Path(folder), size))
    wait = fcfs(submit, cores, run, size) - submit
    longer = np.abs(log.run_s - run).max()
    later = np.abs(log.start_s - log.arrival_s - wait).max()
    return (
        f"{path.name}: {len(log):,} jobs on {size:,} cores, {np.mean(wait > 0):.1%} wait;"
        f" greatest difference of run times {longer:.1e} s, of waits {later:.1e} s"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare each named log."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("logs", nargs="+", type=Path)
    for path in parser.parse_args(arguments).logs:
        print(compare(path), flush=True)


if __name__ == "__main__":
    main()
