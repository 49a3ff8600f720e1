"""The heap against sorting; its functions run as plain Python here."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from panda_gym.jit import heap
from panda_gym.jit.heap import ENTRY


@given(st.lists(st.integers(0, 6), max_size=60), st.integers(0, 3))
def test_entries_leave_by_time_then_job(times, first):
    entries = np.zeros(first + len(times) + 1, ENTRY)
    for job, time in enumerate(times):
        plain(heap.push)(entries, first, job, float(time), job)
    taken = [plain(heap.pop)(entries, first, size) for size in range(len(times), 0, -1)]
    assert taken == [job for _, job in sorted((time, job) for job, time in enumerate(times))]
    assert (entries[:first]["time"] == 0.0).all()


def plain(function):
    """The Python function behind a compiled one, calling plain ones."""
    source = getattr(function, "py_func", function)
    scope = {**source.__globals__, "before": before, "put": put}
    return type(source)(source.__code__, scope)


before = getattr(heap.before, "py_func", heap.before)
put = getattr(heap.put, "py_func", heap.put)
