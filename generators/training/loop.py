"""The training loop of every neural generator.

AdamW with warm-up and cosine decay, an exponential moving average of the weights with warm-up,
early stopping on held-out rows, a time budget, and checkpoints from which a fit resumes to the
same weights bit for bit: everything random in step i is drawn from a seed made of (seed, i).
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from generators.base import FIT, Config, Progress, check_choice, check_range
from generators.encoding.encoder import Encoded
from generators.errors import GeneratorError
from generators.files import read_checkpoint, write_checkpoint
from generators.training.differential_privacy import Mechanism
from generators.training.distributed import World
from generators.training.progress import Report

CHECKPOINT = "checkpoint.safetensors"
MOMENTS = {"moves": "step", "first": "exp_avg", "second": "exp_avg_sq"}
"""Names in a checkpoint of what AdamW keeps of each parameter that it has moved."""
EVALUATE, SHUFFLE, STEP, START, HOLDOUT = range(5)


@dataclass(frozen=True)
class TrainingConfig(Config):
    """Settings that all neural generators share."""

    iterations: int = 1600
    """Most optimiser steps."""
    minutes: float | None = None
    """Most minutes of wall-clock time, within which the learning rate decays; None: no limit."""
    batch: int = 512
    """Rows in one optimiser step."""
    learning_rate: float = 2e-3
    """Peak learning rate of AdamW."""
    warmup: int = 50
    """Optimiser steps over which the learning rate rises."""
    momentum: float = 0.9
    """Decay of AdamW's first moment; adversaries want less."""
    weight_decay: float = 1e-3
    """Decoupled weight decay."""
    ema: float = 0.998
    """Decay of the moving average of the weights, approached from below."""
    holdout: float = 0.05
    """Share of the rows, at most 10,000, held out for early stopping (none below 400 rows)."""
    evaluate_every: int = 200
    """Optimiser steps between two evaluations on the held-out rows."""
    patience: int = 5
    """Evaluations without improvement after which the fit stops."""
    checkpoint_every: int = 500
    """Optimiser steps between two checkpoints."""
    device: str = "cpu"
    """Torch device of fit and sampling."""
    precision: str = "float32"
    """float32 (reproducible), bfloat16, or auto: bfloat16 where the hardware multiplies it."""
    stored: str = "float32"
    """float32, or float16: the fit ends by rounding the weights, and files are half as large."""

    here: ClassVar[dict[str, Any]] = {"device": "cpu"}
    """A model can be drawn from elsewhere than where it was fitted."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("iterations", "batch", "evaluate_every", "patience", "checkpoint_every"):
            check_range(self, name, 1, 10**9)
        check_range(self, "warmup", 0, 10**9)
        if self.minutes is not None:
            check_range(self, "minutes", 0.0, 1e9)
        check_range(self, "learning_rate", 0.0, 1.0)
        check_range(self, "momentum", 0.0, 0.999)
        check_range(self, "weight_decay", 0.0, 1.0)
        check_range(self, "ema", 0.0, 1.0)
        check_range(self, "holdout", 0.0, 0.5)
        check_choice(self, "precision", ("float32", "bfloat16", "auto"))
        check_choice(self, "stored", ("float32", "float16"))
        device_of(self.device)


@dataclass(frozen=True)
class Batch:
    """Rows as tensors."""

    tokens: Tensor
    """int32[B, C]"""
    numbers: Tensor
    """float32[B, D]"""
    present: Tensor
    """bool[B, D]"""

    @classmethod
    def of(cls, data: Encoded, device: torch.device) -> Batch:
        """Return encoded rows on a device."""
        parts = (data.tokens, data.numbers, data.present)
        return cls(*(torch.from_numpy(part).to(device) for part in parts))

    def rows(self, index: Tensor) -> Batch:
        """Return some of the rows."""
        return Batch(self.tokens[index], self.numbers[index], self.present[index])

    def __len__(self) -> int:
        return len(self.tokens)


Losses = Callable[[Batch, torch.Generator, Collection[str]], dict[str, Tensor]]
"""Mean loss of a batch for each of the named parts of a module (its children).

Whatever is random in it comes from the generator, on the CPU. A part without a loss is not moved
in that step. Adversaries are parts whose losses each reach the part's own parameters alone.
"""


@dataclass
class _State:
    """All that a checkpoint holds beside tensors."""

    step: int = 0
    seconds: float = 0.0
    best: dict[str, float] = field(default_factory=dict)
    """Least held-out loss of each part."""
    best_step: dict[str, int] = field(default_factory=dict)
    """When that was."""


def generator_of(seed: int, *stream: int) -> torch.Generator:
    """Return a CPU generator for one stream of one seed."""
    state = np.random.SeedSequence([seed, FIT, *stream]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0] >> np.uint64(1)))


def generator_from(rng: np.random.Generator) -> torch.Generator:
    """Return a CPU generator seeded from another's next number."""
    return torch.Generator().manual_seed(int(rng.integers(2**63)))


def device_of(name: str) -> torch.device:
    """Return the torch device of this name; refuse one that is not there."""
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, TypeError, NotImplementedError) as fault:
        raise GeneratorError(
            "a torch device that is here", f"{name!r}", 'use device="cpu"'
        ) from fault
    return device


def autocast(config: TrainingConfig) -> torch.autocast:
    """Return the context in which networks run at the configured precision."""
    kind = torch.device(config.device).type
    wanted = config.precision == "bfloat16" or (config.precision == "auto" and _has_bfloat16(kind))
    return torch.autocast(kind, dtype=torch.bfloat16, enabled=wanted)


def train(
    module: nn.Module,
    losses: Losses,
    data: Encoded,
    config: TrainingConfig,
    seed: int,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
    mechanism: Mechanism | None = None,
) -> None:
    """Fit `module`, already initialised, to minimise `losses`; leave its best averaged weights.

    The module's children are parts that are trained together but stopped apart, each at its own
    least held-out loss. With a `mechanism`, gradients are private, nothing is held out and no loss
    is looked at. Raises GeneratorError where `checkpoint` holds one of another fit, or the
    loss is not finite.
    """
    if not any(True for _ in module.parameters()):
        return  # constants only: nothing to learn
    if mechanism is not None:
        config = replace(config, holdout=0.0)
    fitting, held = _split(data, config, seed)
    run = _Run(module, losses, fitting, held, config, seed, mechanism)
    path = None if checkpoint is None else checkpoint / CHECKPOINT
    signature = _signature(data, config, seed)
    if path is not None:
        run.resume(path, signature)
    run.world.wait()
    began = time.monotonic() - run.state.seconds
    while not run.finished:
        run.clock(time.monotonic() - began)
        run.step()
        at = run.state.step
        if at % config.evaluate_every == 0 or run.done >= 1:
            run.evaluate()
            if progress is not None:
                total = config.iterations
                progress(total if run.finished else at, total, run.message())
        due = at % config.checkpoint_every == 0 or run.finished
        if path is not None and due and run.world.leads:
            run.write(path, signature)
    run.leave()


class _Run:
    """One running fit."""

    def __init__(
        self,
        module: nn.Module,
        losses: Losses,
        fitting: Encoded,
        held: Encoded,
        config: TrainingConfig,
        seed: int,
        mechanism: Mechanism | None = None,
    ) -> None:
        self.module, self.losses, self.config, self.seed = module, losses, config, seed
        self.parts = {
            name: part
            for name, part in module.named_children()
            if any(True for _ in part.parameters())
        }
        self.device = device_of(config.device)
        module.to(self.device).train()
        self.data, self.held = Batch.of(fitting, self.device), Batch.of(held, self.device)
        self.parameters = dict(module.named_parameters())
        self.ema = {name: p.detach().clone() for name, p in self.parameters.items()}
        self.best = {name: p.clone() for name, p in self.ema.items()}
        self.optimiser = torch.optim.AdamW(
            self.parameters.values(),
            lr=1.0,
            betas=(config.momentum, 0.99),
            weight_decay=config.weight_decay,
        )
        self.state = _State()
        self.world = World.now()
        self.mechanism = mechanism
        self.latest: dict[str, float] = {}
        self.active: list[str] = []
        self.batch = min(config.batch, len(self.data))
        if mechanism is not None and self.world.size > 1:
            raise GeneratorError(
                "one process for a private fit", f"{self.world.size}", "start it without torchrun"
            )
        if self.batch < self.world.size:
            raise GeneratorError(
                "at least one row of a batch for each process",
                f"{self.batch} rows for {self.world.size} processes",
                "raise batch or start fewer processes",
            )
        self.epoch, self.order = -1, torch.empty(0)

    @property
    def done(self) -> float:
        """Share of the budget that is used, of steps or of time, whichever is more."""
        part = self.state.step / self.config.iterations
        if self.config.minutes is None:
            return part
        return max(part, self.state.seconds / max(60 * self.config.minutes, 1e-9))

    @property
    def learning(self) -> list[str]:
        """Names of the parts whose held-out loss fell not too long ago."""
        wait = self.config.patience * self.config.evaluate_every
        last = self.state.best_step
        return [p for p in self.parts if self.state.step - last.get(p, self.state.step) < wait]

    @property
    def finished(self) -> bool:
        """Whether the budget or the patience with every part has run out."""
        return self.done >= 1 or not self.learning

    def clock(self, seconds: float) -> None:
        """Note how long the fit has taken, the same in all its processes."""
        if self.config.minutes is not None:
            seconds = self.world.agree(seconds, self.device)
        self.state.seconds = seconds

    def step(self) -> None:
        """Make one optimiser step and move the average."""
        rate = self.config.learning_rate * min(
            1.0, (self.state.step + 1) / (self.config.warmup + 1)
        )
        for group in self.optimiser.param_groups:
            group["lr"] = rate * (0.5 + 0.5 * math.cos(math.pi * min(self.done, 1.0)))
        self.optimiser.zero_grad(set_to_none=True)
        own = (self.world.rank,) if self.world.size > 1 else ()
        random = generator_of(self.seed, STEP, self.state.step, *own)
        self.active = self.learning
        if self.mechanism is None:
            self._descend(random)
        else:
            index = self.mechanism.rows(len(self.data), random)
            self.mechanism.gradients(self.module, self.data.rows(index.to(self.device)), random)
        for part in self.parts.values():
            nn.utils.clip_grad_norm_(part.parameters(), 1.0)
        self.optimiser.step()
        self.state.step += 1
        decay = min(self.config.ema, (1 + self.state.step) / (10 + self.state.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.ema.values()), list(self.parameters.values()), 1 - decay)

    def _descend(self, random: torch.Generator) -> None:
        """Put the gradients of the next batch into the parameters."""
        batch = self._next_batch()
        losses = self.losses(batch, random, self.active)
        share = len(batch) / self.batch
        (torch.stack(list(losses.values())).sum() * share).backward()
        self.world.add_gradients(self.parameters.values())

    def evaluate(self) -> None:
        """Keep the averaged weights of each part that is at its best on the held-out rows."""
        if self.mechanism is not None:
            self._keep(self.active)  # a loss is a fact about the rows
            return
        rows = self.held if len(self.held) else self.data.rows(torch.arange(self.batch))
        sums = dict.fromkeys(self.active, 0.0)
        with self._averaged(), torch.no_grad():
            for i, part in enumerate(torch.arange(len(rows)).split(4096)):
                if i % self.world.size != self.world.rank:
                    continue
                random = generator_of(self.seed, EVALUATE, i)
                for name, loss in self.losses(rows.rows(part), random, list(sums)).items():
                    sums[name] += loss.item() * len(part) / len(rows)
        self.latest = self.world.add(sums, self.device)
        for name, total in self.latest.items():
            self._judge(name, total)

    def _judge(self, name: str, loss: float) -> None:
        if not math.isfinite(loss):
            raise GeneratorError(
                "a finite loss", f"{loss} after {self.state.step} steps", "lower learning_rate"
            )
        if len(self.held) and loss >= self.state.best.get(name, math.inf):
            return
        self.state.best[name] = loss
        self._keep([name])

    def _keep(self, parts: Collection[str]) -> None:
        """Take the averaged weights of some parts for the best so far."""
        for name in parts:
            self.state.best_step[name] = self.state.step
            for key, weight in self.ema.items():
                if key.startswith(f"{name}."):
                    self.best[key].copy_(weight)

    def message(self) -> Report:
        """Return the loss and the time that remains at most."""
        left = self.state.seconds * (1 / max(self.done, 1e-9) - 1)
        losses = ", ".join(f"{name} {loss:.4f}" for name, loss in self.state.best.items())
        said = f"loss of {losses}; " if losses else ""
        return Report(f"{said}{left:.0f} s left at most", self.latest)

    def leave(self) -> None:
        """Put the best averaged weights into the module."""
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(self.best[name])
        self.module.requires_grad_(False).eval()

    def write(self, path: Path, signature: str) -> None:
        """Write a checkpoint."""
        arrays: dict[str, Tensor] = {}
        for name, parameter in self.parameters.items():
            moved = self.optimiser.state.get(parameter)
            arrays |= {
                f"now.{name}": parameter.detach(),
                f"ema.{name}": self.ema[name],
                f"best.{name}": self.best[name],
            }
            if moved:
                arrays |= {f"{short}.{name}": moved[long] for short, long in MOMENTS.items()}
        meta = {**asdict(self.state), "signature": signature}
        write_checkpoint(path, meta, {k: a.cpu().numpy() for k, a in arrays.items()})

    def resume(self, path: Path, signature: str) -> None:
        """Go back to the state of a checkpoint, if there is one; refuse that of another fit."""
        found = read_checkpoint(path)
        if found is None:
            return
        meta, arrays = found
        if meta.pop("signature", None) != signature:
            raise GeneratorError(
                "a checkpoint of this table, seed and configuration",
                f"another fit's at {path}",
                "name another checkpoint folder or delete this one",
            )
        self.state = _State(**meta)
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(torch.from_numpy(arrays[f"now.{name}"].copy()))
                self.ema[name].copy_(torch.from_numpy(arrays[f"ema.{name}"].copy()))
                self.best[name].copy_(torch.from_numpy(arrays[f"best.{name}"].copy()))
                if f"moves.{name}" in arrays:
                    self.optimiser.state[parameter] = self._moments(name, arrays)

    def _moments(self, name: str, arrays: dict[str, np.ndarray]) -> dict[str, Tensor]:
        """Return the optimiser's state of one parameter; its count of moves stays on the CPU."""
        found = {k: torch.from_numpy(arrays[f"{s}.{name}"].copy()) for s, k in MOMENTS.items()}
        return {k: t if k == "step" else t.to(self.device) for k, t in found.items()}

    def _next_batch(self) -> Batch:
        per_epoch = len(self.data) // self.batch
        epoch, place = divmod(self.state.step, per_epoch)
        if epoch != self.epoch:
            shuffle = generator_of(self.seed, SHUFFLE, epoch)
            self.epoch, self.order = epoch, torch.randperm(len(self.data), generator=shuffle)
        index = self.order[place * self.batch : (place + 1) * self.batch]
        return self.data.rows(self.world.share(index).to(self.device))

    def _averaged(self) -> Any:
        return _Swapped(self.module, self.parameters, self.ema)


class _Swapped:
    """Context in which the averaged weights stand in the module, in evaluation mode."""

    def __init__(
        self, module: nn.Module, parameters: dict[str, nn.Parameter], ema: dict[str, Tensor]
    ) -> None:
        self.module, self.parameters, self.ema = module, parameters, ema

    def __enter__(self) -> None:
        self.module.train(not self.module.training)
        for name, parameter in self.parameters.items():
            parameter.data, self.ema[name] = self.ema[name], parameter.data

    def __exit__(self, *_: object) -> None:
        self.__enter__()


def _split(data: Encoded, config: TrainingConfig, seed: int) -> tuple[Encoded, Encoded]:
    held = min(int(len(data) * config.holdout), 10_000) if len(data) >= 400 else 0
    order = np.random.default_rng([seed, FIT, HOLDOUT]).permutation(len(data))
    return data.rows(np.sort(order[held:])), data.rows(np.sort(order[:held]))


def _signature(data: Encoded, config: TrainingConfig, seed: int) -> str:
    settings = asdict(replace(config, minutes=None))
    text = json.dumps([seed, {k: repr(v) for k, v in settings.items()}], sort_keys=True)
    digest = hashlib.sha256(text.encode())
    for part in (data.tokens, data.numbers):
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def _has_bfloat16(kind: str) -> bool:
    if kind != "cpu":
        return True
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
