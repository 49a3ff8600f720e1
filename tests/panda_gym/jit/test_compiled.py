"""The kernel without the compiler, and with bounds checked, gives what the compiled one gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from panda_gym.jit.compiled import source_stamp
from panda_gym.simulator import (
    Cancellations,
    Competing,
    Failures,
    Limits,
    Network,
    Outages,
    Retries,
    Settings,
    Simulator,
    Storage,
)
from tests.oracles.worlds import ENCODING, make_episode, make_platform
from tests.panda_gym.jit.processes import run_python

SCRIPT = """
import numpy as np
from tests.panda_gym.jit.test_compiled import fingerprint
with np.errstate(over="ignore"):  # 64-bit hashes wrap around by design
    print(fingerprint())
"""


def fingerprint() -> str:
    """Bits of everything that a small episode left behind, in one number."""
    platform = make_platform(5, most_cores=9)
    simulator = Simulator(
        platform,
        batch=2,
        capacity=60,
        encoding=ENCODING,
        settings=Settings(competing=Competing(interval_s=200.0), staleness_s=60.0),
    )
    for e in range(2):
        simulator.load(e, make_episode(platform, jobs=45, warmup=15, load=2.0, seed=e), seed=e)
    simulator.begin()
    actions = np.random.default_rng(0).integers(-1, 6, (45, 2))
    seen = 0.0
    for row in actions:
        simulator.step(row)
        seen += float(simulator.flat.astype(np.float64).sum())
    simulator.drain(0)
    whole = everything()
    times = [simulator.log(0).end_s.sum().hex(), simulator.log(1).start_s[:30].sum().hex()]
    return f"{times} {seen:.3f} {whole}"


def everything() -> list[str]:
    """The same with every mechanism on."""
    platform = make_platform(5, most_cores=9)
    rules = Settings(
        competing=Competing(interval_s=200.0),
        network=Network(level=1, mbps_per_core=0.2),
        storage=Storage(gb_per_core=1.0),
        failures=Failures(),
        retries=Retries(),
        limits=Limits(activated_s=2000.0, heartbeat_s=300.0),
        outages=Outages(up_s=3000.0, down_s=1000.0),
        cancellations=Cancellations(),
        discipline="easy",
        pilot_s=30.0,
        events=10_000,
    )
    simulator = Simulator(platform, batch=1, capacity=60, encoding=ENCODING, settings=rules)
    episode = make_episode(platform, jobs=45, warmup=15, load=2.0, datasets=9, hazard=0.3)
    simulator.load(0, episode, seed=3)
    simulator.begin()
    for action in np.random.default_rng(1).integers(-1, 6, (45, 1)):
        simulator.step(action)
    simulator.drain(0)
    events = simulator.events(0)
    return [float(events[name].sum()).hex() for name in ("time", "job", "site", "kind")]


def run(tmp_path: Path, **environment: str) -> str:
    """The fingerprint from a process of its own, with its own cache of machine code."""
    return run_python(
        "-W", "error", "-c", SCRIPT, NUMBA_CACHE_DIR=str(tmp_path), **environment
    ).stdout.strip()


def test_the_kernel_without_jit_gives_the_same(tmp_path):
    assert run(tmp_path, NUMBA_DISABLE_JIT="1") == fingerprint()


def test_the_kernel_with_bounds_checked_gives_the_same(tmp_path):
    assert run(tmp_path, NUMBA_BOUNDSCHECK="1") == fingerprint()


def test_a_change_of_any_source_changes_the_stamp_of_cached_code(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "b.py").write_text("y = 1\n")
    before = source_stamp([tmp_path])
    assert source_stamp([tmp_path]) == before
    (tmp_path / "b.py").write_text("y = 2\n")
    assert source_stamp([tmp_path]) != before
