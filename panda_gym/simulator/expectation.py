"""Expected ln(bounded slowdown) of the judged jobs in the system: the potential of a reward.

`JOB_STATE.ln_slowdown` of a placed job is what is expected of it: a forecast at the placement, its
true value from the start on. `GRID.expected_ln` sums the changes since the last decision over all
judged jobs. Over an episode these sum to the ln(bounded slowdown) of the jobs as they ended, plus
what is still expected of those that have not ended.
"""

from __future__ import annotations

import math
from typing import Any, Final

from panda_gym.jit.compiled import inline, no_inline
from panda_gym.simulator.failures import failure_chance
from panda_gym.simulator.state import DOWN

SCANNED: Final = 256
"""Running jobs of a site that a forecast looks at, those at the front of its heap."""


@inline
def expect(w: Any, e: int, j: int, ln_slowdown: float) -> None:
    """Set what is expected of attempt j, and add the change to that of the judged jobs."""
    grid, job_state = w.grids[e], w.job_states[e, j]
    if grid["warmup"] <= w.attempts[e, j]["origin"] < grid["judged"]:
        grid["expected_ln"] += ln_slowdown - job_state["ln_slowdown"]
    job_state["ln_slowdown"] = ln_slowdown


@inline
def expected_ln(w: Any, e: int, s: int, j: int, end: float, run: float, since: float) -> float:
    """Expected ln of the bounded slowdown of job j that ends at `end` at site s, failures included.

    A failed attempt, which has been placed at `since`, loses its wait and part of its run; its
    retry is assumed to take as long.
    """
    rules, one = w.rules[0], w.attempts[e, j]
    ideal = max(run * w.site_static[s]["speed"] / w.top_speed, w.bound_s)
    late = max(1.0, (end - one["first_arrival"]) / ideal)
    value = math.log(late)
    if rules["failing"] > 0 and one["attempt"] < rules["attempts"]:
        risk = failure_chance(w, e, s, j)
        again = end - since + rules["retry_s"] - 0.5 * (1.0 - rules["early"]) * run
        value += risk * (math.log(late + max(0.0, again) / ideal) - value)
    return value


@no_inline
def forecast_wait(w: Any, e: int, s: int, cores: int) -> float:
    """Wait for `cores` cores at site s, s, if nothing more is placed there.

    It is the time until the running jobs have released the cores that this job and those before it
    need, or the true work ahead over the cores that competing work leaves, whichever is less: the
    first holds for a short queue, the second for a long one.
    """
    site, now = w.sites[e, s], w.grids[e]["clock"]
    needed = cores + site["committed_cores"] - site["free"]
    if needed <= 0:
        return 0.0
    ahead = max(0.0, site["run_true"] - now * site["used"]) + site["queue_true"]
    wait = ahead / max(1, w.site_static[s]["cores"] - site["competing_cores"])
    if w.site_status[e, s]["status"] == DOWN:
        return wait + w.rules[0]["step_s"] / (1.0 - math.exp(w.rules[0]["stay_down"]))
    return released(w, e, s, needed, now + wait) - now


@inline
def released(w: Any, e: int, s: int, needed: int, latest: float) -> float:
    """When the jobs that run at site s have released `needed` cores, s; `latest` if not before."""
    first, size = w.site_static[s]["first_run"], min(SCANNED, w.sites[e, s]["running"])
    last, at, freed = -math.inf, -1, 0
    while freed < needed:
        when, who = math.inf, -1
        for k in range(size):
            end = w.heap[e, first + k]["time"]
            if end < when and (end > last or (end == last and k > at)):
                when, who = end, k
        if when >= latest:
            return latest
        freed += w.job_states[e, w.heap[e, first + who]["job"]]["cores"]
        last, at = when, who
    return last
