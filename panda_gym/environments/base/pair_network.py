"""Actor-critic network over pairs of rows and columns, such as task sets and sites.

One network scores every pair (row n, column m), so that nothing depends on how many there are, or
on their order; a last score is that of holding or deferring. It fits `PandaGrid/Workflow-v0`
(ready sets x sites) and `PandaGrid/Pipelines-v0` (models x places).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn

from panda_gym.environments.base.spaces import MASK
from panda_gym.errors import PolicyError

PARTS: Final = (("sets", "sites", "graph"), ("models", "places", "fleet"))
"""Rows [B, F, N], columns [B, G, M] and whole [B, H] of the observations that are known."""
HOLD: Final = "hold"
"""Name of the first score of holding or deferring."""
PAIRS: Final = "pairs"
"""Part with features of pairs, [B, D, N, M]; not every family has it."""
NEVER: Final = -1e8
"""Logit of an illegal action; finite, so that 0 x NEVER is 0."""


class PairActorCritic(nn.Module):
    """Logits of all N x M + 1 actions and the value of an observation.

    A row, a column and the whole are embedded each by a layer; a pair adds the embeddings of its
    row and column and its own features. The value reads the whole and means over rows and columns.
    Beside the layers stands a linear score of the features, from which learning starts: the last
    layers begin at zero. Features of pairs enter it relative to the best legal pair of their row.
    Actions that the mask forbids have the logit NEVER.

    Args:
        space: space of the observations, a Dict of a family in `PARTS`.
        hidden: units of every layer.
        start: first weights of the linear score by part, one a feature, and of `HOLD`, one number;
            zeros where left out.

    Raises:
        PolicyError: observations of another family, or flat ones.
    """

    def __init__(
        self,
        space: Any,
        hidden: int = 48,
        start: Mapping[str, Sequence[float]] | None = None,
    ) -> None:
        super().__init__()
        self.parts = parts_of(space)
        rows, columns, whole = (space[part].shape[0] for part in self.parts)
        self.whole = nn.Linear(whole, hidden)
        self.rows = nn.Sequential(nn.Linear(rows, hidden), nn.ReLU(), nn.Linear(hidden, hidden))
        self.columns = nn.Sequential(
            nn.Linear(columns, hidden), nn.ReLU(), nn.Linear(hidden, hidden)
        )
        own = space[PAIRS].shape[0] if PAIRS in space.spaces else 0
        self.pairs = nn.Linear(own, hidden, bias=False) if own else None
        self.score = _head(hidden, hidden)
        first = dict(start or {})
        self.hold = _head(3 * hidden, hidden, float(first.get(HOLD, [0.0])[0]))
        self.value = _head(3 * hidden, hidden)
        self.first = nn.ParameterDict(
            {
                part: nn.Parameter(torch.tensor(first.get(part, [0.0] * space[part].shape[0])))
                for part in (*self.parts[:2], *([PAIRS] if own else []))
            }
        )

    def forward(self, observation: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return logits [B, N * M + 1] and values [B]."""
        named = (observation[part] for part in self.parts)
        rows, columns, whole = named
        row = self.rows(rows.transpose(1, 2))
        column = self.columns(columns.transpose(1, 2))
        total = self.whole(whole)
        pair = row[:, :, None] + column[:, None] + total[:, None, None]
        if self.pairs is not None:
            pair = pair + self.pairs(observation[PAIRS].permute(0, 2, 3, 1))
        scores = self.score(torch.relu(pair))[..., 0] + self._linear(observation)
        seen = torch.relu(torch.cat([row.mean(dim=1), column.mean(dim=1), total], dim=1))
        logits = torch.cat([scores.flatten(1), self.hold(seen)], dim=1)
        return logits.masked_fill(observation[MASK] == 0, NEVER), self.value(seen)[:, 0]

    def _linear(self, observation: Mapping[str, Tensor]) -> Tensor:
        """Return the linear scores, [B, N, M]."""
        rows, columns = (observation[part] for part in self.parts[:2])
        linear = torch.einsum("bfn,f->bn", rows, self.first[self.parts[0]])[:, :, None]
        linear = linear + torch.einsum("bfm,f->bm", columns, self.first[self.parts[1]])[:, None]
        if self.pairs is None:
            return linear
        own = torch.einsum("bfnm,f->bnm", observation[PAIRS], self.first[PAIRS])
        legal = observation[MASK][:, :-1].reshape(own.shape) > 0
        best = own.masked_fill(~legal, NEVER).amax(dim=2, keepdim=True)
        return linear + (own - best) * legal


def _head(inputs: int, hidden: int, begin: float = 0.0) -> nn.Sequential:
    """Return layers to one number, which is `begin` at first."""
    last = nn.Linear(hidden, 1)
    nn.init.zeros_(last.weight)
    nn.init.constant_(last.bias, begin)
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), last)


def parts_of(space: Any) -> tuple[str, str, str]:
    """Return the names of rows, columns and whole; PolicyError for observations of another kind."""
    held = getattr(space, "spaces", {})
    for names in PARTS:
        if all(name in held for name in names):
            return names
    known = " or ".join(str(names) for names in PARTS)
    raise PolicyError(f"a dictionary with {known}", str(list(held)), 'pass observation="dict"')
