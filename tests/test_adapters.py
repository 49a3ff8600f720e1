"""Every adapter runs where its library is installed; the page on adapters names each."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).resolve().parents[1]
ADAPTERS = sorted((ROOT / "examples" / "adapters").glob("*.py"))
LIBRARY: Final = {
    "d3rlpy_cql": "d3rlpy",
    "fsrl_ppo_lagrangian": "fsrl",
    "omnisafe_cmdp": "omnisafe",
    "osrl_bc": "osrl",
    "pufferlib_emulation": "pufferlib",
    "rllib_ppo": "ray.rllib",
    "tianshou_dqn": "tianshou",
}


def installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda path: path.stem)
def test_an_adapter_says_how_to_install_and_is_on_the_page(adapter: Path) -> None:
    source = adapter.read_text()
    assert "pip install" in source.split('"""')[1]
    assert f"examples/adapters/{adapter.name}" in source
    assert f"`{adapter.name}`" in (ROOT / "docs" / "guide" / "adapters.md").read_text()
    compile(source, str(adapter), "exec")


@pytest.mark.long
@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda path: path.stem)
def test_an_adapter_runs(adapter: Path, tmp_path: Path) -> None:
    if not installed(LIBRARY[adapter.stem]):
        pytest.skip(f"{LIBRARY[adapter.stem]} is not installed")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, str(adapter)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip()
