"""Errors for bad input: each says what was needed, what came, and what to do.

```text
InputError (ValueError)
├── RecordsError      a table of job records, or a file of one
├── PlatformError     sites and links
├── StreamError       a stream of jobs, or a trace file
├── SurrogateError    a sealed folder, its seal or its certificate
├── WorkflowError     a workflow, its file, or what it needs of the machine
├── InstanceError     an instance of joint placement, its file, or a schedule of it
├── PipelineError     an operation of pipelines: graphs, models, triggers, clusters, experiments
├── DistributionError samples that no distribution fits, or a saved distribution
├── SettingError      an environment's configuration or an action
│   └── KeywordError  a keyword that does not exist; also a TypeError
├── PolicyError       a policy's name, configuration or answer
└── SeedError         a seed of the wrong type or sign
```
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from panda_gym.deprecated import old_names

__all__ = [
    "DistributionError",
    "InputError",
    "InstanceError",
    "KeywordError",
    "PipelineError",
    "PlatformError",
    "PolicyError",
    "RecordsError",
    "SeedError",
    "SettingError",
    "StreamError",
    "SurrogateError",
    "WorkflowError",
    "check_seed",
    "nearest",
]

__getattr__ = old_names(__name__)


class InputError(ValueError):
    """Bad input: says what was needed, what came, and what to do.

    `gymnasium.make` and `AsyncVectorEnv` make an error anew from its text alone: then `needed` is
    the whole text, and the other parts are empty.
    """

    def __init__(self, needed: str, came: str = "", do: str = "") -> None:
        super().__init__(f"needed {needed}; got {came}; {do}" if came or do else needed)
        self.needed, self.came, self.do = needed, came, do

    def __reduce__(self) -> tuple[Any, ...]:
        """Cross to another process whole: an exception is rebuilt from what made it."""
        return type(self), (self.needed, self.came, self.do)


class RecordsError(InputError):
    """A table of job records that cannot be used."""


class PlatformError(InputError):
    """A platform (sites and links) that cannot be used."""


class StreamError(InputError):
    """A stream of jobs, or a trace file, that cannot be used."""


class SurrogateError(InputError):
    """A sealed surrogate that is missing, altered, uncertified or failing."""


class WorkflowError(InputError):
    """A workflow that cannot be used: its graph, its sets, its file, or its needs."""


class InstanceError(InputError):
    """An instance of joint placement that cannot be used, or a schedule that does not fit it."""


class PipelineError(InputError):
    """Pipelines that cannot be operated: their graph, models, triggers, clusters or runs."""


class DistributionError(InputError):
    """Samples that no distribution can be fitted to, or a saved distribution that is damaged."""


class SettingError(InputError):
    """An environment that cannot be built, or was used out of order."""


class KeywordError(SettingError, TypeError):
    """A keyword that does not exist, in Python's own words, so that libraries fall back.

    stable-baselines3 and torchrl try keywords such as render_mode and catch the TypeError.
    """

    def __init__(self, message: str) -> None:
        ValueError.__init__(self, message)  # gymnasium.make makes it anew from its text
        self.needed, self.came, self.do = "a known keyword", message, "see the documentation"

    @classmethod
    def of(cls, owner: str, keyword: str, do: str) -> KeywordError:
        """Return the error of a class that was given an unknown keyword."""
        return cls(f"{owner}.__init__() got an unexpected keyword argument {keyword!r}; {do}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Cross to another process whole: an exception is rebuilt from what made it."""
        return type(self), (str(self),)


class PolicyError(InputError):
    """A policy that does not exist or answered with nonsense."""


class SeedError(InputError):
    """A seed that is not a non-negative integer."""


def check_seed(seed: Any) -> int:
    """Return `seed` as an int; refuse floats, strings, booleans and negatives."""
    if isinstance(seed, bool) or not hasattr(seed, "__index__") or int(seed) < 0:
        raise SeedError("a non-negative integer seed", f"{seed!r}", "pass for example seed=0")
    return int(seed)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint that names the known entries closest to a mistyped one."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    return (
        "did you mean " + " or ".join(close) + "?" if close else "choose one of " + ", ".join(known)
    )
