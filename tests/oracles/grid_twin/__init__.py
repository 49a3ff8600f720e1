"""The simulator again, slow and obvious, as SimPy events and Python lists: one grid.

Written from the description of the semantics; shares no code with the kernel. One mechanism a
file, as there, each a class of methods that `GridTwin` gathers. Every quantity that the kernel
keeps as a running sum is counted anew from the lists here. `history` lists what happens, as the
kernel's buffer of events does, flow_rate and refresh left out.
"""

from __future__ import annotations

from tests.oracles.grid_twin.draws import job_uniform, nearly_normal
from tests.oracles.grid_twin.twin import GridTwin

__all__ = ["GridTwin", "job_uniform", "nearly_normal"]
