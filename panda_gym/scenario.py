"""What an environment is built from; knows settings, never how the simulation runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panda_gym.errors import SettingError, nearest
from panda_gym.scenarios import named_settings
from panda_gym.simulator.competing import Competing
from panda_gym.sites import Platform, load_platform

if TYPE_CHECKING:
    from panda_gym.jobs import JobStream
    from panda_gym.surrogate import Surrogate


@dataclass(frozen=True, kw_only=True, eq=False)
class Scenario:
    """The keywords of `gymnasium.make("PandaGrid/Placement-v0", ...)`."""

    surrogate: str | Path | Surrogate = "default"
    """Where jobs come from: the name of a shipped surrogate, a sealed folder, or an open one."""
    stream: JobStream | None = None
    """A stream of jobs that is taken instead of the surrogate's."""
    platform: str | Path | Platform = "atlas150"
    """Sites and links: the name of a shipped platform, a file or folder, or a Platform."""
    scale: float = 0.01
    """Factor on the cores of every site (at least one core stays)."""
    jobs: int = 2000
    """Decisions in an episode."""
    running: int | None = None
    """Jobs under way when the episode begins; None: as many as keep `load` of the cores busy
    that competing work leaves."""
    warmup: int = 500
    """Jobs that arrive and are placed by a fixed rule before the first decision."""
    load: float | None = 0.95
    """Offered work / (time x capacity that competing work leaves); None: recorded times."""
    input_scale: float = 1.0
    """Factor on the bytes of every job's input."""
    reward: str = "predicted"
    """Name of the reward, see `panda_gym.reward`."""
    staleness_s: float = 300.0
    """The broker's counters are read at multiples of this time, s; 0: at every decision."""
    competing: float | Mapping[str, float] | Competing | None = 0.5
    """Work of others at every site: its mean share, all its settings, or None."""
    efficiency: float = 0.9
    """CPU efficiency: CPU time / (run time x cores)."""
    bound_s: float = 600.0
    """Bound of the bounded slowdown, s."""
    stream_jobs: int | None = None
    """Jobs drawn from the surrogate, of which episodes are windows; None: one week of them."""
    stream_seed: int = 0
    """Seed of that draw."""

    def __post_init__(self) -> None:
        _whole("jobs", self.jobs, 1)
        _whole("warmup", self.warmup, 0)
        if self.running is not None:
            _whole("running", self.running, 0)
        if self.stream_jobs is not None:
            _whole("stream_jobs", self.stream_jobs, 1)
        _whole("stream_seed", self.stream_seed, 0)
        if self.load is not None and not (_is_number(self.load) and 0.0 < self.load <= 10.0):
            raise SettingError("a load in (0, 10], or None", repr(self.load), "pass load=0.95")
        if not (_is_number(self.scale) and self.scale > 0.0):
            raise SettingError("a scale above 0", repr(self.scale), "pass scale=0.01")
        if not (_is_number(self.input_scale) and 0.0 < self.input_scale <= 1e6):
            raise SettingError("input_scale in (0, 1e6]", repr(self.input_scale), "pass 1.0")
        self.competing_load()

    @classmethod
    def of(cls, **settings: Any) -> Scenario:
        """A scenario from keywords; SettingError names the nearest of an unknown one.

        scenario="saturated" takes the settings of a named scenario where none are given, see
        `panda_gym.scenarios`.
        """
        if "scenario" in settings:
            settings = {**named_settings(settings.pop("scenario")), **settings}
        known = [field.name for field in fields(cls)]
        for name in settings:
            if name not in known:
                raise SettingError("a setting of the environment", repr(name), nearest(name, known))
        return cls(**settings)

    def competing_load(self) -> Competing | None:
        """The competing load as a table of settings; None where the broker is alone."""
        given = self.competing
        if given is None or isinstance(given, Competing):
            return given
        if isinstance(given, Mapping):
            known = [field.name for field in fields(Competing)]
            for name in given:
                if name not in known:
                    raise SettingError(
                        "a setting of the competing load", repr(name), nearest(str(name), known)
                    )
            return Competing(**given)
        if not _is_number(given):
            raise SettingError(
                "competing as a share, a mapping, a Competing or None",
                repr(given),
                "pass competing=0.5",
            )
        return Competing(mean=float(given)) if given > 0.0 else None

    def open_platform(self) -> Platform:
        """The platform, scaled."""
        if isinstance(self.platform, Platform):
            return self.platform.scaled(self.scale)
        return load_platform(self.platform, scale=self.scale)

    def open_stream(self) -> JobStream:
        """The stream of jobs; the surrogate is opened only if none was given."""
        opened = self._named_stream()
        if self.input_scale == 1.0:
            return opened
        return replace(opened, input_bytes=opened.input_bytes * self.input_scale)

    def _named_stream(self) -> JobStream:
        if self.stream is not None:
            return self.stream
        from panda_gym.jobs import JobStream
        from panda_gym.surrogate import Surrogate

        opened = self.surrogate
        if not isinstance(opened, Surrogate):
            opened = Surrogate.open(opened)
        return JobStream.from_surrogate(opened, self.stream_jobs, self.stream_seed)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def _whole(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
        raise SettingError(f"a whole number {name} >= {least}", repr(value), f"change {name}=")
