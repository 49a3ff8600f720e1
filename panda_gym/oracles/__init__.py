"""Oracles: placements from the true state of the grids, as bounds for policies.

    oracle = oracles.create("clairvoyant")
    oracle.reset(batch); sites = oracle.choose(batch)     # int64[E]

An oracle reads the grids themselves: true workloads, present queues, the competing load and the
jobs yet to come. `panda_gym.policies.create` refuses these names; a benchmark takes one as
"oracle:clairvoyant", so that no table can show it as a policy.
"""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any, Final

from panda_gym.errors import PolicyError, nearest
from panda_gym.oracles.base import Oracle

__all__ = ["PREFIX", "REGISTRY", "Oracle", "create", "names"]

PREFIX: Final = "oracle:"
"""Prefix of the name of an oracle wherever policies are named."""

REGISTRY: Final = {
    "clairvoyant": "panda_gym.oracles.clairvoyant:Clairvoyant",
    "true_completion": "panda_gym.oracles.true_completion:TrueCompletion",
}
"""Name to "module:Class"."""


def names() -> tuple[str, ...]:
    """Return the names that `create` accepts, in alphabetical order."""
    return tuple(sorted(REGISTRY))


def create(name: str, **config: Any) -> Oracle:
    """Return the oracle of that name; `config` are the fields of its dataclass.

    PolicyError for an unknown name or field (nearest names suggested) or a bad value.
    """
    if name not in REGISTRY:
        raise PolicyError("the name of an oracle", repr(name), nearest(str(name), REGISTRY))
    module, _, attribute = REGISTRY[name].partition(":")
    kind = getattr(importlib.import_module(module), attribute)
    known = [field.name for field in dataclasses.fields(kind) if field.init]
    for key in config:
        if key not in known:
            raise PolicyError(f"a setting of oracle {name!r}", repr(key), nearest(key, known))
    oracle: Oracle = kind(**config)
    return oracle
