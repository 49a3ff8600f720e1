"""Workflows of heterogeneous task sets: analysis, simulation and files.

```python
from panda_gym.workflows import Pool, analyse, random_workflow, simulate

flow, pool = random_workflow("ddmd"), Pool("pilot", nodes=16, threads=168, gpus=6)
analyse(flow, pool).wla
simulate(flow, pool, "sets", priority="upward_rank").ttx_s
```
"""

from __future__ import annotations

from panda_gym.deprecated import old_names
from panda_gym.workflows.analytics import Analysis, analyse
from panda_gym.workflows.degrees import Degrees, degrees
from panda_gym.workflows.execution import Execution, simulate
from panda_gym.workflows.formats import read_workflow, write_sets, write_wfformat
from panda_gym.workflows.overheads import Overheads
from panda_gym.workflows.pool import Pool
from panda_gym.workflows.random_graphs import random_workflow
from panda_gym.workflows.taskset import TaskSet
from panda_gym.workflows.workflow import Edge, Workflow

__all__ = [
    "Analysis",
    "Degrees",
    "Edge",
    "Execution",
    "Overheads",
    "Pool",
    "TaskSet",
    "Workflow",
    "analyse",
    "degrees",
    "random_workflow",
    "read_workflow",
    "simulate",
    "write_sets",
    "write_wfformat",
]

__getattr__ = old_names(__name__)
