"""A package that is not installed gives one error that names the extra."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from panda_gym.errors import SettingError
from panda_gym.executors import RayExecutor
from panda_gym.extras import import_extra
from panda_gym.offline.datasets.formats.hdf5 import whole_hdf5


def test_what_is_installed_is_returned() -> None:
    assert import_extra("json", "minari") is sys.modules["json"]


def test_what_is_not_installed_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "minari", None)
    with pytest.raises(SettingError, match=r"package minari.*panda-grid-gym\[minari\]"):
        import_extra("minari", "minari")


def test_hdf5_without_h5py(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(SettingError, match=r"panda-grid-gym\[minari\]"), whole_hdf5(tmp_path, 1):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_cluster_without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SettingError, match=r"panda-grid-gym\[ray\]"):
        list(RayExecutor("auto").each(max, 1, [1]))
