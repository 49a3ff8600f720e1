"""Render a grid as a table of its busiest sites."""

from __future__ import annotations

import numpy as np

from panda_gym.environments.placement.batch import PlacementBatch


def table(batch: PlacementBatch, e: int, rows: int = 12) -> str:
    """The sites of grid e with the most cores in use, as a table of `rows` lines."""
    now, platform = batch.simulator.snapshot(e), batch.platform
    lines = [
        f"{platform.name}  t = {now.clock_s:.0f} s  job {now.next_job} of {now.jobs}  "
        f"unfinished {now.unfinished}  on the way {now.staging.sum()}",
        f"{'site':<28}{'cores':>8}{'competing':>10}{'used':>8}{'free':>8}{'waiting':>9}{'staging':>9}",
    ]
    for s in np.argsort(-now.used_cores, kind="stable")[:rows]:
        lines.append(
            f"{platform.names[s][:27]:<28}{platform.cores[s]:>8}"
            f"{now.competing_cores[s]:>10}{now.used_cores[s]:>8}"
            f"{now.free_cores[s]:>8}{now.waiting[s]:>9}{now.staging[s]:>9}"
        )
    return "\n".join(lines) + "\n"
