"""Methods that solve an instance, by name.

Each takes an instance, a seed and a `Search`, in which it keeps its best schedule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from panda_gym.joint.instance import Instance
from panda_gym.joint.methods.alternation import alternation
from panda_gym.joint.methods.list_scheduling import list_scheduling
from panda_gym.joint.methods.local_search import local_search
from panda_gym.joint.methods.random_placement import random_placement
from panda_gym.joint.methods.search import Search

__all__ = [
    "METHODS",
    "Search",
    "alternation",
    "list_scheduling",
    "local_search",
    "random_placement",
]

METHODS: Final[dict[str, Callable[[Instance, int, Search], None]]] = {
    "random": random_placement,
    "list": list_scheduling,
    "alternation": alternation,
    "local_search": local_search,
}
"""Methods by name."""
