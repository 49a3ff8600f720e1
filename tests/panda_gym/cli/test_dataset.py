"""`panda-grid dataset`: a recipe becomes a folder; bad names are one line and exit code 2."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from panda_gym.cli.app import build, main
from panda_gym.offline import datasets

SMALL = ("--platform", "tiny4", "--scale", "1", "--jobs", "20", "--transitions", "60")


def test_a_recipe_in_two_formats(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    out = tmp_path / "medley"
    arguments = ["dataset", "--recipe", "medley", "--out", str(out), *SMALL]
    formats = ["--format", "dsrl", "--format", "d3rlpy", "--json"]
    result = CliRunner().invoke(build(), [*arguments, *formats], catch_exceptions=False)
    shown = json.loads(result.stdout)
    assert (shown["transitions"], shown["episodes"]) == (80, 4)  # one episode a behaviour
    assert (out / "dsrl.hdf5").is_file()
    assert (out / "d3rlpy.hdf5").is_file()
    data = datasets.OfflineDataset.open(out)
    assert len(set(data.behaviours)) == len(datasets.recipe("medley"))
    assert data.document["environment"]["settings"]["scenario"] == "default"


@pytest.mark.parametrize(
    ("option", "value", "nearest"),
    [
        ("--recipe", "medium-exprt", "medium-expert"),
        ("--policy", "rndom", "random"),
        ("--format", "minary", "minari"),
        ("--scenario", "rsh", "rush"),
        ("--policy", "random=much", "NAME=WEIGHT"),
    ],
)
def test_a_wrong_name_is_one_line_with_the_nearest(
    option: str,
    value: str,
    nearest: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["dataset", "--out", str(tmp_path / "out"), *SMALL, option, value]
    monkeypatch.setattr(sys, "argv", ["panda-grid", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert len(said) == 1
    assert nearest in said[0]
    assert not (tmp_path / "out").exists()
