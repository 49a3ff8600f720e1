"""Actions on data: replicate the input of the job to be placed, or evict a replica of it.

One action beside the site, an index into 1 + 2 S:

    0            nothing
    1 + s        bring a secondary replica to site s
    1 + S + s    remove the secondary replica of site s

The action is carried out before the job is placed, and its mask does not depend on the job's
site. A replication uses network and quota as a stage-in does; its row is a job of 0 cores. A job
placed at that site meanwhile joins its transfer.
"""

from __future__ import annotations

from typing import Any

from panda_gym.jit.compiled import inline, no_inline
from panda_gym.simulator.dynamics import reset_row
from panda_gym.simulator.placement import stage_in, transfer
from panda_gym.simulator.replica_index import HELD, in_set
from panda_gym.simulator.storage import claim, complete, drop, find, known, release


@inline
def replicable(w: Any, e: int, j: int) -> bool:
    """Whether job j has an input that at least one site holds."""
    return w.jobs[e, j]["input_bytes"] > 0.0 and known(w, e, w.jobs[e, j]["dataset"])


@no_inline
def write_data_mask(w: Any, e: int, j: int, mask: Any) -> None:
    """1 where an action on the data of job j is legal; shape of the mask: 1 + 2 S."""
    n = len(w.site_static)
    mask[:] = 0
    mask[0] = 1
    if j < 0 or not replicable(w, e, j):
        return
    d = w.jobs[e, j]["dataset"]
    size = w.datasets[e, d]["bytes"]
    # The last row of all is the next job's; where those before it are used up, nothing begins.
    rows = w.jobs.shape[1] - 1 - w.rules[0]["first_replication"]
    left = w.grids[e]["replications"] < rows
    for s in range(n):
        storage = w.site_storage[e, s]
        fits = left and storage["pinned"] + size <= storage["quota"]
        mask[1 + s] = fits and not in_set(w, e, d, HELD, s)
    r = w.datasets[e, d]["first"]
    while r >= 0:
        one = w.pool[e, r]
        mask[1 + one["site"]] = 0
        mask[1 + n + one["site"]] = one["complete"] > 0 and one["pins"] == 0
        r = one["next"]


@no_inline
def act_on_data(w: Any, e: int, j: int, action: int) -> None:
    """Carry out a legal action on the input of job j."""
    n, d = len(w.site_static), w.jobs[e, j]["dataset"]
    if action > n:
        drop(w, e, find(w, e, d, action - 1 - n))
    elif action > 0:
        replicate(w, e, j, action - 1)


@no_inline
def replicate(w: Any, e: int, j: int, s: int) -> None:
    """Start to replicate the input of job j to site s."""
    grid = w.grids[e]
    c = w.rules[0]["first_replication"] + grid["replications"]
    grid["replications"] += 1
    w.jobs[e, c] = w.jobs[e, j]
    w.attempts[e, c] = w.attempts[e, j]
    reset_row(w, e, c)
    job, job_state, one = w.jobs[e, c], w.job_states[e, c], w.attempts[e, c]
    job["cores"] = 0
    time, source = stage_in(w, e, s, c, -1)
    job_state["site"] = s
    job_state["cores"] = 0
    one["moved_bytes"] = job["input_bytes"]
    one["placed"] = grid["clock"]
    one["source"] = source
    grid["replicated"] += one["moved_bytes"]
    claim(w, e, s, c)
    if time > 0.0:
        transfer(w, e, s, c, time, source)
    else:
        complete(w, e, c, grid["clock"])
        release(w, e, c)
