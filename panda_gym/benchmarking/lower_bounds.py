"""Proven lower bounds on the objective of the worlds of a benchmark, and the distance to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from panda_gym.benchmarking.table import BenchmarkTable
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.oracles import PREFIX
from panda_gym.oracles.relaxation import lower_bound

PLAN: Final = PREFIX + "clairvoyant"
"""The oracle whose distance to the bound is stated."""
OBJECTIVE: Final = "geometric_slowdown"
"""The measure that the bound is on; also its key in the provenance of a table."""


def lower_bounds(scenario: Scenario, seeds: Sequence[int]) -> list[dict[str, float]]:
    """Return for each seed the bound with capacity ("geometric_slowdown") and without ("alone").

    PolicyError for worlds that the bound does not cover, see `panda_gym.oracles.relaxation`.
    """
    batch = PlacementBatch(scenario, 1)
    found = []
    for seed in seeds:
        # An episode depends on its seed alone, not on the other grids of a batch.
        batch.begin([(0, np.random.default_rng(seed))])
        bound = lower_bound(batch, 0)
        found.append({OBJECTIVE: bound.geometric_slowdown, "alone": bound.alone})
    return found


def distance(table: BenchmarkTable, stream: str) -> str:
    """Return what is proven about a stream, in two sentences; "" where no bound was computed."""
    known = table.provenance.get("lower_bound", {}).get(stream)
    if not known or PLAN not in table.policies:
        return ""
    least, alone = (_geometric([one[key] for one in known]) for key in (OBJECTIVE, "alone"))
    plan = float(np.exp(np.log(table.values(PLAN, OBJECTIVE, stream)).mean()))
    return (
        f"Proven: no policy gets below {least:.3f}, whatever it knows (geometric mean bounded "
        f"slowdown; {alone:.3f} if each job had the grid to itself). The plan of `{PLAN}` reaches "
        f"{plan:.3f}, so the best possible is at most {1.0 - least / plan:.1%} below it."
    )


def _geometric(values: Sequence[float]) -> float:
    return float(np.exp(np.mean(np.log(values))))
