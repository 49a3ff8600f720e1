"""Settings of a simulator: one table in which every mechanism is a switch.

By default every mechanism beyond queues is off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from panda_gym.errors import SettingError
from panda_gym.simulator.competing import Competing
from panda_gym.simulator.failures import Failures, Retries
from panda_gym.simulator.flows import Network
from panda_gym.simulator.limits import Limits
from panda_gym.simulator.outages import Outages
from panda_gym.simulator.ranges import check_ranges
from panda_gym.simulator.state import DISCIPLINES, RULES
from panda_gym.simulator.storage import Storage


@dataclass(frozen=True)
class Cancellations:
    """Cancellations of jobs by their users, in any state."""

    share: float = 0.03
    """Share of the jobs; a job that ends before its time of cancellation is not cancelled."""
    mean_s: float = 14400.0
    """Mean time from the placement; uniform from 0 to twice that, s."""

    def __post_init__(self) -> None:
        check_ranges(self, "cancellations", {"share": (0.0, 1.0), "mean_s": (0.0, 1e9)})


@dataclass(frozen=True)
class Settings:
    """Settings of every episode of a simulator."""

    staleness_s: float = 300.0
    """The broker's counters are read at multiples of this time, s; 0: at every decision."""
    efficiency: float = 0.9
    """CPU efficiency: CPU time / (run time x cores)."""
    bound_s: float = 600.0
    """Bound of the bounded slowdown: shorter run times count as this, s."""
    competing: Competing | None = None
    """Competing load at every site; None: no competing load."""
    discipline: str = "fifo"
    """Which waiting job starts next: fifo, priority, easy or conservative, see `queues`."""
    reservations: int = 500
    """Most waiting jobs of a site that hold a reservation under conservative backfilling."""
    requested_factor: float = 0.0
    """Requested over predicted run time of jobs without a requested wall time; 0: none."""
    kill_at_requested: bool = False
    """Whether a job is killed at its requested wall time: the attempt fails, cause
    "requested_limit"."""
    pilot_s: float = 0.0
    """Mean time from taking cores to the run, s; uniform from 0 to twice that."""
    network: Network | None = None
    """How transfers share the network; None: no sharing (level 0)."""
    storage: Storage | None = None
    """Secondary replicas and quotas; None: replicas are those of the catalogue and never change."""
    failures: Failures | None = None
    """Failures of attempts; None: no attempt fails."""
    retries: Retries | None = None
    """New attempts after failed or closed ones; None: one attempt a job."""
    limits: Limits | None = None
    """PanDA's time limits; None: no limits, and running jobs survive every outage."""
    cancellations: Cancellations | None = None
    """Cancellations by users; None: no job is cancelled."""
    outages: Outages | None = None
    """Outages of sites; None: all sites stay up."""
    decisions: int = 1
    """Jobs placed at once: time advances until so many have arrived."""
    defer_s: float | None = None
    """Time after which a deferred job returns, s; None: jobs cannot be deferred."""
    pending_s: float = 3600.0
    """Age from which a job cannot be deferred (PanDA: 1 h), s."""
    replicate: bool = False
    """Whether a decision has a second part, an action on data (see `replication`)."""
    events: int = 0
    """Size of each grid's event buffer; 0: no events are kept."""

    def __post_init__(self) -> None:
        limits = {
            "staleness_s": (0.0, 1e9), "efficiency": (1e-3, 1.0), "bound_s": (1e-3, 1e9),
            "pilot_s": (0.0, 1e6), "pending_s": (0.0, 1e9), "decisions": (1, 64),
            "events": (0, 1e9), "reservations": (1, 1e6), "requested_factor": (0.0, 1e3),
        }  # fmt: skip
        check_ranges(self, "setting", limits)
        if not isinstance(self.kill_at_requested, bool):
            came = repr(self.kill_at_requested)
            raise SettingError("kill_at_requested as True or False", came, "pass True")
        if self.defer_s is not None:
            check_ranges(self, "setting", {"defer_s": (1.0, 1e9)})
        if self.discipline not in DISCIPLINES:
            raise SettingError(f"discipline in {DISCIPLINES}", repr(self.discipline), "choose one")
        if self.replicate and self.storage is None:
            raise SettingError("storage for actions on data", "none", "pass storage=True")
        if self.replicate and self.decisions > 1:
            # The masks of later jobs would not include the actions of earlier ones.
            raise SettingError(
                "one decision at a time with actions on data",
                f"decisions={self.decisions}",
                "drop one",
            )
        if self.retries is not None and self.retries.delay_s < self.staleness_s:
            # A retry could then arrive before a reading of the counters that has already happened.
            raise SettingError(
                f"retries delay_s of at least staleness_s ({self.staleness_s:g} s)",
                f"{self.retries.delay_s:g}",
                "raise it",
            )

    @property
    def attempts(self) -> int:
        """Most attempts of a job."""
        return int(self.retries.attempts) if self.retries else 1

    @property
    def requests(self) -> bool:
        """Whether requested wall times matter: to reservations, or as limits."""
        return self.kill_at_requested or self.discipline in ("easy", "conservative")

    def rules(self, rows: int, first_return: int, cores: np.ndarray) -> np.ndarray:
        """The settings as the kernel reads them, RULES[1].

        rows: first row of replications. first_return: where the returns begin in `World.heap`.
        cores: of every site, int[S].
        """
        table = np.zeros(1, RULES)
        for part in _parts(self):
            for name, value in part.items():
                table[name] = value
        table["first_replication"], table["first_return"] = rows, first_return
        if self.failures is not None:
            table["black_hole"] = 1 + self.failures.black_hole_site(cores)
        return table


def _parts(rules: Settings) -> list[dict[str, float]]:
    """The entries of RULES of each mechanism that is on."""
    parts = [
        {
            "discipline": DISCIPLINES.index(rules.discipline), "pilot_s": rules.pilot_s,
            "decisions": rules.decisions, "events": rules.events, "attempts": rules.attempts,
            "pending_s": rules.pending_s, "replicate": rules.replicate,
            "heartbeat_s": math.inf, "running_s": math.inf, "requests": rules.requests,
            "kill": rules.kill_at_requested, "requested_factor": rules.requested_factor,
            "reservations": rules.reservations,
        }
    ]  # fmt: skip
    if rules.network:
        parts.append({"level": rules.network.level})
    if rules.storage:
        parts.append({"storage": 1, "output": rules.storage.output})
    if (failing := rules.failures) is not None:
        names = ("most", "early", "early_s", "black_hole_share", "black_hole_s")
        parts.append({"failing": 1, **{name: getattr(failing, name) for name in names}})
    if rules.retries:
        parts.append({"retry_s": rules.retries.delay_s})
    if (limits := rules.limits) is not None:
        parts.append({"limits": 1, **vars(limits)})
    if (cancelling := rules.cancellations) is not None:
        parts.append({"cancelled": cancelling.share, "cancel_s": cancelling.mean_s})
    if (outages := rules.outages) is not None:
        parts.append({
            "outages": 1, "step_s": outages.step_s, "brown": outages.brown,
            "brown_cores": outages.brown_cores, "stay_up": outages.ln_stay(outages.up_s),
            "stay_down": outages.ln_stay(outages.down_s),
            "stay_brown": outages.ln_stay(outages.brown_s),
        })  # fmt: skip
    if rules.defer_s is not None:
        parts.append({"defer": 1, "defer_s": rules.defer_s})
    return parts
