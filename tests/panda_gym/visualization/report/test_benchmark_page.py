"""The page of a benchmark: the front as a picture for all readers, and who pays."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from panda_gym.benchmarking import BenchmarkTable, Row
from panda_gym.benchmarking.measures import MEASURES
from panda_gym.visualization.report.benchmark import write_page
from panda_gym.visualization.report.front import front_drawing, front_section, standalone_front

NASTY = "<b>&mine"
SVG = "{http://www.w3.org/2000/svg}"


def table(policies: int = 5) -> BenchmarkTable:
    """Policies along a line that bends back; the last one has a nasty name and pays twice."""
    names = [f"p{k}" for k in range(policies - 1)] + [NASTY]
    rows = [
        Row(
            name,
            "day",
            seed,
            {m.name: 1.0 for m in MEASURES}
            | {"ln_slowdown": k + seed / 100, "weighted_turnaround": 3600.0 * (1 + (k - 2) ** 2)}
            | {"slowdown.work.9": 3.0 + k, "turnaround.work.9": 3600.0},
        )
        for k, name in enumerate(names)
        for seed in range(3)
    ]
    return BenchmarkTable(tuple(rows), "p0")


@pytest.mark.parametrize("policies", [1, 2, 5, 40])
def test_the_drawing_is_whole_for_any_number_of_policies(policies: int) -> None:
    made = table(policies)
    tree = ElementTree.fromstring(standalone_front(made, "day"))
    marks = [one for one in tree.iter(f"{SVG}g") if one.find(f"{SVG}title") is not None]
    assert len(marks) == policies
    numbers = [float(x) for x in re.findall(r'[xy]="([-\d.]+)"', standalone_front(made, "day"))]
    assert all(-20.0 < x < 900.0 for x in numbers)


def test_the_drawing_says_in_words_what_it_shows() -> None:
    tree = ElementTree.fromstring(front_drawing(table(), "day"))
    assert tree.attrib["role"] == "img"
    described = tree.findtext(f"{SVG}desc") or ""
    assert "On the front, from least slowdown on: p0, ln slowdown" in described
    assert NASTY not in described
    legend = [text.text for text in tree.iter(f"{SVG}text")]
    assert {"on the front", "dominated", "oracle"} <= set(legend)


def test_members_and_others_differ_by_shape_and_not_by_colour_alone() -> None:
    tree = ElementTree.fromstring(front_drawing(table(), "day"))
    inside = [one.attrib["fill"] for one in tree.iter(f"{SVG}circle")]
    assert inside.count("none") == 2 + 1  # two dominated policies, and the legend's ring
    assert len(inside) == 5 + 2


def test_the_page_holds_front_and_classes_and_escapes_names(tmp_path: Path) -> None:
    page = write_page(table(), tmp_path / "page.html", command="panda-grid <x>").read_text()
    assert "Which policies are worth considering" in page
    assert "Who pays" in page
    assert "most work" in page
    assert "dominated by p1 and 1 more" in page
    assert NASTY not in page
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', page)


def test_a_table_of_an_older_release_has_a_page_without_them(tmp_path: Path) -> None:
    old = ("geometric_slowdown", "p95_slowdown", "mean_turnaround", "wan", "reward_pred", "cost")
    rows = tuple(
        Row(name, "day", seed, dict.fromkeys(old, 2.0)) for name in "ab" for seed in range(2)
    )
    made = BenchmarkTable(rows, "a")
    assert front_section(made, "day") == ""
    page = write_page(made, tmp_path / "page.html").read_text()
    assert "Who pays" not in page
    assert "geometric_slowdown" in page
