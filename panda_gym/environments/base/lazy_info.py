"""Info dictionaries that are filled when they are first read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from panda_gym.deprecated import old_names

Report = Mapping[str, Any]
"""A column, array[E], or a mapping of such, by name."""

TRUNCATED: Final = "TimeLimit.truncated"
"""Whether the episode was truncated: the entry that stable-baselines3 reads in every info."""


class StepInfo:
    """What the E infos of one step say, computed when the first of them is read."""

    __slots__ = ("_names", "_report", "_rows")

    def __init__(self, names: Iterable[str], report: Callable[[], Report]) -> None:
        self._names = frozenset(names)
        self._report: Callable[[], Report] | None = report
        self._rows: list[dict[str, Any]] = []

    def has(self, name: Any) -> bool:
        """Whether infos of this step have an entry of that name."""
        return name in self._names

    def row(self, e: int) -> dict[str, Any]:
        """The entries of episode e as Python numbers."""
        if self._report is not None:
            self._rows, self._report = rows(self._report()), None
        return self._rows[e]


def rows(report: Report) -> list[dict[str, Any]]:
    """Columns as one dictionary of Python numbers a episode."""
    columns = (rows(v) if isinstance(v, Mapping) else _column(v) for v in report.values())
    names = list(report)
    # zip's strict takes a third of the time here
    return [dict(zip(names, row)) for row in zip(*columns)]  # noqa: B905


def _column(values: Any) -> list[Any]:
    return values.tolist() if values.ndim == 1 else list(values)


class LazyInfo(dict[str, Any]):
    """The info of one episode and step: a dictionary that is filled when it is read.

    It equals the filled one, and is pickled and copied as that. Asking for a name that no info of
    the step has fills nothing: stable-baselines3 asks every info for "episode" in every step.
    """

    __slots__ = ("_e", "_step")

    def __init__(self, step: StepInfo, e: int) -> None:
        # Never empty: json takes the entries of a dictionary that looks empty for none.
        self[TRUNCATED] = False
        self._step: StepInfo | None = step
        self._e = e

    def fill(self) -> None:
        """Put in all entries of the step; what was set before stays as it was set."""
        step, self._step = self._step, None
        if step is not None:
            own = dict(dict.items(self))
            dict.update(self, step.row(self._e))
            dict.update(self, own)

    def __missing__(self, name: str) -> Any:
        if self._step is None:
            raise KeyError(name)
        self.fill()
        return self[name]

    def __contains__(self, name: object) -> bool:
        if self._step is not None and self._step.has(name):
            return True
        return dict.__contains__(self, name)

    def get(self, name: str, default: Any = None) -> Any:
        """As of any dictionary."""
        if self._step is not None and self._step.has(name):
            self.fill()
        return dict.get(self, name, default)

    def copy(self) -> dict[str, Any]:
        """A plain dictionary of the same entries."""
        return dict(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


def _after_filling(name: str) -> Callable[..., Any]:
    """The method of a dictionary, on the filled one."""
    method = getattr(dict, name)

    def read(self: LazyInfo, *given: Any, **named: Any) -> Any:
        self.fill()
        return method(self, *given, **named)

    read.__name__, read.__doc__ = name, method.__doc__
    return read


WHOLE: Final = (
    "__iter__", "__reversed__", "__len__", "__repr__", "__eq__", "__ne__", "__or__", "__ror__",
    "__ior__", "__delitem__", "clear", "items", "keys", "pop", "popitem",
    "setdefault", "update", "values",
)  # fmt: skip
"""Methods that need every entry."""

for _name in WHOLE:
    setattr(LazyInfo, _name, _after_filling(_name))


__getattr__ = old_names(__name__)
