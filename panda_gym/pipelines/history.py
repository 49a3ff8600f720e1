"""What happened in a simulation, and what follows from it; knows no dynamics."""

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
    """A simulation that ran to its horizon. Times are s; NaN is not yet."""

    operations: Operations
    """What was operated."""
    horizon_s: float
    """Until when."""
    pipes: Array
    """PIPE[n]: every run that was launched, in that order."""
    tasks: Array
    """TASK[m]: their tasks, those of a run side by side."""
    models: Array
    """MODEL[M] at the horizon."""
    metrics: Array
    """float64[M, 5]: of the models in service at the horizon."""
    bytes_read: float
    bytes_written: float
    cost: float
    """Of all tasks that were started, also beyond the horizon."""
    row_bytes: Array
    """float64[n]: bytes of the data of every run."""

    def __len__(self) -> int:
        return len(self.pipes)

    @cached_property
    def wait_s(self) -> Array:
        """Waiting for slots of every run that ended, summed over its tasks, float64[ended]."""
        waited = np.nan_to_num(self.tasks["start"] - self.tasks["ready"])
        return np.bincount(self.tasks["pipe"], waited, minlength=len(self))[self.ended]

    @cached_property
    def ended(self) -> Array:
        """Whether a run ended, bool[n]."""
        return ~np.isnan(self.pipes["ended"])

    @property
    def slowdown(self) -> Array:
        """Response over response without any waiting, of every run that ended."""
        response = (self.pipes["ended"] - self.pipes["requested"])[self.ended]
        return response / np.maximum(response - self.wait_s, 1e-9)

    def counts(self) -> dict[str, int]:
        """Requests by what became of them; queued and running are runs that have not ended."""
        begun = ~np.isnan(self.tasks["start"]) & np.isnan(self.tasks["end"])
        running = np.bincount(self.tasks["pipe"][begun], minlength=len(self)) > 0
        still = ~self.ended
        failed = self.pipes["failed"] == 1
        return {
            "requested": len(self),
            "completed": int((self.ended & ~failed).sum()),
            "rejected": int((self.ended & failed).sum()),
            "running": int((still & running).sum()),
            "queued": int((still & ~running).sum()),
        }

    def utilisation(self) -> dict[str, float]:
        """Share of the slot time in use, of every cluster."""
        begun = ~np.isnan(self.tasks["start"])
        start, end = self.tasks["start"][begun], self.tasks["end"][begun]
        held = np.where(np.isnan(end), self.horizon_s, end) - start
        busy = np.bincount(
            self.tasks["cluster"][begun], held, minlength=len(self.operations.clusters)
        )
        return {
            cluster.name: float(used / (cluster.slots * self.horizon_s))
            for cluster, used in zip(self.operations.clusters, busy, strict=True)
        }

    def summary(self) -> dict[str, float]:
        """One row of figures: waiting, slowdown, utilisation, staleness, retrains, quality, cost.

        quality_hours: weighted integral of performance, hours. mean_staleness: over models and
        time. cost: of started tasks. performance: weighted mean over models and time.
        """
        weight = np.array([model.weight for model in self.operations.models])
        wait, slow = self.wait_s, self.slowdown
        quality = float(weight @ self.models["quality"]) / SECONDS_PER_HOUR
        figures = {
            "runs": float(len(self)),
            **{k: float(v) for k, v in self.counts().items() if k != "requested"},
            "retrains": float(self.pipes["deployed"].sum()),
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
        """Whether a run that ended did so after its deadline, float64[ended]."""
        deadline = np.array([model.deadline_s for model in self.operations.models])
        done = self.pipes[self.ended]
        return (done["ended"] > done["requested"] + deadline[done["model"]]).astype(np.float64)

    def moved(self) -> tuple[float, float]:
        """Bytes read and written, summed anew from the tasks that started."""
        parts = {one.name: one.tasks for one in self.operations.pipelines}
        steps = [parts[model.pipeline] for model in self.operations.models]
        totals = [0.0, 0.0]
        begun = ~np.isnan(self.tasks["start"])
        owner = self.tasks["pipe"]
        place = np.arange(len(self.tasks)) - self.pipes["first_task"][owner]
        for which, name in enumerate(("read", "write")):
            longest = max(map(len, steps))
            share = np.array(
                [[getattr(t, name) for t in one] + [0.0] * (longest - len(one)) for one in steps]
            )
            model = self.pipes["model"][owner]
            size = self.row_bytes[owner]
            totals[which] = float((share[model, place] * size)[begun].sum())
        return totals[0], totals[1]

    def table(self) -> pd.DataFrame:
        """A row a run: model, reason, times, outcome, metrics."""
        import pandas as pd

        from panda_gym.pipelines.kinds import METRICS

        names = np.array([model.name for model in self.operations.models], dtype=object)
        columns: dict[str, Any] = {
            "model": names[self.pipes["model"]],
            "reason": np.array(REASONS, dtype=object)[self.pipes["reason"]],
        }
        for name in ("requested", "launched", "ended"):
            columns[f"{name}_s"] = self.pipes[name]
        wait = np.full(len(self), np.nan)
        wait[self.ended] = self.wait_s
        columns["wait_s"] = wait
        columns["deployed"] = self.pipes["deployed"].astype(bool)
        for k, name in enumerate(METRICS):
            columns[name] = self.pipes["metrics"][:, k]
        return pd.DataFrame(columns)


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else float("nan")
