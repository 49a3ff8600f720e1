"""Resolve what a user names to policies and job streams with labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from panda_gym import oracles
from panda_gym.environments.placement import policies
from panda_gym.environments.placement.policies import Policy
from panda_gym.environments.placement.policies.learned import Learned, is_agent, read_card
from panda_gym.environments.placement.policies.tuned import Tuned
from panda_gym.environments.placement.protocol import FilePolicy, OutsidePolicy, ProcessPolicy
from panda_gym.errors import PolicyError, StreamError, nearest
from panda_gym.jobs import JobStream
from panda_gym.oracles import Oracle

SCALED: Final = "@scaled"
"""Suffix of a policy's name: its constants are scaled with the platform."""

WEIGHTS: Final = "tuned@"
"""Prefix of the scenario whose weights the policy `tuned` uses."""

FILE: Final = "file:"
"""Prefix of a Python file with a function `act`."""

PROCESS: Final = "process:"
"""Prefix of a command that answers requests for decisions in JSON lines."""

PolicyOrOracle = Policy | Oracle
PolicyLike = str | Path | Policy | Oracle
StreamLike = str | Path | JobStream


@dataclass(frozen=True)
class Stream:
    """A source of jobs: its label and the environment's settings for it."""

    label: str
    settings: Mapping[str, Any] = field(compare=False)
    """`stream=` or `surrogate=` of the environment."""


def find_policies(
    given: Iterable[PolicyLike] | Mapping[str, PolicyLike], scale: float
) -> dict[str, PolicyOrOracle]:
    """Return policies by label, in order.

    Each is a registered name, an agent's folder, a policy, "oracle:" and the name of an oracle,
    which sees what no policy may, "file:" and a Python file with a function `act`, or "process:"
    and a command that answers in JSON lines (`placement.protocol`). "NAME@scaled" scales a policy's
    constants with the platform, and "tuned@SCENARIO" uses the weights of a scenario. A mapping sets
    the labels.

    Raises:
        PolicyError: an unknown name (the nearest is suggested), or a label used twice.
    """
    if isinstance(given, (str, Path, Policy, Oracle)):
        given = [given]
    named = given.items() if isinstance(given, Mapping) else [(None, one) for one in given]
    found: dict[str, PolicyOrOracle] = {}
    for label, one in named:
        own, policy = _policy(one, scale)
        _add(found, label or own, policy, PolicyError)
    if not found:
        raise PolicyError("at least one policy", "none", f"name some of {policies.names()}")
    return found


def find_streams(given: Iterable[StreamLike] | Mapping[str, StreamLike]) -> list[Stream]:
    """Return streams in order.

    Each is a JobStream, the name or folder of a surrogate, a trace (.swf, .swf.gz), or a file of
    a stream or of records (.parquet, .csv, .csv.gz). A mapping sets the labels.

    Raises:
        StreamError: a source that cannot be read, or a label used twice.
    """
    if isinstance(given, (str, Path, JobStream)):
        given = [given]
    named = given.items() if isinstance(given, Mapping) else [(None, one) for one in given]
    found: dict[str, Mapping[str, Any]] = {}
    for label, one in named:
        own, settings = _stream(one)
        _add(found, label or own, settings, StreamError)
    if not found:
        raise StreamError("at least one stream", "none", "pass for example streams=['default']")
    return [Stream(label, settings) for label, settings in found.items()]


def _policy(one: PolicyLike, scale: float) -> tuple[str, PolicyOrOracle]:
    if isinstance(one, OutsidePolicy):
        return one.label, one
    if isinstance(one, (Policy, Oracle)):
        return _registered(one), one
    if isinstance(one, str):
        one = policies.current_name(one)
    if isinstance(one, str) and one.startswith(oracles.PREFIX):
        return one, oracles.create(one.removeprefix(oracles.PREFIX))
    if isinstance(one, str) and one.startswith(FILE):
        return one, FilePolicy(one.removeprefix(FILE))
    if isinstance(one, str) and one.startswith(PROCESS):
        return one, ProcessPolicy(one.removeprefix(PROCESS))
    if isinstance(one, str) and one.startswith(WEIGHTS):
        return one, policies.create("tuned", weights=one.removeprefix(WEIGHTS))
    if isinstance(one, str) and one.endswith(SCALED):
        return one, policies.create(one.removesuffix(SCALED), constant_scale=scale)
    if isinstance(one, str) and one in policies.REGISTRY:
        return one, policies.create(one)
    if not isinstance(one, (str, Path)):
        raise PolicyError("a policy, its name or an agent's folder", repr(one), "pass one of these")
    if is_agent(one) or Path(one).is_dir():
        path = Path(one).resolve()
        return (path.parent.name if path.name == "agent" else path.name), Learned(one)
    hint = nearest(str(one), policies.REGISTRY)
    raise PolicyError("the name of a policy or an agent's folder", repr(str(one)), hint)


def _registered(policy: PolicyOrOracle) -> str:
    """Return the registered name of a policy's class, else the name of the class."""
    path = f"{type(policy).__module__}:{type(policy).__qualname__}"
    return _TARGETS.get(path, type(policy).__name__)


_TARGETS: Final = {
    **{f"{policies.__name__}.{target}": name for name, target in policies.REGISTRY.items()},
    **{target: oracles.PREFIX + name for name, target in oracles.REGISTRY.items()},
}
"""Registered name by "module:Class"."""


def _stream(one: StreamLike) -> tuple[str, Mapping[str, Any]]:
    if isinstance(one, JobStream):
        return one.name, {"stream": one}
    if not isinstance(one, (str, Path)):
        raise StreamError("a stream, a surrogate's name or a file", repr(one), "pass one of these")
    path = Path(one)
    if not path.is_file():
        return (path.name if path.is_dir() else str(one)), {"surrogate": one}
    return path.name, {"stream": _from_file(path)}


def _from_file(path: Path) -> JobStream:
    name = path.name.lower()
    if name.endswith((".swf", ".swf.gz")):
        return JobStream.from_swf(path)
    if name.endswith(".parquet"):
        try:
            return JobStream.load(path)
        except StreamError:
            pass  # a table of records; its reader reports damage
    from panda_gym.records import load_records
    from panda_gym.schema import STREAM_EXTRAS

    return JobStream.from_records(load_records(path, optional=STREAM_EXTRAS), name=path.name)


def _add(found: dict[str, Any], label: str, value: Any, error: type[Any]) -> None:
    if label in found:
        raise error("labels that differ", f"{label!r} twice", "pass a mapping of label to entry")
    found[label] = value


def describe(policy: PolicyOrOracle) -> dict[str, Any] | None:
    """Return name and settings of a policy as JSON; None for a class that is not registered."""
    if _registered(policy) not in _TARGETS.values():
        return None
    settings = {
        entry.name: _plain(getattr(policy, entry.name))
        for entry in fields(policy)  # type: ignore[arg-type]
        if entry.init
    }
    if isinstance(policy, Learned):
        settings["weights_sha256"] = read_card(policy.folder)["weights_sha256"]
    if isinstance(policy, Tuned):
        settings["row"] = policy.row.tolist()
    return {"name": _registered(policy), "settings": settings}


def _plain(value: Any) -> Any:
    return value if isinstance(value, (int, float, str, bool, type(None))) else str(value)
