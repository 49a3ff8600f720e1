"""Noising, losses and samplers of diffusion for numbers and tokens.

Gaussian diffusion of numbers in continuous time (Kingma et al. 2021, arXiv 2107.00630) with the
cosine schedule alpha = cos(pi t / 2), sigma = sin(pi t / 2); masked diffusion of tokens in one
fixed or in any order (Hoogeboom et al. 2021, arXiv 2110.02037; Shi et al. 2024, arXiv
2406.04329); multinomial diffusion of tokens (Hoogeboom et al. 2021, arXiv 2102.05379).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from generators.networks.condition_tensors import ConditionTensors
from generators.networks.layers import NumberNet, OrderedNet, TokenNet

CLIP = 5.2
"""Numbers are standard normal, from tables of at most ten million rows."""
NEAR_ZERO = 1e-3
"""Times closer than this to 0 and 1 are not trained on; there nothing is left to learn."""


def spread_times(n: int, generator: torch.Generator) -> Tensor:
    """Return n times in [0, 1), one in each of n equal cells, in random order [n].

    Low-discrepancy times make the loss of a batch far less noisy than independent ones.
    """
    cells = torch.randperm(n, generator=generator) + torch.rand(n, generator=generator)
    return cells / n


def draw(logits: Tensor, generator: torch.Generator) -> Tensor:
    """Return one draw a row from the softmax of logits [B, K], int64[B]."""
    total = logits.float().softmax(dim=1).cumsum(dim=1)
    level = torch.rand(len(logits), 1, generator=generator).to(logits.device) * total[:, -1:]
    return (total <= level).sum(dim=1).clamp_(max=logits.shape[1] - 1)


def number_loss(
    net: NumberNet,
    numbers: Tensor,
    present: Tensor,
    tokens: Tensor,
    generator: torch.Generator,
    number_mask: Tensor | None = None,
    draws: int = 1,
) -> Tensor:
    """Return the mean squared error of the velocity v = alpha noise - sigma x0, summed over D.

    Numbers of `number_mask`, bool[B, D], enter clean and have no loss. Each row is
    evaluated at `draws` times and noises; its tokens are embedded once.
    """
    mask = number_mask
    if draws > 1:
        numbers, present = numbers.repeat(draws, 1), present.repeat(draws, 1)
        number_mask = None if number_mask is None else number_mask.repeat(draws, 1)
    time = NEAR_ZERO + (1 - 2 * NEAR_ZERO) * spread_times(len(numbers), generator)
    noise = torch.randn(numbers.shape, generator=generator).to(numbers.device)
    time = time.to(numbers.device)
    alpha, sigma = _schedule(time)
    noisy = (alpha * numbers + sigma * noise) * present
    judged = present
    if number_mask is not None:
        noisy, judged = torch.where(number_mask, numbers, noisy), present & ~number_mask
    velocity = alpha * noise - sigma * numbers
    context = net.context(tokens, generator, mask).repeat(draws, 1)
    error = (net(noisy, time, context).float() - velocity) * judged
    return error.square().sum(dim=1).mean()


def sample_numbers(
    net: NumberNet,
    tokens: Tensor,
    present: Tensor,
    steps: int,
    solver: str,
    generator: torch.Generator,
    conditions: ConditionTensors | None = None,
    eta: float = 0.0,
) -> Tensor:
    """Return numbers float32[B, D] drawn given tokens and conditions, 0 where not present.

    `solver`: `multistep` is DPM-Solver++(2M) (Lu et al. 2022, arXiv 2211.01095); `ddim` is Song et
    al. 2020 (arXiv 2010.02502, eq. 12), deterministic at `eta` 0; `ancestral` is `ddim` at 1, where
    each step draws as much fresh noise as the exact posterior has.
    """
    eta = 1.0 if solver == "ancestral" else eta
    fresh = solver != "multistep" and eta > 0
    times = torch.linspace(1 - NEAR_ZERO, 0.0, steps + 1)
    context = net.context(
        tokens, number_mask=None if conditions is None else conditions.number_mask
    )
    x = torch.randn(present.shape, generator=generator).to(tokens.device) * present
    before: Tensor | None = None
    for i in range(steps):
        alpha, sigma = _schedule(times[i : i + 1])
        alpha_next, sigma_next = _schedule(times[i + 1 : i + 2])
        time = torch.full((len(x),), float(times[i]), device=x.device)
        entered = (
            x if conditions is None else torch.where(conditions.number_mask, conditions.numbers, x)
        )
        velocity = net(entered, time, context).float()
        clean = (float(alpha) * x - float(sigma) * velocity).clamp(-CLIP, CLIP) * present
        if i == steps - 1:
            return clean
        if fresh:
            keep = float(alpha / alpha_next)
            spread = eta * float(sigma_next / sigma) * math.sqrt(1 - keep**2)
            noise = torch.randn(x.shape, generator=generator).to(x.device) * present
            old = math.sqrt(max(float(sigma_next) ** 2 - spread**2, 0.0))
            direction = (x - float(alpha) * clean) / float(sigma)
            x = float(alpha_next) * clean + old * direction + spread * noise
            continue
        step = float(_log_ratio(times[i + 1]) - _log_ratio(times[i]))
        target = clean
        if solver == "multistep" and before is not None:
            last = float(_log_ratio(times[i]) - _log_ratio(times[i - 1]))
            target = clean + (clean - before) * (step / (2 * last))
        x = float(sigma_next / sigma) * x - float(alpha_next) * math.expm1(-step) * target
        before = clean
    return x


def ordered_loss(
    net: OrderedNet,
    tokens: Tensor,
    generator: torch.Generator,
    conditions: ConditionTensors | None = None,
) -> Tensor:
    """Return the mean negative log-likelihood of rows whose tokens are unmasked in order.

    The tokens of `conditions` come first, as they are, and are not judged.
    """
    return net.losses(tokens, generator, conditions).sum(dim=1).mean()


def sample_ordered(
    net: OrderedNet,
    n: int,
    steps: int,
    generator: torch.Generator,
    conditions: ConditionTensors | None = None,
) -> Tensor:
    """Return tokens int32[n, C], each drawn given all before it, in C steps whatever `steps`."""
    device = net.first.weight.device
    tokens = torch.zeros((n, len(net.cards)), dtype=torch.int32, device=device)
    before = [] if conditions is None else list(conditions.columns)
    if conditions is not None:
        tokens = conditions.put(tokens)
    context = net.start(n, conditions)
    for column in range(len(net.cards)):
        if conditions is not None and column in conditions.columns:
            continue
        drawn = draw(net.logits(context, column), generator)
        tokens[:, column] = drawn.to(torch.int32)
        context = net.extend(context, column, tokens, before)
        before.append(column)
    return tokens


def sample_ordered_conditional(
    net: OrderedNet,
    n: int,
    candidates: int,
    generator: torch.Generator,
    conditions: ConditionTensors,
) -> Tensor:
    """Return tokens int32[n, C] given some, corrected towards unconditional rows.

    Each row is drawn among so many candidates from the learnt conditional distribution,
    weighed by the unconditional likelihood of the whole row over that proposal
    (sampling-importance-resampling, Rubin 1987): exact for many candidates whatever the conditional
    network has missed. Fixed numbers have no such likelihood; there the proposal stands.
    """
    if candidates == 1 or bool(conditions.number_mask.any()):
        return sample_ordered(net, n, 1, generator, conditions)
    each = conditions.repeated(candidates)
    drawn = sample_ordered(net, n * candidates, 1, generator, each)
    gain = net.losses(drawn, conditions=each).sum(dim=1) - net.losses(drawn).sum(dim=1)
    chosen = draw(gain.view(n, candidates), generator)
    return drawn.view(n, candidates, -1)[torch.arange(n, device=drawn.device), chosen]


def masked_loss(
    net: TokenNet,
    tokens: Tensor,
    generator: torch.Generator,
    conditions: ConditionTensors | None = None,
) -> Tensor:
    """Return the mean negative log-likelihood of rows under any order of their tokens.

    From 1 to C tokens, evenly, are hidden at random and predicted from the others; never those
    of `conditions`.
    """
    n, columns = tokens.shape
    fixed = set() if conditions is None else set(conditions.columns)
    open_tokens = [c for c in range(columns) if c not in fixed]
    hidden = (spread_times(n, generator) * len(open_tokens)).floor() + 1
    rank = torch.rand(n, len(open_tokens), generator=generator).argsort(dim=1).argsort(dim=1)
    mask = torch.zeros((n, columns), dtype=torch.bool)
    mask[:, open_tokens] = rank < hidden[:, None]
    mask, hidden = mask.to(tokens.device), hidden.to(tokens.device)
    state = net(torch.where(mask, net.embed.unknown, tokens), hidden / columns, conditions)
    scale = len(open_tokens) / hidden
    return (_cross_entropy(net, state, tokens) * mask).sum(1).mul(scale).mean()


def sample_masked(
    net: TokenNet,
    n: int,
    steps: int,
    generator: torch.Generator,
    conditions: ConditionTensors | None = None,
) -> Tensor:
    """Return tokens int32[n, C]: all unknown at first, then decided in a random order.

    With `steps` at least C each token sees all that were decided before it; with fewer, tokens
    decided in the same step are independent given the earlier ones.
    """
    columns = len(net.cards)
    device = net.head.weight.device
    tokens = net.embed.unknown.repeat(n, 1)
    fixed = set() if conditions is None else set(conditions.columns)
    if conditions is not None:
        tokens = conditions.put(tokens)
    order = [c for c in torch.randperm(columns, generator=generator).tolist() if c not in fixed]
    left = len(order)
    for group in torch.tensor_split(torch.tensor(order), max(min(steps, left), 1)):
        time = torch.full((n,), left / columns, device=device)
        state = net(tokens, time, conditions)
        for column in group.tolist():
            drawn = draw(net.logits(state, column), generator)
            tokens[:, column] = drawn.to(torch.int32)
        left -= len(group)
    return tokens


def multinomial_loss(
    net: TokenNet,
    tokens: Tensor,
    generator: torch.Generator,
    conditions: ConditionTensors | None = None,
) -> Tensor:
    """Return the cross-entropy of the clean tokens given tokens of which some were redrawn.

    Tokens of `conditions` are never redrawn, and not judged.
    """
    time = spread_times(len(tokens), generator)
    keep = torch.rand(tokens.shape, generator=generator) < _kept(time)[:, None]
    other = _uniform(net, len(tokens), generator)
    noisy = torch.where(keep.to(tokens.device), tokens, other.to(tokens.device))
    if conditions is not None:
        noisy = conditions.put(noisy)
    losses = _cross_entropy(net, net(noisy, time.to(tokens.device), conditions), tokens)
    if conditions is not None:
        losses = losses * (1 - conditions.mask(tokens.shape[1]))
    return losses.sum(dim=1).mean()


def sample_multinomial(
    net: TokenNet,
    n: int,
    steps: int,
    generator: torch.Generator,
    conditions: ConditionTensors | None = None,
) -> Tensor:
    """Return tokens int32[n, C] by `steps` steps of the reverse process from uniform noise.

    Each step draws clean tokens from the network and then the less noisy ones from their exact
    posterior, a mixture of staying, becoming clean and being redrawn, at a cost free of the
    number of levels (Hoogeboom et al. 2021, eq. 12, marginalised by drawing). Fixed
    tokens stay.
    """
    device = net.head.weight.device
    tokens = _uniform(net, n, generator).to(device)
    times = torch.linspace(1.0, 0.0, steps + 1)
    cards = torch.tensor(net.cards, device=device)
    for i in range(steps):
        if conditions is not None:
            tokens = conditions.put(tokens)
        state = net(tokens, torch.full((n,), float(times[i]), device=device), conditions)
        clean = [draw(net.logits(state, c), generator) for c in range(len(net.cards))]
        tokens = _posterior(
            tokens,
            torch.stack(clean, dim=1).to(torch.int32),
            _uniform(net, n, generator).to(device),
            cards,
            float(_kept(times[i])),
            float(_kept(times[i + 1])),
            generator,
        )
    return tokens if conditions is None else conditions.put(tokens)


def _posterior(
    now: Tensor,
    clean: Tensor,
    other: Tensor,
    cards: Tensor,
    kept_now: float,
    kept_next: float,
    generator: torch.Generator,
) -> Tensor:
    step = kept_now / max(kept_next, 1e-12)
    both = step * kept_next * (now == clean)
    stay = step * (1 - kept_next) / cards
    become = (1 - step) * kept_next / cards
    redraw = (1 - step) * (1 - kept_next) / cards
    level = torch.rand(now.shape, generator=generator).to(now.device)
    level = level * (both + stay + become + redraw)
    chosen = torch.where(level < both + stay, now, clean)
    return torch.where(level < both + stay + become, chosen, other)


def _cross_entropy(net: TokenNet, state: Tensor, tokens: Tensor) -> Tensor:
    logits = net.head(state).float().split(net.cards, dim=1)
    losses = [
        F.cross_entropy(part, tokens[:, c].long(), reduction="none")
        for c, part in enumerate(logits)
    ]
    return torch.stack(losses, dim=1)


def _uniform(net: TokenNet, n: int, generator: torch.Generator) -> Tensor:
    columns = [torch.randint(k, (n,), generator=generator, dtype=torch.int32) for k in net.cards]
    return torch.stack(columns, dim=1)


def _schedule(time: Tensor) -> tuple[Tensor, Tensor]:
    angle = (time * (math.pi / 2))[:, None]
    return angle.cos(), angle.sin()


def _log_ratio(time: Tensor) -> Tensor:
    angle = time * (math.pi / 2)
    return torch.log(angle.cos() / angle.sin())


def _kept(time: Tensor) -> Tensor:
    return (time * (math.pi / 2)).cos().square()
