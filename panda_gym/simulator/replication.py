"""Actions on data: replicate the input of the job to be placed, or evict a replica of it.

One action beside the site, an index into 1 + 2 S:

    0            nothing
    1 + s        bring a secondary replica to site s
    1 + S + s    remove the secondary replica of site s

It is done before the job is placed. The mask does not depend on where the job goes. A
replication takes its share of the network and of the quota as a staged input does; its row is
a job of no cores.
"""

from __future__ import annotations

from typing import Any

from panda_gym.jit.compiled import inner, shared
from panda_gym.simulator.dynamics import blank
from panda_gym.simulator.placement import stage_in, transfer
from panda_gym.simulator.replica_index import HELD, in_set
from panda_gym.simulator.storage import claim, complete, drop, find, known, release


@inner
def replicable(w: Any, e: int, j: int) -> bool:
    """Whether job j has an input that lies somewhere."""
    return w.jobs[e, j]["input_bytes"] > 0.0 and known(w, e, w.jobs[e, j]["dataset"])


@shared
def write_data_mask(w: Any, e: int, j: int, mask: Any) -> None:
    """1 where an action on the data of job j can be done; shape of the mask: 1 + 2 S."""
    n = len(w.places)
    mask[:] = 0
    mask[0] = 1
    if j < 0 or not replicable(w, e, j):
        return
    d = w.jobs[e, j]["dataset"]
    size = w.datasets[e, d]["bytes"]
    for s in range(n):
        store = w.stores[e, s]
        mask[1 + s] = not in_set(w, e, d, HELD, s) and store["pinned"] + size <= store["quota"]
    r = w.datasets[e, d]["first"]
    while r >= 0:
        one = w.pool[e, r]
        mask[1 + one["site"]] = 0
        mask[1 + n + one["site"]] = one["there"] > 0 and one["pins"] == 0
        r = one["next"]


@shared
def act_on_data(w: Any, e: int, j: int, action: int) -> None:
    """Do a legal action on the input of job j."""
    n, d = len(w.places), w.jobs[e, j]["dataset"]
    if action > n:
        drop(w, e, find(w, e, d, action - 1 - n))
    elif action > 0:
        replicate(w, e, j, action - 1)


@shared
def replicate(w: Any, e: int, j: int, s: int) -> None:
    """Bring a replica of the input of job j to site s."""
    grid = w.grids[e]
    c = w.rules[0]["first_carrier"] + grid["carriers"]
    grid["carriers"] += 1
    w.jobs[e, c] = w.jobs[e, j]
    w.attempts[e, c] = w.attempts[e, j]
    blank(w, e, c)
    job, track, one = w.jobs[e, c], w.tracks[e, c], w.attempts[e, c]
    job["cores"] = 0
    time, source = stage_in(w, e, s, c)
    track["site"] = s
    track["cores"] = 0
    one["moved"] = job["input_bytes"]
    one["placed"] = grid["clock"]
    one["source"] = source
    grid["copied"] += one["moved"]
    claim(w, e, s, c)
    if time > 0.0:
        transfer(w, e, s, c, time, source)
    else:
        complete(w, e, c, grid["clock"])
        release(w, e, c)
