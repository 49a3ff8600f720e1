"""Describe what a placement environment is built from: one setting a field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from panda_gym.environments.placement.named_scenarios import (
    DEFAULT_SCALE,
    SMALL_SCALES,
    named_settings,
)
from panda_gym.errors import KeywordError, SettingError, nearest
from panda_gym.simulator import (
    Cancellations,
    Competing,
    Failures,
    Limits,
    Network,
    Outages,
    Retries,
    Settings,
    Storage,
)
from panda_gym.sites import Platform, load_platform

if TYPE_CHECKING:
    from panda_gym.jobs import JobStream
    from panda_gym.jobs.disturbance import Disturbance
    from panda_gym.jobs.retiming import ArrivalTimes
    from panda_gym.surrogate import Surrogate


Table = TypeVar("Table")


@dataclass(frozen=True, kw_only=True, eq=False)
class Scenario:
    """The keywords of `gymnasium.make("PandaGrid/Placement-v0", ...)`."""

    surrogate: str | Path | Surrogate = "default"
    """Where jobs come from: the name of a shipped surrogate, a sealed folder, or an open one."""
    stream: JobStream | None = None
    """A stream of jobs that is taken instead of the surrogate's."""
    platform: str | Path | Platform = "atlas150"
    """Sites and links: the name of a shipped platform, a file or folder, or a Platform."""
    scale: float = None  # type: ignore[assignment]
    """Factor on the cores of every site (at least one core stays); None: 0.01, and of the small
    shipped platforms 0.1 (`small15`) and 1 (`tiny4`), so that their largest site holds any job."""
    jobs: int = 2000
    """Decisions in an episode; "all" replays the whole stream once, from its first job to its
    last, without warm-up and without residual jobs."""
    start: int | None = None
    """First job of the window of the stream; None: drawn by the episode's seed. At recorded times
    (`load=None`) a window ends within the stream."""
    tail_jobs: int | None = None
    """Further jobs that arrive after the `jobs` judged ones and are not judged. The episode then
    ends when all judged jobs have ended, so that the policy also places their retries; benchmarks
    play it so. None: an episode is `jobs` decisions."""
    running: int | None = None
    """Residual jobs, which run when the episode begins; None: as many as keep `load` of the
    cores busy that competing work leaves."""
    warmup: int = 500
    """Jobs that arrive and are placed by a fixed rule before the first decision."""
    load: float | None = 0.95
    """Offered work / (time x capacity that competing work leaves); None: recorded times."""
    input_scale: float = 1.0
    """Factor on the bytes of every job's input."""
    reward: str = "shaped_slowdown"
    """Name of the reward, see `panda_gym.environments.placement.reward`."""
    costs: Sequence[str] | None = None
    """Names of the costs of a step; None: all but `energy_kwh` and `carbon_kg`, see
    `panda_gym.environments.placement.cost`."""
    staleness_s: float = 300.0
    """The broker's counters are read at multiples of this time, s; 0: at every decision."""
    competing: float | Mapping[str, float] | Competing | None = 0.5
    """Work of others at every site: its mean share, all its settings, or None."""
    network: int | Mapping[str, float] | Network | None = None
    """How transfers share the network: its level (0, 1 or 2), all its settings, or None."""
    storage: bool | Mapping[str, float] | Storage | None = None
    """Replicas that come and go within quotas: on, all its settings, or None."""
    failures: bool | Mapping[str, float] | Failures | None = None
    """Attempts fail as the records of their class and site did: on, all settings, or None."""
    retries: bool | Mapping[str, float] | Retries | None = None
    """Failed and closed attempts come back as new jobs: on, all settings, or None."""
    limits: bool | Mapping[str, float] | Limits | None = None
    """PanDA's time limits hold: on, all settings, or None."""
    cancellations: bool | Mapping[str, float] | Cancellations | None = None
    """Jobs are cancelled from outside: on, all settings, or None."""
    outages: bool | Mapping[str, float] | Outages | None = None
    """Sites go down and come back: on, all settings, or None."""
    discipline: str = "fifo"
    """Which waiting job of a site starts next: fifo, priority, easy or conservative."""
    reservations: int = 500
    """Most waiting jobs of a site that hold a reservation under conservative backfilling."""
    requested_factor: float = 0.0
    """Requested wall time of jobs without a recorded one, as a factor on the predicted run time;
    0: they request none. Requested times serve EASY and conservative backfilling as estimates."""
    kill_at_requested: bool = False
    """Whether a job that runs longer than its requested wall time is killed then."""
    pilot_s: float = 0.0
    """Mean time from taking cores to the run, s."""
    decisions: int = 1
    """Jobs placed at once; an episode's last step may place fewer."""
    defer: bool = False
    """Whether the last action of a job defers it."""
    defer_s: float = 300.0
    """Time after which a deferred job is back, s."""
    pending_s: float = 3600.0
    """A job that arrived this long ago may be deferred no longer, s."""
    data_actions: bool = False
    """Whether each decision has a second part that replicates or evicts data; needs storage."""
    events: int = 0
    """Room for events in each grid's buffer (log level "events"); 0: none are kept."""
    efficiency: float = 0.9
    """CPU efficiency: CPU time / (run time x cores)."""
    bound_s: float = 600.0
    """Bound of the bounded slowdown, s."""
    stream_jobs: int | None = None
    """Jobs drawn from the surrogate, of which episodes are windows; None: as its head has."""
    stream_seed: int = 0
    """Seed of that draw."""
    arrivals: str | Path | ArrivalTimes | None = None
    """Arrival process (or its file, see `panda-grid pipelines fit`) that replaces the arrival times
    of the stream's jobs; None: as recorded. `load` stretches times, and bursts and cycles too."""
    anomaly: str | Mapping[str, Any] | Disturbance | None = None
    """What happens in every episode: its name, a mapping (see `panda_gym.jobs.disturbance`), or
    None. `load` is that of the ordinary jobs."""

    def __post_init__(self) -> None:
        _whole("jobs", self.jobs, 1)
        _whole("warmup", self.warmup, 0)
        if self.start is not None:
            _whole("start", self.start, 0)
        if self.tail_jobs is not None:
            _whole("tail_jobs", self.tail_jobs, 0)
        if self.running is not None:
            _whole("running", self.running, 0)
        if self.stream_jobs is not None:
            _whole("stream_jobs", self.stream_jobs, 1)
        _whole("stream_seed", self.stream_seed, 0)
        if self.load is not None and not (_is_number(self.load) and 0.0 < self.load <= 10.0):
            raise SettingError("a load in (0, 10], or None", repr(self.load), "pass load=0.95")
        if self.scale is None:
            scale = SMALL_SCALES.get(str(self.platform), DEFAULT_SCALE)
            object.__setattr__(self, "scale", scale)
        if not (_is_number(self.scale) and self.scale > 0.0):
            raise SettingError("a scale above 0", repr(self.scale), "pass scale=0.01")
        if not (_is_number(self.input_scale) and 0.0 < self.input_scale <= 1e6):
            raise SettingError("input_scale in (0, 1e6]", repr(self.input_scale), "pass 1.0")
        self.disturbance()
        _whole("decisions", self.decisions, 1)
        _whole("events", self.events, 0)
        _whole("reservations", self.reservations, 1)
        self.settings()

    @classmethod
    def of(cls, **settings: Any) -> Scenario:
        """A scenario from keywords; SettingError names the nearest of an unknown one.

        scenario="saturated" takes the settings of a named scenario where none are given, see
        `panda_gym.environments.placement.named_scenarios`.
        """
        if "scenario" in settings:
            settings = {**named_settings(settings.pop("scenario")), **settings}
        known = [field.name for field in fields(cls)]
        for name in settings:
            if name not in known:
                raise KeywordError.of("PlacementEnv", name, nearest(name, known))
        if isinstance(settings.get("jobs"), str):
            settings = cls._whole_stream(settings)
        return cls(**settings)

    @classmethod
    def _whole_stream(cls, settings: dict[str, Any]) -> dict[str, Any]:
        """Settings of one replay of the whole stream, for jobs="all"."""
        if settings["jobs"] != "all":
            came = repr(settings["jobs"])
            raise SettingError('jobs as a whole number >= 1, or "all"', came, "pass jobs=2000")
        stream = cls(**{**settings, "jobs": 1})._named_stream()
        once = {"start": 0, "warmup": 0, "running": 0}
        return {**settings, "stream": stream, "jobs": len(stream), **once}

    def judged_to_end(self) -> Scenario:
        """The scenario with episodes that end when all judged jobs have ended.

        There are as many further jobs as judged ones, unless `tail_jobs` says how many; none at
        recorded times (`load=None`), which end with the recorded jobs.
        """
        if self.tail_jobs is not None:
            return self
        return replace(self, tail_jobs=0 if self.load is None else self.jobs)

    def settings(self) -> Settings:
        """What the simulator is told; SettingError for a setting out of range."""
        network, storage = self.network, self.storage
        if isinstance(network, int) and not isinstance(network, bool):
            network = Network(level=network)
        if self.data_actions and storage is None:
            storage = Storage()
        return Settings(
            staleness_s=self.staleness_s,
            efficiency=self.efficiency,
            bound_s=self.bound_s,
            competing=self.competing_load(),
            discipline=self.discipline,
            reservations=self.reservations,
            requested_factor=self.requested_factor,
            kill_at_requested=self.kill_at_requested,
            pilot_s=self.pilot_s,
            network=_table(Network, "network", network),
            storage=_table(Storage, "storage", storage),
            failures=_table(Failures, "failures", self.failures),
            retries=_table(Retries, "retries", self.retries),
            limits=_table(Limits, "limits", self.limits),
            cancellations=_table(Cancellations, "cancellations", self.cancellations),
            outages=_table(Outages, "outages", self.outages),
            decisions=self.decisions,
            defer_s=self.defer_s if self.defer else None,
            pending_s=self.pending_s,
            replicate=self.data_actions,
            events=self.events,
        )

    def disturbance(self) -> Disturbance | None:
        """What happens in every episode; StreamError for an unknown name."""
        if self.anomaly is None:
            return None
        from panda_gym.jobs.disturbance import Disturbance

        return Disturbance.of(self.anomaly)

    def competing_load(self) -> Competing | None:
        """The competing load as a table of settings; None where the broker is alone."""
        given = self.competing
        if _is_number(given):
            return Competing(mean=float(given)) if given > 0.0 else None  # type: ignore
        if given is not None and not isinstance(given, Mapping | Competing):
            raise SettingError(
                "competing as a share, a mapping, a Competing or None",
                repr(given),
                "pass competing=0.5",
            )
        return _table(Competing, "competing load", given)

    def open_platform(self) -> Platform:
        """The platform, scaled."""
        if isinstance(self.platform, Platform):
            return self.platform.scaled(self.scale)
        return load_platform(self.platform, scale=self.scale)

    def open_stream(self) -> JobStream:
        """The stream of jobs; the surrogate is opened only if none was given."""
        opened = self._timed(self._named_stream())
        if self.input_scale == 1.0:
            return opened
        return replace(opened, input_bytes=opened.input_bytes * self.input_scale)

    def _timed(self, stream: JobStream) -> JobStream:
        if self.arrivals is None:
            return stream
        from panda_gym.distributions import load_distribution
        from panda_gym.jobs.retiming import retimed

        named = isinstance(self.arrivals, str | Path)
        arrivals = load_distribution(self.arrivals) if named else self.arrivals  # type: ignore[arg-type]
        if not hasattr(arrivals, "first"):
            came = type(arrivals).__name__
            raise SettingError("a distribution of arrivals", came, "fit one to arrivals")
        return retimed(stream, arrivals, self.stream_seed)

    def _named_stream(self) -> JobStream:
        if self.stream is not None:
            return self.stream
        from panda_gym.jobs import JobStream
        from panda_gym.surrogate import Surrogate

        opened = self.surrogate
        if not isinstance(opened, Surrogate):
            opened = Surrogate.open(opened)
        return JobStream.from_surrogate(opened, self.stream_jobs, self.stream_seed)


def _table(kind: type[Table], name: str, given: Any) -> Table | None:
    """A table of settings from True (its defaults), a mapping or itself; None where off."""
    if given is None or given is False:
        return None
    if isinstance(given, kind):
        return given
    if given is True:
        return kind()
    if not isinstance(given, Mapping):
        raise SettingError(f"{name} as True, a mapping or None", repr(given), f"pass {name}=True")
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    for key in given:
        if key not in known:
            raise SettingError(f"a setting of the {name}", repr(key), nearest(str(key), known))
    return kind(**given)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def _whole(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
        raise SettingError(f"a whole number {name} >= {least}", repr(value), f"change {name}=")
