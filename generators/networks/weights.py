"""Convert a network's parameters to the arrays of a file and back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from generators.deprecated import renamed_parameter


def round_off(module: nn.Module, stored: str) -> None:
    """Round every parameter to the type that it is stored in; one that does not fit it stays.

    Computing goes on in float32. What draws rows after a fit is so what a file gives back, and
    saving what was loaded changes nothing.
    """
    if stored == "float32":
        return
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(_rounded(parameter))


def _rounded(weights: Tensor) -> Tensor:
    """Return weights as float16 holds them, or as they are where it errs by more than it should.

    Float16 has eleven bits and reaches from 6e-8 to 65504: relative to the largest weight nothing
    is lost but the last bits, unless all are so small or some so large that it runs out of range.
    """
    near = weights.half().float()
    largest = weights.abs().max() if weights.numel() else torch.tensor(0.0)
    return near if bool(((near - weights).abs() <= largest * 2.0**-11).all()) else weights


def to_arrays(module: nn.Module, stored: str = "float32") -> Iterator[tuple[str, np.ndarray]]:
    """Yield the module's parameters as arrays, in half the bytes where `stored` loses nothing."""
    for name, parameter in module.named_parameters():
        array = parameter.detach().cpu().numpy()
        with np.errstate(over="ignore"):
            short = array.astype(stored)
        yield name, short if np.array_equal(short.astype(np.float32), array) else array


def from_arrays(module: nn.Module, arrays: dict[str, np.ndarray]) -> None:
    """Put arrays into the module's parameters; refuse missing, extra or misshapen ones."""
    weights = {_named(module, k): torch.from_numpy(a.astype(np.float32)) for k, a in arrays.items()}
    module.load_state_dict(weights, strict=True)
    module.requires_grad_(False).eval()


def _named(module: nn.Module, name: str) -> str:
    """Return a parameter's name today; older folders have other parts, or lack the end."""
    known = dict(module.named_parameters())
    tried = (name, f"{name}.weight", renamed_parameter(name))
    return next((one for one in tried if one in known), name)
