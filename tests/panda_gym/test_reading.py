"""A reading is one line that counts what was read, dropped and assumed."""

from __future__ import annotations

import logging

import pytest

from panda_gym.reading import Reading, announce

READING = Reading(
    "log.swf", "lines", 12_345, 12_340, {"run time unknown": 5, "never": 0}, {"1 core": 1_000}
)


def test_it_is_one_line_without_what_touches_no_row() -> None:
    assert str(READING) == (
        "log.swf: read 12,340 of 12,345 lines"
        "; dropped: run time unknown (5); assumed: 1 core (1,000)"
    )
    assert str(Reading("a", "rows", 2, 2)) == "a: read 2 of 2 rows; dropped: none; assumed: none"


def test_it_is_announced_once_to_the_logger(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="panda_gym"):
        assert announce(READING) is READING
    assert caplog.messages == [str(READING)]
