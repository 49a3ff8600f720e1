"""Histories of simulations: every run and task, and the figures that follow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from panda_gym.pipelines.operations import Operations
from panda_gym.pipelines.triggers import REASONS
from panda_gym.units import SECONDS_PER_HOUR

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class History:
    """History of a simulation to its horizon; times in s, NaN for what has not happened."""

    operations: Operations
    """The operations that were simulated."""
    horizon_s: float
    """End of the simulation."""
    runs: Array
    """RUN_RECORD[n]: launched runs in the order of their launch."""
    tasks: Array
    """TASK[m]: their tasks, those of a run contiguous."""
    models: Array
    """MODEL[M] at the horizon."""
    metrics: Array
    """float64[M, 5]: of the models in service at the horizon."""
    bytes_read: float
    """Bytes read by started tasks."""
    bytes_written: float
    """Bytes written by started tasks."""
    cost: float
    """Cost of all started tasks, including their time beyond the horizon."""
    row_bytes: Array
    """float64[n]: bytes of the data of every run."""

    def __len__(self) -> int:
        return len(self.runs)

    @cached_property
    def wait_s(self) -> Array:
        """Wait for slots of every ended run, summed over its tasks, float64[ended], s."""
        waited = np.nan_to_num(self.tasks["start"] - self.tasks["ready"])
        return np.bincount(self.tasks["run_index"], waited, minlength=len(self))[self.ended]

    @cached_property
    def ended(self) -> Array:
        """Whether a run ended, bool[n]."""
        return ~np.isnan(self.runs["ended"])

    @property
    def slowdown(self) -> Array:
        """Response time over response time without waiting, of every ended run."""
        response = (self.runs["ended"] - self.runs["requested"])[self.ended]
        return response / np.maximum(response - self.wait_s, 1e-9)

    def counts(self) -> dict[str, int]:
        """Return the number of runs by outcome; queued and running are runs that have not ended."""
        started = ~np.isnan(self.tasks["start"]) & np.isnan(self.tasks["end"])
        running = np.bincount(self.tasks["run_index"][started], minlength=len(self)) > 0
        still = ~self.ended
        failed = self.runs["failed"] == 1
        return {
            "requested": len(self),
            "completed": int((self.ended & ~failed).sum()),
            "rejected": int((self.ended & failed).sum()),
            "running": int((still & running).sum()),
            "queued": int((still & ~running).sum()),
        }

    def utilisation(self) -> dict[str, float]:
        """Return the share of slot time in use, by cluster."""
        started = ~np.isnan(self.tasks["start"])
        start, end = self.tasks["start"][started], self.tasks["end"][started]
        held = np.where(np.isnan(end), self.horizon_s, end) - start
        busy = np.bincount(
            self.tasks["cluster"][started], held, minlength=len(self.operations.clusters)
        )
        return {
            cluster.name: float(used / (cluster.slots * self.horizon_s))
            for cluster, used in zip(self.operations.clusters, busy, strict=True)
        }

    def summary(self) -> dict[str, float]:
        """Return figures: wait, slowdown, utilisation, staleness, retrains, quality and cost.

        `quality_hours` is the weighted integral of performance in hours, `mean_staleness` the
        mean over models and time, `performance` the weighted mean over models and time, and
        `cost` that of started tasks.
        """
        weight = np.array([model.weight for model in self.operations.models])
        wait, slow = self.wait_s, self.slowdown
        quality = float(weight @ self.models["quality"]) / SECONDS_PER_HOUR
        figures = {
            "runs": float(len(self)),
            **{k: float(v) for k, v in self.counts().items() if k != "requested"},
            "retrains": float(self.runs["deployed"].sum()),
            "wait_mean_s": _mean(wait),
            "wait_p95_s": float(np.quantile(wait, 0.95)) if len(wait) else float("nan"),
            "slowdown_mean": _mean(slow),
            "late": _mean(self._late()),
            "mean_staleness": float((self.models["stale"] / self.horizon_s).mean()),
            "performance": quality * SECONDS_PER_HOUR / float(weight.sum() * self.horizon_s),
            "quality_hours": quality,
            "cost": self.cost,
            "bytes_read": self.bytes_read,
            "bytes_written": self.bytes_written,
        }
        used = self.utilisation()
        return figures | {f"utilisation_{name}": value for name, value in used.items()}

    def _late(self) -> Array:
        """Return whether every ended run ended after its deadline, float64[ended]."""
        deadline = np.array([model.deadline_s for model in self.operations.models])
        done = self.runs[self.ended]
        return (done["ended"] > done["requested"] + deadline[done["model"]]).astype(np.float64)

    def moved(self) -> tuple[float, float]:
        """Return bytes read and written, summed again from the started tasks."""
        parts = {one.name: one.tasks for one in self.operations.pipelines}
        steps = [parts[model.pipeline] for model in self.operations.models]
        totals = [0.0, 0.0]
        started = ~np.isnan(self.tasks["start"])
        owner = self.tasks["run_index"]
        place = np.arange(len(self.tasks)) - self.runs["first_task"][owner]
        for which, name in enumerate(("read", "write")):
            longest = max(map(len, steps))
            share = np.array(
                [[getattr(t, name) for t in one] + [0.0] * (longest - len(one)) for one in steps]
            )
            model = self.runs["model"][owner]
            size = self.row_bytes[owner]
            totals[which] = float((share[model, place] * size)[started].sum())
        return totals[0], totals[1]

    def table(self) -> pd.DataFrame:
        """Return one row per run: model, reason, times, outcome, metrics."""
        import pandas as pd

        from panda_gym.pipelines.kinds import METRICS

        names = np.array([model.name for model in self.operations.models], dtype=object)
        columns: dict[str, Any] = {
            "model": names[self.runs["model"]],
            "reason": np.array(REASONS, dtype=object)[self.runs["reason"]],
        }
        for name in ("requested", "launched", "ended"):
            columns[f"{name}_s"] = self.runs[name]
        wait = np.full(len(self), np.nan)
        wait[self.ended] = self.wait_s
        columns["wait_s"] = wait
        columns["deployed"] = self.runs["deployed"].astype(bool)
        for k, name in enumerate(METRICS):
            columns[name] = self.runs["metrics"][:, k]
        return pd.DataFrame(columns)


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else float("nan")
