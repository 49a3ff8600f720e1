"""The state of a batch of grids as arrays: every array of the kernel, its fields and units.

Sizes: E grids, S sites, N jobs of an episode, R rows (job attempts), K jobs placed at once,
F features of the observation, A actions, D datasets. Time is in seconds from the episode's start
(float64), work in core seconds unless a name says Gflop, data in bytes. Every random quantity is
drawn before the episode or is a hash of (episode seed, site, number of the change), so that no
draw depends on the order of events.

| array of `World` | record, shape | what it holds | written by | read by |
|---|---|---|---|---|
| `site_static` | SITE_STATIC[S] | cores, speed, power of each site | `simulator` | all |
| `links` | float64[S, 2, S] | start-up s and s/byte from each source | `simulator` | `placement`, `flows`, `dynamics`, `log` |
| `link_costs` | float32[S, 3, S] | the same and the closeness code, for the observation | `simulator` | `counters`, `replica_index` |
| `closeness` | int8[S, S] | steps of distance between sites | `simulator` | `replica_index` |
| `daily_phase` | float32[bins, 2] | sine and cosine of a full period | `simulator` | `counters` |
| `cycle`, `trace` | float64[bins], float64[T, 1 or S] | factors on, or shares of, the competing load | `simulator` | `competing` |
| `rules` | RULES[1] | the settings of every mechanism | `settings` | all |
| `grids` | GRID[E] | clock, sizes of the queues, sums since the last decision | `kernel`, `dynamics` | all |
| `sites` | SITE[E, S] | cores in use, queue, competing load | `dynamics`, `queues`, `competing`, `outages` | all |
| `site_status` | SITE_STATUS[E, S] | up, brown-out or down; recent share of failures | `outages`, `dynamics` | `dynamics`, `failures`, `counters` |
| `site_counters` | SITE_COUNTERS[E, S] | what the broker last read, and what it has placed since | `counters` | `counters` |
| `site_storage` | SITE_STORAGE[E, S] | quota, bytes kept, flows that leave and come | `storage`, `flows` | `storage`, `flows`, `replication` |
| `jobs` | JOB[E, R] | what is given of each job: arrival, work, input | `simulator`; `dynamics` for retries | all |
| `job_states` | JOB_STATE[E, R] | what has happened to each attempt | `placement`, `dynamics`, `queues` | all |
| `attempts` | ATTEMPT[E, R] | times, draw key, source of each attempt | `placement`, `dynamics` | `failures`, `limits`, `log` |
| `requests` | REQUEST[E, R] | requested wall time and reserved start of each attempt | `simulator`, `reservations` | `run_times`, `reservations` |
| `available`, `boundaries` | AVAILABLE, ENTRY[E, ...] | scratch of conservative backfilling: free cores over time | `reservations` | `reservations` |
| `flows`, `flow_heap` | FLOW[E, R], ENTRY[E, R] | transfers that share the network; their ends as a heap | `flows` | `dynamics` |
| `pool`, `datasets`, `holders` | REPLICA, DATASET, uint64 | replicas, datasets, and bit sets of the sites that hold them | `storage` | `placement`, `counters`, `replication` |
| `transfers` | TRANSFER[E, P] | the transfer that brings each incomplete replica, and who waits for it | `storage` | `dynamics`, `placement`, `log` |
| `row_datasets`, `read_times`, `read_closeness` | int32, float32, int8 | least time to read a dataset at each site, cached | `replica_index` | `counters` |
| `heap` | ENTRY[E, ...] | three kinds of heaps: ends of running jobs (one a site), the event queue (stage-ins, cancellations), returns (retries, deferred jobs) | `dynamics`, `placement` | `dynamics`, `kernel` |
| `block_leaders`, `next_events` | int32, float64 | the next event of each site and of each block of sites | `dynamics` | `dynamics` |
| `seen_queue` | float32[E, 2, S] | work ahead and spare cores of each site, as counted | `counters` | `counters` |
| `log` | EVENT[E, events] | the log level "events" | `events` | `Simulator.events` |
| `pending` | int32[E, K] | rows of the jobs that wait for a decision, -1 none | `kernel` | `kernel`, `counters` |
| `flat`, `mask` | float32[E, K, F], int8[E, K, A] | the observation and the legal actions | `counters` | environments |
| `outcome` | OUTCOME[E, K] | what each decision led to | `placement`, `kernel` | rewards, costs |

Events at equal times run in the order of one key, (time, kind, site, serial):

| kind | event | serial |
|---|---|---|
| 0 | site: end of a job, change of the competing load, change of status, loss of the heartbeat | site, then this order, then row of the job |
| 1 | end of a flow | row of the job |
| 2 | event queue: stage-ins at a fixed rate, then cancellations | row of the job |
| 3 | time limit: assigned, then activated | order of entry |
| 4 | reading of the counters | none |
| 5 | arrival: jobs of the stream, then retries and deferred jobs | row of the job |
"""  # noqa: E501

from __future__ import annotations

from typing import Annotated, Final, NamedTuple

import numpy as np

from panda_gym.jit.heap import ENTRY

Array = np.ndarray

BLOCK: Final = 16
"""Sites of one block: the earliest event of a block has one entry in `World.next_events`."""

SITE_ROWS: Final = (
    "cores", "power", "free_cores", "running", "activated", "assigned", "queued_work",
    "wait", "transfer", "run", "local_share", "closeness", "disk_free", "failure_rate", "online",
)  # fmt: skip
"""Rows of the observation of the sites, in the order in which the kernel writes them."""

JOB_ROWS: Final = ("cores", "workload_pred", "input_bytes", "input_files")
GRID_ROWS: Final = (
    "counter_age", "free_share", "queued_share",
    "hour_sin", "hour_cos", "week_sin", "week_cos", "progress",
)  # fmt: skip

SITE_STATIC: Final = np.dtype(
    [
        ("cores", "i8"),
        ("speed", "f8"),  # Gflop/s per core, CPU efficiency included
        ("power", "f8"),  # HS23 per core
        ("disk_tb", "f8"),
        ("share", "f8"),  # mean share of the cores in use by competing work
        ("first_run", "i8"),  # where the heap of its running jobs begins in `World.heap`
        ("by_cores", "i8"),  # the k-th entry: the site with the k-th most cores
        ("cumulative", "f8"),  # capacity (Gflop/s) summed in that order
    ],
    align=True,
)
"""The constants of a site: 64 bytes."""

STATES: Final = (
    "pending", "assigned", "activated", "starting", "running",
    "finished", "failed", "closed", "cancelled",
)  # fmt: skip
"""States of a job attempt, by code. From `finished` on a state is final: a retry is a new row."""

PENDING, ASSIGNED, ACTIVATED, STARTING, RUNNING, FINISHED, FAILED, CLOSED, CANCELLED = range(9)

CAUSES: Final = (
    "none", "early", "late", "running_limit", "heartbeat", "assigned_limit", "activated_limit",
    "cancelled", "requested_limit", "black_hole",
)  # fmt: skip
"""Why an attempt did not finish, by code."""

(
    NO_CAUSE, EARLY, LATE, RUNNING_LIMIT, HEARTBEAT, ASSIGNED_LIMIT, ACTIVATED_LIMIT, BY_HAND,
    REQUESTED_LIMIT, BLACK_HOLE,
) = range(len(CAUSES))  # fmt: skip

KINDS: Final = (
    "arrival", "placement", "deferral", "activation", "cores_taken", "end", "retry",
    "flow_start", "flow_rate", "flow_end", "replica_begun", "replica_there", "replica_gone",
    "output", "site_up", "site_brown", "site_down", "competing_load", "refresh",
)  # fmt: skip
"""Kinds of events, by code; `panda_gym.simulator.log` says what each row holds."""

EVENT: Final = np.dtype(
    [
        ("time", "f8"),  # s
        ("bytes", "f8"),  # bytes, or B/s for flow_rate
        ("job", "i4"),  # row of the attempt, -1 none
        ("site", "i4"),  # where, -1 nowhere
        ("other", "i4"),  # depends on the kind, -1 nothing
        ("kind", "i4"),  # index of KINDS
    ],
    align=True,
)
"""One event of the log level "events": 32 bytes."""

GRID: Final = np.dtype(
    [
        ("clock", "f8"),  # s, now
        ("refreshed", "f8"),  # s, when the counters were last refreshed
        ("clock_0", "f8"),  # s since Monday 00:00 UTC at time 0
        ("area", "f8"),  # job s: integral of the unfinished jobs since the last decision
        ("ended_gflop", "f8"),  # Gflop computed by the jobs ended since the last decision
        ("ended_ln", "f8"),  # their sum of ln(bounded slowdown)
        ("expected_ln", "f8"),  # growth since then of what is expected of the judged jobs
        ("seen_free", "f8"),  # cores, sum over sites of the free counter
        ("seen_queued", "f8"),  # core s, sum over sites of the queued_work counter
        ("seed", "u8"),  # of the episode
        ("jobs", "i4"),  # N
        ("warmup", "i4"),  # the first so many are not the policy's
        ("cursor", "i4"),  # next job of the stream to be placed; N at the end
        ("queued_events", "i4"),  # size of the event queue: stage-ins, cancellations
        ("unfinished", "i4"),  # jobs that arrived and have not ended for good
        ("ended", "i4"),  # jobs ended for good since the last decision
        ("decided", "i4"),  # decisions made by the policy
        ("judged", "i4"),  # rows from `warmup` to before this one are judged; N by default
        ("judged_left", "i4"),  # judged jobs that have not ended for good
        ("until_ended", "i4"),  # 1: the episode ends when no judged job is left
        ("done", "i4"),  # 1: the policy has no more decisions to make
        ("next_job", "i4"),  # row of the job that the last observation shows, -1 none
        ("rows", "i4"),  # rows in use: the stream's jobs, then retries
        ("replications", "i4"),  # rows in use for replications, from RULES.first_replication on
        ("returning", "i4"),  # size of the heap of returns: retries and deferred jobs
        ("flows", "i4"),  # running transfers between sites: size of the heap of flows
        ("next_limit", "f8"),  # s, when the next time limit expires; inf: none
        ("first_assigned", "i4"),  # first of the list of assigned jobs, -1 none
        ("last_assigned", "i4"),
        ("first_activated", "i4"),  # first of the list of activated jobs, -1 none
        ("last_activated", "i4"),
        ("datasets", "i4"),  # datasets of the episode
        ("free_replica", "i4"),  # first free record of `World.pool`, -1 none
        ("replicas", "i4"),  # records of `World.pool` ever in use
        ("next_site", "i4"),  # site of the next event, when last searched (prefetch hint)
        ("next_row", "i4"),  # row of `World.read_times` to be reused next
        ("events", "i4"),  # events recorded
        ("events_lost", "i4"),  # events dropped because the buffer was full
        ("wasted", "f8"),  # core s held by attempts that ended unfinished since the last decision
        ("closures", "i4"),  # attempts closed since then
        ("failures", "i4"),  # attempts failed since then
        ("overrun", "f8"),  # bytes that exceeded the quota of their site since then
        ("replicated", "f8"),  # bytes of the replications requested since then
    ],
    align=True,
)
"""One grid of the batch."""

SITE: Final = np.dtype(
    [
        ("run_pred", "f8"),  # core s: sum over running jobs of cores x predicted end
        ("run_true", "f8"),  # core s: the same of the true ends
        ("queue_pred", "f8"),  # core s: predicted work of jobs assigned or activated
        ("queue_true", "f8"),  # core s: the same, true
        ("load", "f8"),  # 1: state of the competing load's AR(1), variance 1
        ("load_change", "f8"),  # s: when the competing load changes next; inf: never
        ("load_changes", "i4"),  # how often it has changed
        ("free", "i4"),  # idle cores; below 0: owed to competing work
        ("used", "i4"),  # cores of running jobs
        ("competing_cores", "i4"),  # cores of competing work
        ("widest", "i4"),  # cores always left for the broker: those of the widest job that fits
        ("committed_cores", "i4"),  # cores of jobs assigned or activated
        ("assigned", "i4"),  # jobs whose input is in transfer
        ("activated", "i4"),  # jobs that wait for cores: length of the queue
        ("running", "i4"),  # jobs that run: size of the site's heap
        ("head", "i4"),  # first job of the queue, -1 none
        ("tail", "i4"),  # last job of the queue, -1 none
        ("offline_cores", "i4"),  # cores that a brown-out has taken away
    ],
    align=True,
)
"""One site of one grid, 96 bytes.

free + used + competing_cores + offline_cores == cores."""

SITE_STATUS: Final = np.dtype(
    [
        ("status", "i4"),  # UP, BROWN or DOWN
        ("changes", "i4"),  # how often it has changed
        ("risk", "f8"),  # factor of the site on a job's probability to fail
        ("failure_rate", "f8"),  # recent share of attempts that did not finish
        ("since", "f8"),  # s, when its status changed last
        ("next_change", "f8"),  # s, when its status changes next; inf: never
        ("heartbeat_loss", "f8"),  # s, when its running jobs fail by a lost heartbeat; inf: never
    ],
    align=True,
)
"""Whether a site is up: 40 bytes."""

UP, BROWN, DOWN = range(3)

SITE_COUNTERS: Final = np.dtype(
    [
        ("free", "f4"),  # cores
        ("activated", "f4"),
        ("assigned", "f4"),
        ("queued", "f4"),  # core s
        ("work", "f4"),  # core s, that of the running jobs included
        ("per_core", "f4"),  # 1 / cores not in use by competing work
    ],
    align=True,
)
"""The counters that the broker last read of a site, and its own placements since: 24 bytes."""

SITE_STORAGE: Final = np.dtype(
    [
        ("quota", "f8"),  # bytes for secondary replicas and outputs
        ("used", "f8"),  # bytes of them
        ("pinned", "f8"),  # bytes of those in use by a job
        ("oldest", "i4"),  # least recently used replica, -1 none
        ("newest", "i4"),  # most recently used replica, -1 none
        ("cap", "f8"),  # bytes/s, capacity outgoing, and the same incoming
        ("outgoing", "i4"),  # outgoing flows
        ("incoming", "i4"),  # incoming flows
        ("first_out", "i4"),  # head of the list of outgoing flows, -1 none
        ("first_in", "i4"),  # head of the list of incoming flows, -1 none
        ("spare_out", "f8"),  # scratch of max-min fairness, bytes/s
        ("spare_in", "f8"),
        ("open_out", "i4"),  # scratch: flows not yet fixed
        ("open_in", "i4"),
    ],
    align=True,
)
"""Disk and network of a site."""

REPLICA: Final = np.dtype(
    [
        ("bytes", "f8"),  # 0: an input on its way that will not be kept
        ("dataset", "i4"),  # -1: the output of a job
        ("pins", "i4"),  # jobs that use it and have not ended
        ("older", "i4"),  # neighbours in the order of last use at its site, -1 none
        ("newer", "i4"),
        ("next", "i4"),  # next secondary replica of its dataset, or next free one
        ("site", "i2"),
        ("complete", "i2"),  # 1 once it can be read
    ],
    align=True,
)
"""A secondary replica or an output; both count against a quota: 32 bytes."""

TRANSFER: Final = np.dtype(
    [
        ("carrier", "i4"),  # row that began the transfer; -1: the replica is complete
        ("first", "i4"),  # list of the jobs that joined it, in order of placement, -1 none
        ("last", "i4"),
    ],
    align=True,
)
"""The transfer that brings a replica, at the record of the replica: 12 bytes.

The list may hold jobs that have left since. The carrier's row keeps the transfer, and its bytes,
even if the carrier leaves before it ends."""

DATASET: Final = np.dtype(
    [
        ("bytes", "f8"),
        ("first", "i4"),  # head of the list of its secondary replicas, -1 none
        ("jobs", "i4"),  # its jobs placed and not ended
        ("primary", "i4", (3,)),  # sites of its permanent replicas, -1 none
        ("row", "i4"),  # its row of `World.read_times`, -1 none
    ],
    align=True,
)
"""A dataset of the episode."""
JOB: Final = np.dtype(
    [
        ("arrival", "f8"),  # s
        ("workload_true", "f8"),  # Gflop
        ("workload_pred", "f8"),  # Gflop
        ("input_bytes", "f8"),
        ("noise", "f8"),  # factor on the run time
        ("place_u", "f8"),  # [0, 1)
        ("cores", "i4"),
        ("input_files", "i4"),
        ("dataset", "i4"),  # of the episode, -1 none
        ("user_jobs", "i4"),  # jobs of its user at its placement, see `queues.user_priority`
    ],
    align=True,
)
"""The given data of a job: 64 bytes, one cache line."""

JOB_STATE: Final = np.dtype(
    [
        ("activation", "f8"),  # s, when its input was complete; nan before
        ("start", "f8"),  # s; nan before
        ("end", "f8"),  # s, set at the start; nan before
        ("pred_end", "f8"),  # s, start + predicted run time
        ("ln_slowdown", "f8"),  # ln of the bounded slowdown: expected, true from the start on
        ("output", "f8"),  # bytes of its output
        ("cores", "i4"),  # as in JOB; repeated so that an end touches one record
        ("next", "i4"),  # next job of the site's queue or of a transfer's list, -1 none
        ("replica", "i4"),  # record of the replica that it pins, -1 none
        ("site", "i2"),  # where it was placed, -1 before
        ("state", "i1"),  # index of STATES; RUNNING from when it took its cores
        ("cause", "i1"),  # index of CAUSES: why it will end
    ],
    align=True,
)
"""The state of a job attempt: 64 bytes, one cache line."""

ATTEMPT: Final = np.dtype(
    [
        ("first_arrival", "f8"),  # s, arrival of the first attempt
        ("placed", "f8"),  # s, when it was sent to its site; nan before
        ("starting", "f8"),  # s, when it took its cores; nan before
        ("moved_bytes", "f8"),  # bytes that its transfer is to move between sites, or has moved
        ("hazard", "f8"),  # probability to fail at a site of risk 1
        ("key", "u8"),  # key of its hashed draws
        ("origin", "i4"),  # row of the first attempt
        ("next_assigned", "i4"),  # next job of the list of assigned jobs, -1 none
        ("next_activated", "i4"),  # next job of the list of activated jobs, -1 none
        ("source", "i2"),  # site of its input; -1 local or none
        ("attempt", "i2"),  # 1, 2, ...
    ],
    align=True,
)
"""Times, draws and source of a job attempt: 64 bytes, one cache line."""

REQUEST: Final = np.dtype(
    [
        ("wall", "f8"),  # s, requested wall time of the run; 0: not given
        ("reserved", "f8"),  # s, reserved start under conservative backfilling; inf: none
    ],
    align=True,
)
"""Requested time and reservation of a job attempt: 16 bytes."""

AVAILABLE: Final = np.dtype([("time", "f8"), ("free", "i8")], align=True)
"""From `time` (s) on, `free` cores of a site are not in use or reserved: 16 bytes."""

FLOW: Final = np.dtype(
    [
        ("left", "f8"),  # bytes at `since`
        ("since", "f8"),  # s, start of the present `rate`
        ("rate", "f8"),  # bytes/s
        ("link", "f8"),  # bytes/s that its link allows
        ("share", "f8"),  # scratch of max-min fairness: bytes/s; below 0: not fixed yet
        ("heap_position", "i4"),  # index in the heap of flows; -1: has ended
        ("source", "i2"),
        ("target", "i2"),
        ("out_before", "i4"),  # neighbours in the list of outgoing flows of its source, -1 none
        ("out_after", "i4"),
        ("in_before", "i4"),  # neighbours in the list of incoming flows of its destination
        ("in_after", "i4"),
    ],
    align=True,
)
"""A transfer between two sites, at the row of its job: 64 bytes."""

RULES: Final = np.dtype(
    [
        ("level", "i8"),  # of the links: 0, 1, 2
        ("storage", "i8"),  # 1: replicas come and go
        ("discipline", "i8"),  # index of DISCIPLINES
        ("failing", "i8"),  # 1: attempts may fail
        ("outages", "i8"),  # 1: sites may go down
        ("limits", "i8"),  # 1: PanDA's time limits hold
        ("requests", "i8"),  # 1: `World.requests` is in use
        ("kill", "i8"),  # 1: a job is killed at its requested wall time
        ("reservations", "i8"),  # most reservations of a site's queue
        ("attempts", "i8"),  # most attempts of a job
        ("decisions", "i8"),  # jobs placed at once
        ("defer", "i8"),  # 1: the last action of a job defers it
        ("replicate", "i8"),  # 1: actions on data
        ("events", "i8"),  # size of the buffer of events
        ("black_hole", "i8"),  # 1 + the site that fails nearly every attempt; 0: there is none
        ("first_replication", "i8"),  # first row of replications
        ("first_return", "i8"),  # where the heap of returns begins in `World.heap`
        ("early", "f8"),  # share of failures that come early
        ("early_s", "f8"),  # s, run until an early failure
        ("most", "f8"),  # greatest probability to fail
        ("black_hole_share", "f8"),  # share of the attempts at the black hole that fail
        ("black_hole_s", "f8"),  # s, run until they do
        ("retry_s", "f8"),  # s, from a failure to the arrival of the retry
        ("assigned_s", "f8"),  # s, limits
        ("activated_s", "f8"),
        ("running_s", "f8"),
        ("heartbeat_s", "f8"),
        ("cancelled", "f8"),  # share of jobs that are cancelled
        ("cancel_s", "f8"),  # s, mean time from placement to that
        ("pilot_s", "f8"),  # s, mean time from taking cores to the run
        ("requested_factor", "f8"),  # requested over predicted run time; 0: none is requested
        ("step_s", "f8"),  # s, step of the Markov chain of outages
        ("stay_up", "f8"),  # ln of the probability to stay up for a step
        ("stay_down", "f8"),
        ("stay_brown", "f8"),
        ("brown", "f8"),  # share of the changes from up that are brown-outs
        ("brown_cores", "f8"),  # share of the cores that a brown-out takes offline
        ("output", "f8"),  # bytes of output per byte of input
        ("defer_s", "f8"),  # s, from a deferral to the next decision about the job
        ("pending_s", "f8"),  # s, age from which a job cannot be deferred
    ],
    align=True,
)
"""The settings of the mechanisms: one record, 0 where a mechanism is off."""

DISCIPLINES: Final = ("fifo", "priority", "easy", "conservative")
FIFO, PRIORITY, EASY, CONSERVATIVE = range(len(DISCIPLINES))
OUTCOME: Final = np.dtype(
    [
        ("site", "i8"),  # site of the job
        ("illegal", "i8"),  # 1 where the action was illegal and the fallback was used
        ("age", "f8"),  # s since the job's first attempt arrived
        ("wait_pred", "f8"),  # s, expected at the decision from the true counters
        ("wait_true", "f8"),  # s, the same with true instead of predicted workloads
        ("transfer", "f8"),  # s, stage-in time
        ("run_pred", "f8"),  # s, predicted run time
        ("run_true", "f8"),  # s, true run time
        ("ideal_pred", "f8"),  # s, predicted run time on the fastest core of the platform
        ("ideal_true", "f8"),  # s, true run time there
        ("wan_bytes", "f8"),  # bytes that the decision asks to move between sites
        ("area", "f8"),  # job s: integral of the unfinished jobs until the next decision
        ("ended", "f8"),  # jobs ended until the next decision
        ("ended_gflop", "f8"),  # what they computed, their noise included, Gflop
        ("ended_ln", "f8"),  # their sum of ln(bounded slowdown)
        ("expected_ln", "f8"),  # growth of what is expected of the judged jobs, see `expectation`
        ("wasted_core_s", "f8"),  # held by attempts that ended unfinished until the next decision
        ("closures", "f8"),  # attempts closed until then
        ("failures", "f8"),  # attempts failed until then
        ("overrun_bytes", "f8"),  # that exceeded the quota of their site until then
        ("deferred", "i8"),  # 1 where the job was deferred
        ("energy_kwh", "f8"),  # of the job's cores; written by the environment, where asked for
        ("carbon_kg", "f8"),  # emissions of that energy, likewise
    ],
    align=True,
)
"""The outcome of one decision; rewards and costs are functions of it."""


SITE_SIZE: Final = 256
"""Bytes of a site's SITE, SITE_STATUS, SITE_COUNTERS and SITE_STORAGE together."""
JOB_SIZE: Final = 192
"""Bytes of a row's JOB, JOB_STATE and ATTEMPT together."""


class World(NamedTuple):
    """A batch of E grids on one platform: what the kernel reads and writes.

    `Annotated[Array, kind, n]`: n dimensions, in C order. `Annotated[Array, kind, n, step]`: part
    of each grid's memory, where elements are `step` bytes apart (or as many as the field of that
    name says; 0: without gaps). Compiled functions see a World through
    `panda_gym.simulator.address_table`, which derives its fields from these annotations.
    """

    # the platform and the settings
    site_static: Annotated[Array, SITE_STATIC, 1]  # SITE_STATIC[S]
    sites_by_cores: Annotated[Array, "i4", 1]
    """int32[most cores + 1]: number of sites with at least so many cores, at least 1."""
    guide: Annotated[Array, "i4", 1]
    """int32[cells + 2]: where the search for a share of the capacity begins."""
    guide_cells: float  # cells of the guide / capacity of all sites
    links: Annotated[Array, "f8", 3]
    """float64[S, 2, S] from each source: start-up (s), s/byte."""
    link_costs: Annotated[Array, "f4", 3]
    """float32[S, 3, S] the same and the code of the closeness, for the observation."""
    closeness: Annotated[Array, "i1", 2]  # int8[S, S] steps
    site_static32: Annotated[Array, "f4", 2]  # float32[2, S] cores, 1 / speed
    scales: Annotated[Array, "f4", 1]  # float32 of SITE_ROWS, then JOB_ROWS, then GRID_ROWS
    cycle: Annotated[Array, "f8", 1]  # float64[bins] factor on the competing load by time of day
    daily_phase: Annotated[Array, "f4", 2]  # float32[bins, 2] sine and cosine of a full period
    staleness_s: float
    bound_s: float  # bound of the bounded slowdown
    top_speed: float  # Gflop/s of the fastest core
    interval_s: float  # between changes of a site's competing load; inf: none
    persistence: float  # of the competing load: AR(1) coefficient
    innovation: float  # sqrt(1 - persistence^2)
    spread: float  # relative standard deviation of the competing load
    total_cores: float  # cores of all sites
    blocks: int  # blocks of sites in `next_events`
    first_staged: int  # where the event queue begins in `heap`
    rules: Annotated[Array, RULES, 1]  # RULES[1]
    trace: Annotated[Array, "f8", 2]
    """float64[T, S or 1]: recorded shares of the cores in competing use; T 0: none."""
    # the state: each grid's part is one piece of memory; the pieces are `stride` bytes apart
    memory: Annotated[Array, "u1", 1]  # uint8[...] of all grids
    stride: int
    dataset_size: int  # bytes of one dataset's DATASET and bit sets
    grids: Annotated[Array, GRID, 1, 0]  # GRID[E]
    sites: Annotated[Array, SITE, 2, SITE_SIZE]  # SITE[E, S]
    site_status: Annotated[Array, SITE_STATUS, 2, SITE_SIZE]  # SITE_STATUS[E, S]
    site_counters: Annotated[Array, SITE_COUNTERS, 2, SITE_SIZE]  # SITE_COUNTERS[E, S]
    site_storage: Annotated[Array, SITE_STORAGE, 2, SITE_SIZE]  # SITE_STORAGE[E, S]
    jobs: Annotated[Array, JOB, 2, JOB_SIZE]  # JOB[E, R]
    job_states: Annotated[Array, JOB_STATE, 2, JOB_SIZE]  # JOB_STATE[E, R]
    attempts: Annotated[Array, ATTEMPT, 2, JOB_SIZE]  # ATTEMPT[E, R]
    replicas: Annotated[Array, "i2", 3, 0]  # int16[E, R, 3], -1 none; one row with storage
    requests: Annotated[Array, REQUEST, 2, 0]  # REQUEST[E, R], or one where it is not in use
    available: Annotated[Array, AVAILABLE, 2, 0]  # AVAILABLE[E, ...], or one
    boundaries: Annotated[Array, ENTRY, 2, 0]  # ENTRY[E, ...], or one
    flows: Annotated[Array, FLOW, 2, 0]  # FLOW[E, R], or one at link level 0
    flow_heap: Annotated[Array, ENTRY, 2, 0]  # ENTRY[E, R], or one
    pool: Annotated[Array, REPLICA, 2, 0]  # REPLICA[E, P], or one without storage
    transfers: Annotated[Array, TRANSFER, 2, 0]  # TRANSFER[E, P], or one without storage
    datasets: Annotated[Array, DATASET, 2, "dataset_size"]  # DATASET[E, D], or one
    holders: Annotated[Array, "u8", 4, "dataset_size"]
    """uint64[E, D, 3, words]: three bit sets of sites per dataset (`replica_index`), or one."""
    row_datasets: Annotated[Array, "i4", 2, 0]
    """int32[E, rows]: dataset of each row of the two below, -1 none."""
    read_times: Annotated[Array, "f4", 3, 0]
    """float32[E, rows, at least S]: s, least time to read the dataset at each site."""
    read_closeness: Annotated[Array, "i1", 3, 0]
    """int8[E, rows, at least S]: closeness of the dataset to each site."""
    heap: Annotated[Array, ENTRY, 2, 0]
    """ENTRY[E, ...]: a heap of ends for each site, the event queue, the returns."""
    block_leaders: Annotated[Array, "i4", 2, 0]
    """int32[E, blocks]: the site of each block whose event is next."""
    next_events: Annotated[Array, "f8", 2, 0]
    """float64[E, blocks + blocks x BLOCK]: s, next event of each block, then of each site."""
    seen_queue: Annotated[Array, "f4", 3, 0]
    """float32[E, 2, S]: s of work ahead per core, and spare cores, as counted."""
    log: Annotated[Array, EVENT, 2]  # EVENT[E, events]
    pending: Annotated[Array, "i4", 2]  # int32[E, K] rows of the jobs to be placed, -1 none
    # the observation
    flat: Annotated[Array, "f4", 3]  # float32[E, K, F]: sites, job, grid
    mask: Annotated[Array, "i1", 3]  # int8[E, K, A]: sites, defer, actions on data
    outcome: Annotated[Array, OUTCOME, 2]  # OUTCOME[E, K]
