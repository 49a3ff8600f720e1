"""Joint data placement and job allocation, offline: instances, methods, bounds.

```python
from panda_gym.joint import lower_bound, random_instance, solve

instance = random_instance(0, jobs=40, nodes=20, local_stores=8)
bound = lower_bound(instance)
solve(instance, "local_search", steps=20_000, lower_bound_s=bound).gap
```
"""

from __future__ import annotations

from panda_gym.joint.documents import (
    read_instance,
    read_schedule,
    write_instance,
    write_schedule,
)
from panda_gym.joint.evaluation import Evaluation, evaluate
from panda_gym.joint.instance import Instance
from panda_gym.joint.lower_bound import lower_bound
from panda_gym.joint.methods import METHODS
from panda_gym.joint.random_instances import random_instance
from panda_gym.joint.schedule import Schedule, ordered
from panda_gym.joint.solve import Solution, solve

__all__ = [
    "METHODS",
    "Evaluation",
    "Instance",
    "Schedule",
    "Solution",
    "evaluate",
    "lower_bound",
    "ordered",
    "random_instance",
    "read_instance",
    "read_schedule",
    "solve",
    "write_instance",
    "write_schedule",
]
