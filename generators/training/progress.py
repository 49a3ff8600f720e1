"""Progress reports of a fit: text lines with losses, and TensorBoard.

board = TensorBoard("runs/board")
generators.create("tabddpm").fit(table, progress=board)
"""

from __future__ import annotations

from pathlib import Path

from generators.base import Progress
from generators.errors import GeneratorError


class Report(str):
    """One line of progress that also carries its losses."""

    losses: dict[str, float]

    def __new__(cls, text: str, losses: dict[str, float]) -> Report:
        """Return the line."""
        self = super().__new__(cls, text)
        self.losses = dict(losses)
        return self


class TensorBoard:
    """Progress that writes held-out losses for TensorBoard (package `tensorboard`)."""

    def __init__(self, folder: str | Path, also: Progress | None = None) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as fault:
            raise GeneratorError(
                "the package tensorboard",
                f"{fault}",
                'install it: pip install "panda-grid-gym[tensorboard]"',
            ) from fault
        self.writer, self.also = SummaryWriter(str(folder)), also

    def __call__(self, done: int, total: int, message: str) -> None:
        """Write the losses that a message carries, and pass it on."""
        for name, loss in getattr(message, "losses", {}).items():
            self.writer.add_scalar(f"held-out/{name}", loss, done)
        self.writer.flush()
        if self.also is not None:
            self.also(done, total, message)
        if done >= total:
            self.writer.close()
