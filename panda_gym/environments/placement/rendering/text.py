"""Grids as text; knows the state of a batch, never changes it."""

from __future__ import annotations

import numpy as np

from panda_gym.environments.placement.batch import PlacementBatch


def table(batch: PlacementBatch, e: int, rows: int = 12) -> str:
    """The sites of grid e with the most cores in use, as a table of `rows` lines."""
    world, platform = batch.simulator.world, batch.platform
    sites, grid = world.sites[e], world.grids[e]
    lines = [
        f"{platform.name}  t = {grid['clock']:.0f} s  job {grid['cursor']} of {grid['jobs']}  "
        f"unfinished {grid['unfinished']}  on the way {sites['assigned'].sum()}",
        f"{'site':<28}{'cores':>8}{'others':>8}{'used':>8}{'free':>8}{'waiting':>9}{'staging':>9}",
    ]
    for s in np.argsort(-sites["used"], kind="stable")[:rows]:
        one = sites[s]
        lines.append(
            f"{platform.names[s][:27]:<28}{platform.cores[s]:>8}"
            f"{one['competing_cores']:>8}{one['used']:>8}{one['free']:>8}{one['activated']:>9}{one['assigned']:>9}"
        )
    return "\n".join(lines) + "\n"
