"""Losses reach TensorBoard."""

from __future__ import annotations

from pathlib import Path

import pytest

import generators
from generators.training.progress import Report, TensorBoard
from tests.generators.tables import mixed_table


def test_a_report_is_a_line_with_its_losses() -> None:
    report = Report("half way", {"tokens": 2.5})
    assert report == "half way"
    assert report.losses == {"tokens": 2.5}


def test_held_out_losses_are_written_and_passed_on(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    lines: list[tuple[int, int, str]] = []
    board = TensorBoard(tmp_path, also=lambda *line: lines.append(line))
    settings = {"iterations": 20, "batch": 64, "width": 8, "hidden": 8, "evaluate_every": 10}
    generators.create("tabddpm", **settings).fit(mixed_table(500), progress=board)
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert set(events.Tags()["scalars"]) == {"held-out/tokens", "held-out/numbers"}
    assert [e.step for e in events.Scalars("held-out/tokens")] == [10, 20]
    assert [done for done, _, _ in lines] == [10, 20]
