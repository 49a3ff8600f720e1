"""Write and read the state of a run in one safetensors file, without pickle.

Tensors are weights, Adam's moments, generators and the actions since the episodes started; the
header holds JSON: counters, settings, curve. One file, so that one rename replaces it as a whole.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from panda_gym.errors import PolicyError
from panda_gym.files import whole_file

FILE: Final = "checkpoint.safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """State from which a run is resumed as if it had not been interrupted."""

    tensors: dict[str, Tensor]
    """By name: weight/..., adam/..., generators, actions."""
    state: dict[str, Any]
    """JSON: settings, scenario, counters, curve."""

    def write(self, path: Path) -> None:
        """Write the file atomically."""
        header = {"state": json.dumps(self.state)}
        tensors = {name: tensor.cpu().contiguous() for name, tensor in self.tensors.items()}
        with whole_file(path) as aside:
            save_file(tensors, str(aside), metadata=header)

    @classmethod
    def read(cls, path: Path) -> Checkpoint:
        """Read a file; PolicyError if it is damaged."""
        try:
            with safe_open(str(path), framework="pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                state = json.loads(file.metadata()["state"])
        except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
            raise PolicyError(
                "a checkpoint of `train`", f"{path}: {error}", "remove it to train anew"
            ) from error
        return cls(tensors, state)


def read_learner(policy: Any) -> dict[str, Tensor]:
    """Return weights and Adam's moments of an SB3 policy by name."""
    tensors = {f"weight/{name}": value.clone() for name, value in policy.state_dict().items()}
    for index, moments in policy.optimizer.state_dict()["state"].items():
        for name, value in moments.items():
            tensors[f"adam/{index}/{name}"] = torch.as_tensor(value).clone()
    return tensors


def write_learner(policy: Any, tensors: dict[str, Tensor]) -> None:
    """Set weights and Adam's moments of an SB3 policy to what `read_learner` returned."""
    prefix = "weight/"
    policy.load_state_dict(
        {name.removeprefix(prefix): v for name, v in tensors.items() if name.startswith(prefix)}
    )
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("adam/"):
            _, index, key = name.split("/")
            moments.setdefault(int(index), {})[key] = value
    groups = policy.optimizer.state_dict()["param_groups"]
    policy.optimizer.load_state_dict({"state": moments, "param_groups": groups})
