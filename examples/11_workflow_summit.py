"""The experiment of arXiv 2208.11069 on Summit, retold: when does asynchronous execution pay?

Three workflows of sleeping tasks ran on 16 nodes, once stage by stage and once asynchronously.
The model says beforehand what can be gained: the degrees of asynchronicity say how many kinds of
work may run at once, and the longest path says how far that can shorten the run.
"""

from __future__ import annotations

from pathlib import Path

from panda_gym.workflows import Overheads, analyse, simulate
from panda_gym.workflows.gantt import draw
from panda_gym.workflows.summit import MEASURED, PAIRS, RUNS, SUMMIT16, summit_workflow

# 1. What does each workflow permit? Sets stand apart here; the c-DG edges are assumed.
for name in ("ddmd", "cdg1_split", "cdg2_split"):
    found = analyse(summit_workflow(name), SUMMIT16)
    print(f"{name}: DOA_dep {found.doa_dep}, DOA_res {found.doa_res}, WLA {found.wla}")

# 2. What can be gained at best? All three permit asynchrony; c-DG1 gains nothing by it, since its
#    longest path is the sequential time: the short sets are hidden, but they were hidden before.
for name in ("ddmd", "cdg1", "cdg2"):
    found = analyse(summit_workflow(name), SUMMIT16)
    print(
        f"{name}: {found.t_seq_s:.1f} s in sequence, at least {found.t_async_bound_s:.1f} s; "
        f"I at most {found.improvement_bound:.3f}"
    )

# 3. RecordedRun them, without overheads and with the measured ones, beside what was measured.
runs = {}
for name, run in RUNS.items():
    flow = summit_workflow(run.workflow)
    ideal = simulate(flow, SUMMIT16, run.mode, overheads=Overheads())
    runs[name] = simulate(flow, SUMMIT16, run.mode, overheads=MEASURED)
    print(
        f"{name}: ideal {ideal.ttx_s:.1f} s, with overheads {runs[name].ttx_s:.1f} s, "
        f"measured {run.ttx_s:.1f} s; GPUs {runs[name].utilisation['gpus']:.3f} "
        f"(measured {run.gpu_utilisation:.3f})"
    )

# 4. The relative improvement: c-DG1 shows that asynchrony need not pay.
for name, (before, after) in PAIRS.items():
    simulated = 1.0 - runs[after].ttx_s / runs[before].ttx_s
    measured = 1.0 - RUNS[after].ttx_s / RUNS[before].ttx_s
    print(f"{name}: I = {simulated:+.3f}, measured {measured:+.3f}")

# 5. Order matters too: in the pipelined DeepDriveMD, training grabs a GPU that a simulation needs.
for rule in ("fifo", "upward_rank"):
    print(rule, simulate(summit_workflow("ddmd"), SUMMIT16, "sets", priority=rule).ttx_s)

draw(Path("runs/summit.png"), {name: runs[name] for name in ("ddmd_seq", "ddmd_async")})
