"""The surrogate: a generator, a workload model and a certificate in one sealed folder."""

from __future__ import annotations

from panda_gym.deprecated import old_names
from panda_gym.surrogate.seal import SEAL, Seal, digest, verify_seal
from panda_gym.surrogate.surrogate import FIRST_WEEK_SEED, Surrogate, surrogate_names
from panda_gym.surrogate.weeks import IndependentWeeks, StreamWeeks

__all__ = [
    "FIRST_WEEK_SEED",
    "SEAL",
    "IndependentWeeks",
    "Seal",
    "StreamWeeks",
    "Surrogate",
    "digest",
    "surrogate_names",
    "verify_seal",
]

__getattr__ = old_names(__name__)
