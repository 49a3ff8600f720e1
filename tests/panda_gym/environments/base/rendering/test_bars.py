"""Panels of bars as text and as frames."""

from __future__ import annotations

import numpy as np

from panda_gym.environments.base.rendering.bars import HEIGHT, WIDTH, Panel, as_frame, as_text


def test_bars_grow_with_their_values_and_stop_at_the_end() -> None:
    panel = Panel("load", ["low", "half", "beyond"], np.array([0.0, 2.0, 9.0]), 4.0)
    np.testing.assert_array_equal(panel.shares(), [0.0, 0.5, 1.0])
    lines = as_text("head", [panel]).splitlines()
    assert lines[:2] == ["head", "load"]
    assert [line.count("#") for line in lines[2:]] == [0, 15, 30]


def test_a_fuller_panel_has_more_bar_pixels() -> None:
    def coloured(value: float) -> int:
        frame = as_frame("head", [Panel("load", ["one"], np.array([value]), 1.0)])
        assert frame.shape == (HEIGHT, WIDTH, 3)
        assert frame.dtype == np.uint8
        return int((frame == (0x37, 0xC8, 0xA5)).all(axis=2).sum())

    assert coloured(0.0) == 0
    assert 0 < coloured(0.3) < coloured(0.9)
