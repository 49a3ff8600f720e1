"""TabDDPM: diffusion of tokens, then of numbers conditioned on the tokens.

Kotelnikov et al. 2022 (arXiv 2209.15421): Gaussian diffusion on the numbers, multinomial
diffusion on the categories, an MLP. Where this departs from the paper:

NOTE[DIFF] Categories enter as sums of embeddings of integer codes, not as log one-hot vectors:
those (0 or -69) swamp the numbers (after 50 steps of the paper's network their loss is 1.01 with
log one-hot and 0.56 with plain input), and a wide table of levels would not fit in memory.
NOTE[DIFF] Tokens first, then numbers given the tokens, p(tokens) p(numbers | tokens), each with
its own network. The joint distribution is the same; the tokens are embedded once a row, so
that a step of the numbers costs little.
NOTE[DIFF] The default process of the tokens is masked (absorbing) diffusion whose tokens are
unmasked one by one in the table's order, `process="ordered"`: the limit of many steps in which
no token is redrawn and no two are decided blindly at once (Hoogeboom et al. 2021, arXiv
2110.02037). A fixed order lets one pass train every conditional of a row: on 100,000 rows of the
reference workload, 90 CPU-seconds reach 11.4 nats a row where any order reaches 13.3.
`process="masked"` unmasks in any order, `process="multinomial"` is the paper's own.
NOTE[DIFF] v-prediction in continuous time with clipping of x0 where the paper predicts noise at
1000 discrete times: dividing by a vanishing alpha throws numbers to their extremes (all rows of a
network that has seen 170 batches).
NOTE[DIFF] 2nd-order multistep solver with a dozen steps (`steps=`) for 1000 ancestral ones.
NOTE[DIFF] Randomised probability-integral transform where the paper uses a quantile transform
that maps ties to single points; atoms (zeros), days, hours and missing entries are tokens.
NOTE[DIFF] No class label is singled out: every column is modelled.
NOTE[DIFF] Any columns can be fixed. A share of the training steps (`condition_share`) fixes a
random part of the tokens and the numbers that depend on them; the other tokens follow in order,
each conditioned on those too, and the numbers are denoised among the clean fixed ones. So a
condition is met by the networks' own conditional distribution, not by replacing or rejecting (the
paper conditions on a label only).
NOTE[DIFF] Low-discrepancy times, EMA with warm-up and early stopping on held-out loss.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from generators.base import Config, check_choice, check_range
from generators.encoding.encoder import Encoded, Encoder
from generators.networks import diffusion
from generators.networks.condition_tensors import ConditionTensors, draw_number_mask
from generators.networks.layers import NumberNet, OrderedNet, TokenNet
from generators.training.loop import Batch, TrainingConfig, autocast, generator_from
from generators.training.neural import Conditional
from generators.training.row_losses import row_losses


@dataclass(frozen=True)
class TabDDPMConfig(TrainingConfig):
    """Settings of TabDDPM."""

    process: str = "ordered"
    """Diffusion of the tokens: ordered, masked (any order) or multinomial (the paper's)."""
    width: int = 256
    """Width of the networks' residual streams."""
    hidden: int = 128
    """Width inside the residual layers of ordered tokens."""
    dropout: float = 0.3
    """Share of the last layer's inputs dropped in training of ordered tokens."""
    number_dropout: float = 0.1
    """Share of what the tokens say dropped in training of the numbers."""
    number_draws: int = 1
    """Times and noises at which the numbers of each row of a batch are learnt in one step."""
    depth: int = 2
    """Residual layers of the other networks."""
    steps: int = 12
    """Sampling steps of the numbers, and of multinomial tokens."""
    token_steps: int = 1_000
    """Sampling steps of masked tokens; from the number of tokens on, one token a step."""
    solver: str = "multistep"
    """Sampler of the numbers: multistep, ddim or ancestral (ddim at eta = 1)."""
    eta: float = 0.0
    """Share of fresh noise in a step of ddim."""
    condition_share: float = 0.25
    """Share of the training steps that fix columns, so that rows follow conditions; 0 for none."""
    candidates: int = 4
    """Rows proposed for each row under a condition, of which one is drawn by its weight."""

    older: ClassVar[dict[str, Any]] = {"condition_share": 0.0}
    """Folders from before conditions were learnt."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "process", tuple(PROCESSES))
        check_choice(self, "solver", ("multistep", "ddim", "ancestral"))
        check_range(self, "eta", 0.0, 1.0)
        check_range(self, "width", 1, 65_536)
        check_range(self, "hidden", 1, 65_536)
        check_range(self, "dropout", 0.0, 0.9)
        check_range(self, "number_dropout", 0.0, 0.9)
        check_range(self, "number_draws", 1, 1000)
        check_range(self, "depth", 0, 1000)
        check_range(self, "steps", 1, 100_000)
        check_range(self, "token_steps", 1, 100_000)
        check_range(self, "condition_share", 0.0, 1.0)
        check_range(self, "candidates", 1, 10_000)

    def condition_numbers(self, encoder: Encoder) -> int | None:
        """Return on how many numbers the networks can be conditioned, None if on nothing."""
        return len(encoder.gates) if self.condition_share else None


@dataclass(frozen=True)
class Process:
    """A diffusion of tokens."""

    net: Callable[[Encoder, TabDDPMConfig], nn.Module]
    """Makes the network."""
    loss: Callable[[Any, Tensor, torch.Generator, ConditionTensors | None], Tensor]
    """Mean loss of the network on tokens, given some."""
    sample: Callable[[Any, int, int, torch.Generator, ConditionTensors | None], Tensor]
    """Draws n rows of tokens in a number of steps, given some."""


def _ordered_net(encoder: Encoder, config: TabDDPMConfig) -> nn.Module:
    width, hidden, dropout = config.width, config.hidden, config.dropout
    numbers = config.condition_numbers(encoder)
    return OrderedNet(encoder.cards, encoder.siblings, width, hidden, dropout, numbers)


def _token_net(encoder: Encoder, config: TabDDPMConfig) -> nn.Module:
    return TokenNet(encoder.cards, config.width, config.depth, config.condition_numbers(encoder))


PROCESSES = {
    "ordered": Process(_ordered_net, diffusion.ordered_loss, diffusion.sample_ordered),
    "masked": Process(_token_net, diffusion.masked_loss, diffusion.sample_masked),
    "multinomial": Process(_token_net, diffusion.multinomial_loss, diffusion.sample_multinomial),
}


class Denoisers(nn.Module):
    """The two networks of TabDDPM; a table without tokens or without numbers has one."""

    def __init__(self, encoder: Encoder, config: TabDDPMConfig) -> None:
        super().__init__()
        cards, numbers = encoder.cards, len(encoder.gates)
        self.tokens: Any = PROCESSES[config.process].net(encoder, config) if cards else None
        self.numbers: Any = (
            NumberNet(
                cards,
                numbers,
                config.width,
                config.depth,
                config.number_dropout,
                config.condition_share > 0,
            )
            if numbers
            else None
        )


class TabDDPM(Conditional):
    """Diffusion of mixed tables."""

    name: ClassVar[str] = "tabddpm"
    Config: ClassVar[type[Config]] = TabDDPMConfig

    def _networks(self, encoder: Encoder) -> nn.Module:
        return Denoisers(encoder, self.config)

    def _losses(
        self, batch: Batch, generator: torch.Generator, parts: Collection[str]
    ) -> dict[str, Tensor]:
        losses = {}
        with autocast(self.config):
            if "tokens" in parts:
                conditions = self._training_conditions(batch, generator)
                loss = PROCESSES[self.config.process].loss
                losses["tokens"] = loss(self._nets.tokens, batch.tokens, generator, conditions)
            if "numbers" in parts:
                losses["numbers"] = self._number_loss(batch, generator)
        return losses

    def _number_loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        net, rows = self._nets.numbers, (batch.numbers, batch.present, batch.tokens)
        draws = self.config.number_draws if net.training else 1
        mask = self._training_mask(batch, generator)
        return diffusion.number_loss(net, *rows, generator, mask, draws)

    def _training_mask(self, batch: Batch, generator: torch.Generator) -> Tensor | None:
        share = self.config.condition_share
        if not self._nets.training or not share:
            return None
        return draw_number_mask(batch.present, share, generator)

    @torch.no_grad()
    def _draw_conditioned(
        self,
        encoder: Encoder,
        conditions: ConditionTensors | None,
        n: int,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, np.ndarray]:
        generator = generator_from(rng)
        with autocast(self.config):
            tokens = self._draw_tokens(n, generator, conditions)
            drawn = tokens.cpu().numpy()
            numbers = self._draw_numbers(tokens, encoder.present(drawn), generator, conditions)
        return drawn, numbers

    def _draw_tokens(
        self, n: int, generator: torch.Generator, conditions: ConditionTensors | None
    ) -> Tensor:
        net = self._nets.tokens
        if net is None:
            return torch.zeros((n, 0), dtype=torch.int32, device=self.config.device)
        if conditions is not None and self.config.process == "ordered":
            return diffusion.sample_ordered_conditional(
                net, n, self.config.candidates, generator, conditions
            )
        masked = self.config.process == "masked"
        steps = self.config.token_steps if masked else self.config.steps
        return PROCESSES[self.config.process].sample(net, n, steps, generator, conditions)

    def _draw_numbers(
        self,
        tokens: Tensor,
        present: np.ndarray,
        generator: torch.Generator,
        conditions: ConditionTensors | None,
    ) -> np.ndarray:
        net = self._nets.numbers
        if net is None:
            return np.zeros((len(tokens), 0), np.float32)
        there = torch.from_numpy(present).to(tokens.device)
        steps, solver = self.config.steps, self.config.solver
        drawn = diffusion.sample_numbers(
            net, tokens, there, steps, solver, generator, conditions, self.config.eta
        )
        return drawn.cpu().numpy()

    def _row_losses(self, data: Encoded, seed: int) -> np.ndarray:
        nets = self._nets
        return row_losses(nets.tokens, nets.numbers, self.config.process, data, seed)
