"""Static scheduling of workflows by HEFT, lookahead HEFT, CPOP, PEFT, Min-Min and Max-Min.

```python
from panda_gym.sites import load_platform
from panda_gym.workflows import random_workflow
from panda_gym.workflows.static_scheduling import schedule

flow, platform = random_workflow("layered", 1), load_platform("tiny4")
schedule(flow, platform, "heft").ttx_s
```
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from panda_gym.errors import WorkflowError, nearest
from panda_gym.sites import Platform
from panda_gym.workflows.execution import Execution, node_names
from panda_gym.workflows.overheads import Overheads
from panda_gym.workflows.pool import Pool
from panda_gym.workflows.static_scheduling.cpop import cpop
from panda_gym.workflows.static_scheduling.heft import heft
from panda_gym.workflows.static_scheduling.lookahead import lookahead
from panda_gym.workflows.static_scheduling.min_min import max_min, min_min
from panda_gym.workflows.static_scheduling.peft import peft
from panda_gym.workflows.static_scheduling.problem import (
    SchedulingProblem,
    lower_bound_s,
    problem_of,
)
from panda_gym.workflows.static_scheduling.schedule import Schedule, shares_and_onward
from panda_gym.workflows.workflow import Workflow

__all__ = [
    "RULES",
    "Schedule",
    "SchedulingProblem",
    "cpop",
    "heft",
    "lookahead",
    "lower_bound_s",
    "max_min",
    "min_min",
    "peft",
    "problem_of",
    "schedule",
    "shares_and_onward",
]

RULES: Final[dict[str, Callable[[SchedulingProblem], Schedule]]] = {
    "cpop": cpop,
    "heft": heft,
    "lookahead": lookahead,
    "max_min": max_min,
    "min_min": min_min,
    "peft": peft,
}
"""Static scheduling rules by name."""


def schedule(
    flow: Workflow,
    resource: Pool | Platform,
    rule: str = "heft",
    *,
    overheads: Overheads | None = None,
    **options: Any,
) -> Execution:
    """Schedule a workflow by a static rule; return the schedule as an execution.

    Durations are their means. A transfer starts as soon as the parent task ends, as in the
    literature; `execution.simulate` starts it when the child task is placed. `options` are those
    of `problem.problem_of`. Raises WorkflowError if the rule is unknown or a task fits on no node.
    """
    if rule not in RULES:
        raise WorkflowError("a static scheduling rule", repr(rule), nearest(str(rule), RULES))
    problem = problem_of(flow, resource, overheads=overheads, **options)
    planned = RULES[rule](problem)
    return Execution(
        workflow=flow,
        resource=resource.name,
        mode=rule,
        capacity=problem.capacity,
        node_names=node_names(resource),
        need=problem.need,
        start=planned.start,
        stop=planned.finish,
        node=planned.processor,
        placed=planned.start,
        overheads=overheads or Overheads(),
    )
