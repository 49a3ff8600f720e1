"""Judge a schedule exactly: when each dataset arrives, each job starts and ends, and the makespan.

Times follow the model of arXiv 2502.00261. All transfers to local stores begin at 0 and share
nothing. A job's transfers from local stores begin when the dataset has arrived and the node is
free. The job runs when all of them have ended, and holds the node until it ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.joint.instance import Instance
from panda_gym.joint.schedule import Schedule, arrivals, check_schedule, stored_sizes

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a schedule of J jobs and D datasets gives."""

    arrival_s: Array
    """When each dataset lies in its local store, float64[D], s."""
    start_s: Array
    """When each job starts to run, float64[J], s."""
    end_s: Array
    """When each job ends, float64[J], s."""
    stored: Array
    """Size in each local store, float64[L]."""
    read: Array
    """Size that each node reads from local stores, float64[C]."""

    @property
    def makespan_s(self) -> float:
        """The end of the last job, s."""
        return float(self.end_s.max())


def evaluate(instance: Instance, schedule: Schedule) -> Evaluation:
    """Return the exact times of a schedule; InstanceError if it exceeds a quota or does not fit."""
    check_schedule(instance, schedule)
    arrival = arrivals(instance, schedule.store)
    start, end = np.zeros(instance.jobs), np.zeros(instance.jobs)
    run_s = instance.work() / instance.speed[schedule.node]
    free = np.zeros(instance.nodes)
    for job in np.lexsort((np.arange(instance.jobs), schedule.rank)):
        node, data = schedule.node[job], instance.inputs_of(job)
        transfer = instance.size[data] / instance.local_bandwidth[schedule.store[data], node]
        start[job] = (np.maximum(arrival[data], free[node]) + transfer).max()
        free[node] = end[job] = start[job] + run_s[job]
    input_size = np.add.reduceat(instance.size[instance.inputs], instance.first[:-1])
    read = np.bincount(schedule.node, input_size, minlength=instance.nodes)
    return Evaluation(arrival, start, end, stored_sizes(instance, schedule.store), read)
