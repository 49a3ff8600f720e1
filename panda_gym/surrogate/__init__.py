"""The surrogate: a generator, a workload model and a certificate in one sealed folder."""

from __future__ import annotations

from panda_gym.surrogate.seal import SEAL, Seal, digest, verify_seal
from panda_gym.surrogate.surrogate import HEAD_SEED, Surrogate, surrogate_names
from panda_gym.surrogate.weeks import OwnWeeks, Weeks

__all__ = [
    "HEAD_SEED",
    "SEAL",
    "OwnWeeks",
    "Seal",
    "Surrogate",
    "Weeks",
    "digest",
    "surrogate_names",
    "verify_seal",
]
