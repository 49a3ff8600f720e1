"""Timeline of a processor: the resources in use over time, with insertion into idle gaps."""

from __future__ import annotations

from bisect import bisect_right

Amounts = tuple[int, ...]


class Timeline:
    """Resources in use on one processor as a step function of time."""

    def __init__(self, capacity: Amounts) -> None:
        self.capacity = capacity
        self.times: list[float] = [0.0]
        """Starts of the steps, s."""
        self.used: list[Amounts] = [(0,) * len(capacity)]
        """Amounts in use from each start on; the last step is empty and does not end."""

    def copy(self) -> Timeline:
        """Return an independent copy."""
        other = Timeline(self.capacity)
        other.times, other.used = list(self.times), list(self.used)
        return other

    def earliest(self, ready: float, duration: float, need: Amounts) -> float:
        """Return the earliest start from `ready` on at which `need` fits for `duration`, s.

        The start may lie in a gap between tasks already placed (insertion). ValueError if the
        need exceeds the capacity.
        """
        k, start = bisect_right(self.times, ready) - 1, ready
        last = len(self.times) - 1
        if not self._fits(last, need):
            raise ValueError(f"need {need} exceeds the capacity {self.capacity}")
        while k < last and not (self._fits(k, need) and self.times[k + 1] >= start + duration):
            if not self._fits(k, need):
                start = self.times[k + 1]
            k += 1
        return start

    def _fits(self, k: int, need: Amounts) -> bool:
        steps = zip(self.used[k], need, self.capacity, strict=True)
        return all(used + more <= most for used, more, most in steps)

    def insert(self, start: float, duration: float, need: Amounts) -> None:
        """Take `need` from `start` on for `duration`, s."""
        if duration <= 0.0:
            return
        first, last = self._cut(start), self._cut(start + duration)
        for k in range(first, last):
            self.used[k] = tuple(u + n for u, n in zip(self.used[k], need, strict=True))

    def _cut(self, time: float) -> int:
        """Make `time` the start of a step; return its position."""
        k = bisect_right(self.times, time) - 1
        if self.times[k] == time:
            return k
        self.times.insert(k + 1, time)
        self.used.insert(k + 1, self.used[k])
        return k + 1
