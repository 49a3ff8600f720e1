"""Tables of long scripts on the page: the run's own, else the shipped ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panda_gym.errors import InputError
from panda_gym.visualization.report import RunFolder, write_report
from panda_gym.visualization.report.recorded import (
    SHIPPED,
    read_table,
    to_html,
    to_markdown,
    write_table,
)

HEAD = ["figure", "public", "ratio"]
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=9)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path)
    folder.settings.write_text(json.dumps({"command": "panda-grid demo"}))
    return folder


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=4))
def test_what_is_written_is_read_again(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("table")
    write_table(folder, rows)
    assert read_table(folder / "table.csv") == rows


def test_markdown_and_html_say_the_same():
    rows = [HEAD, ["wait", "1 < 2", "**no**"]]
    assert to_markdown(rows).splitlines()[2] == "| wait | 1 < 2 | **no** |"
    page = to_html(rows, "a & b")
    assert "<td>1 &lt; 2</td><td><b>no</b></td>" in page
    assert "a &amp; b" in page


@pytest.mark.parametrize("name", ["calibration", "link_levels"])
def test_the_shipped_table_is_on_the_page_until_the_run_has_its_own(run: RunFolder, name: str):
    shipped = read_table(SHIPPED / f"{name}.csv")
    page = write_report(run.root).read_text()
    assert f'id="{name.replace("_", "-")}"' in page
    assert all(f"<td>{cell}</td>" in page for cell in shipped[1][:3])
    write_table(run.table(name).parent, [HEAD, ["of this run", "1", "2"]])
    page = write_report(run.root).read_text()
    assert "<td>of this run</td>" in page
    assert f"{name}/table.csv" in page


def test_every_public_figure_is_met_in_the_shipped_calibration():
    head, *rows = read_table(SHIPPED / "calibration.csv")
    met, source = head.index("within 2"), head.index("source")
    public = [row for row in rows if row[met] and not row[source].startswith("assigned")]
    assert len(public) == 12
    assert all(row[met] == "yes" for row in public)


def test_rows_of_other_lengths_are_refused(tmp_path: Path):
    (tmp_path / "table.csv").write_text("a,b\n1\n")
    with pytest.raises(InputError, match="one length"):
        read_table(tmp_path / "table.csv")
