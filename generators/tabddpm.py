"""TabDDPM: diffusion of tokens, then of numbers given the tokens; knows one encoded table.

Kotelnikov et al. 2022 (arXiv 2209.15421): Gaussian diffusion on the numbers, multinomial or
masked diffusion on the categories, an MLP for both. Where it departs from the paper:

NOTE[DIFF] Categories enter as sums of embeddings of integer codes, not as log one-hot vectors:
those (0 or -69) swamp the numbers, and a wide table of levels need not fit in memory.
NOTE[DIFF] Tokens first, then numbers given the tokens, p(tokens) p(numbers | tokens), each with
its own network. The joint law is the same; what the tokens say is computed once a row, so that
a number step costs a third.
NOTE[DIFF] Default process of the tokens: masked. One token a step, in a random order a block,
conditioned on all decided before: no token is ever redrawn and no two are decided blindly at
once. The paper's process is `process="multinomial"`.
NOTE[DIFF] v-prediction in continuous time with clipping of x0 where the paper predicts noise at
1000 discrete times: dividing by a vanishing alpha otherwise throws numbers to their extremes.
NOTE[DIFF] 2nd-order multistep solver with tens of steps (`steps=`) for 1000 ancestral ones.
NOTE[DIFF] Randomised probability-integral transform where the paper uses a quantile transform
that maps ties to single points; atoms (zeros), bins of the calendar and missing entries are
tokens.
NOTE[DIFF] No class label is singled out: every column is modelled.
NOTE[DIFF] Low-discrepancy times, EMA with warm-up and early stopping on held-out loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from generators import diffusion
from generators.base import Config, Generator, Progress, check_choice, check_range
from generators.encoding import Encoded, Encoder
from generators.networks import NumberNet, TokenNet, initialise
from generators.training import (
    START,
    Batch,
    TrainingConfig,
    autocast,
    device_of,
    from_arrays,
    generator_of,
    to_arrays,
    train,
)


@dataclass(frozen=True)
class TabDDPMConfig(TrainingConfig):
    """Settings of TabDDPM."""

    process: str = "masked"
    """Diffusion of the tokens: masked or multinomial."""
    width: int = 256
    """Hidden width of both networks."""
    depth: int = 2
    """Residual layers of each network."""
    steps: int = 20
    """Sampling steps of the numbers, and of multinomial tokens."""
    token_steps: int = 1_000
    """Sampling steps of masked tokens; from the number of tokens on, one token a step."""
    solver: str = "multistep"
    """Sampler of the numbers: multistep, ddim (eta = 0) or ancestral (eta = 1)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "process", ("masked", "multinomial"))
        check_choice(self, "solver", ("multistep", "ddim", "ancestral"))
        check_range(self, "width", 1, 65_536)
        check_range(self, "depth", 0, 1000)
        check_range(self, "steps", 1, 100_000)
        check_range(self, "token_steps", 1, 100_000)


class Denoisers(nn.Module):
    """The two networks of TabDDPM; a table without tokens or without numbers has one."""

    def __init__(self, encoder: Encoder, config: TabDDPMConfig) -> None:
        super().__init__()
        cards, numbers = encoder.cards, len(encoder.gates)
        self.tokens = TokenNet(cards, config.width, config.depth) if cards else None
        self.numbers = NumberNet(cards, numbers, config.width, config.depth, 1) if numbers else None


class TabDDPM(Generator):
    """Diffusion of mixed tables."""

    name: ClassVar[str] = "tabddpm"
    Config: ClassVar[type[Config]] = TabDDPMConfig

    def _fit(
        self,
        encoder: Encoder,
        data: Encoded,
        seed: int,
        progress: Progress | None,
        checkpoint: Path | None,
    ) -> None:
        self._nets = Denoisers(encoder, self.config)
        initialise(self._nets, generator_of(seed, START))
        train(self._nets, self._loss, data, self.config, seed, progress, checkpoint)

    def _loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        total = torch.zeros((), device=batch.tokens.device)
        masked = self.config.process == "masked"
        with autocast(self.config):
            if self._nets.tokens is not None:
                of = diffusion.masked_loss if masked else diffusion.multinomial_loss
                total = total + of(self._nets.tokens, batch.tokens, generator)
            if self._nets.numbers is not None:
                total = total + diffusion.number_loss(
                    self._nets.numbers, batch.numbers, batch.present, batch.tokens, generator
                )
        return total

    @torch.no_grad()
    def _draw(
        self, encoder: Encoder, n: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
        with autocast(self.config):
            tokens = self._draw_tokens(n, generator)
            drawn = tokens.cpu().numpy()
            numbers = self._draw_numbers(tokens, encoder.present(drawn), generator)
        return drawn, numbers

    def _draw_tokens(self, n: int, generator: torch.Generator) -> Tensor:
        net = self._nets.tokens
        if net is None:
            return torch.zeros((n, 0), dtype=torch.int32, device=self.config.device)
        if self.config.process == "masked":
            return diffusion.sample_masked(net, n, self.config.token_steps, generator)
        return diffusion.sample_multinomial(net, n, self.config.steps, generator)

    def _draw_numbers(
        self, tokens: Tensor, present: np.ndarray, generator: torch.Generator
    ) -> np.ndarray:
        net = self._nets.numbers
        if net is None:
            return np.zeros((len(tokens), 0), np.float32)
        there = torch.from_numpy(present).to(tokens.device)
        steps, solver = self.config.steps, self.config.solver
        drawn = diffusion.sample_numbers(net, tokens, there, steps, solver, generator)
        return drawn.cpu().numpy()

    def _arrays(self) -> dict[str, np.ndarray]:
        return dict(to_arrays(self._nets))

    def _restore(self, encoder: Encoder, arrays: dict[str, Any]) -> None:
        self._nets = Denoisers(encoder, self.config)
        from_arrays(self._nets, arrays)
        self._nets.to(device_of(self.config.device))
