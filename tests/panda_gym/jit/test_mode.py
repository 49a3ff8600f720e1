"""Which mode is taken, what the user is told, and that all modes give the same."""

from __future__ import annotations

import warnings
from types import SimpleNamespace

import pytest

from panda_gym.errors import SettingError
from panda_gym.jit import compiled, mode
from tests.panda_gym.jit import small_kernel
from tests.panda_gym.jit.processes import run_python
from tests.panda_gym.jit.worlds import world_hash

WORLDS = 36
SMALL = "tests.panda_gym.jit.small_kernel"
KERNEL_TESTS = [
    "tests/panda_gym/simulator/test_closed_forms.py",
    "tests/panda_gym/simulator/test_competing.py",
    "tests/panda_gym/simulator/test_invariants.py",
    "tests/panda_gym/simulator/test_mechanisms.py",
    "tests/panda_gym/simulator/test_replica_index.py",
]
LONG_KERNEL_TESTS = [
    "tests/panda_gym/simulator",
    "tests/panda_gym/workflows/test_kernel.py",
    "tests/panda_gym/pipelines/test_kernel.py",
    "tests/panda_gym/credit/test_external_cost.py",
    "tests/panda_gym/oracles",
]


def run_small(before: str, cache: object) -> tuple[str, list[str]]:
    """What the small kernel prints after a statement, and the warnings of its process."""
    script = f"{before}; from {SMALL} import MODE, result; print(MODE, result())"
    done = run_python(
        "-W", "always::RuntimeWarning", "-c", script,
        PANDA_GRID_JIT="linked", NUMBA_CACHE_DIR=str(cache),
    )  # fmt: skip
    return done.stdout.strip(), [x for x in done.stderr.splitlines() if "RuntimeWarning" in x]


@pytest.mark.parametrize(
    ("name", "environment"),
    [
        ("linked", {"PANDA_GRID_JIT": "linked"}),
        ("linked", {"PANDA_GRID_JIT": ""}),
        ("plain", {"PANDA_GRID_JIT": "plain"}),
        ("interpreted", {"NUMBA_DISABLE_JIT": "1"}),
    ],
)
def test_a_mode_is_what_the_environment_says_and_gives_the_same(name, environment):
    printed = run_python("-W", "error", "-m", SMALL, **environment).stdout.strip()
    assert printed == f"{name} {small_kernel.result()}"


def test_an_untested_numba_is_one_warning_and_the_plain_mode(tmp_path):
    printed, warned = run_small("import numba; numba.__version__ = '0.99.0'", tmp_path)
    assert printed == f"plain {small_kernel.result()}"
    assert len(warned) == 1
    assert "numba 0.99.0 not tested" in warned[0]
    assert "install 'numba>=0.68,<0.69', 'llvmlite>=0.50,<0.51'" in warned[0]


@pytest.mark.parametrize(
    "moved",
    [
        "import numba.core.codegen as part; del part.JITCodeLibrary",
        "import numba.np.arrayobj as part; del part.getitem_arraynd_intp",
    ],
)
def test_an_internal_that_has_moved_is_one_warning_and_the_plain_mode(tmp_path, moved):
    printed, warned = run_small(moved, tmp_path)
    assert printed == f"plain {small_kernel.result()}"
    assert len(warned) == 1
    assert "an internal of numba has moved" in warned[0]


def test_an_internal_without_an_attribute_is_the_plain_mode_too(monkeypatch):
    load = mode._module

    def broken(name: str) -> object:
        if name == mode.LINKED:
            raise AttributeError("JITCodeLibrary")
        return load(name)

    monkeypatch.delenv(mode.VARIABLE, raising=False)
    monkeypatch.setattr(mode, "_module", broken)
    with pytest.warns(RuntimeWarning, match="has moved") as caught:
        assert mode.load_backend().MODE == "plain"
    assert len(caught) == 1


def test_the_plain_mode_on_request_needs_no_tested_version_and_no_warning(monkeypatch):
    monkeypatch.setenv(mode.VARIABLE, "plain")
    monkeypatch.setattr(mode, "versions", lambda: {"numba": "9.9", "llvmlite": "9.9"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert mode.load_backend().MODE == "plain"


@pytest.mark.parametrize("version", ["0.67.9", "0.69.0", "0.69.0rc1", "1.68.0", "unknown"])
def test_other_releases_are_untested(monkeypatch, version):
    monkeypatch.setattr(mode, "versions", lambda: {"numba": version, "llvmlite": "0.50.0"})
    assert mode.untested() == f"numba {version} not tested"


@pytest.mark.parametrize("version", ["0.68.0", "0.68.1", "0.68.0rc1"])
def test_patches_of_a_tested_release_are_tested(monkeypatch, version):
    monkeypatch.setattr(mode, "versions", lambda: {"numba": version, "llvmlite": "0.50.7"})
    assert mode.untested() is None


def test_an_unknown_mode_is_one_error(monkeypatch):
    monkeypatch.setenv(mode.VARIABLE, "fast")
    with pytest.raises(SettingError, match="needed PANDA_GRID_JIT to be 'linked' or 'plain'; got"):
        mode.load_backend()


def test_the_stamp_of_cached_code_depends_on_mode_and_versions(tmp_path, monkeypatch):
    (tmp_path / "a.py").write_text("x = 1\n")
    stamps = {compiled.source_stamp([tmp_path])}
    monkeypatch.setattr(compiled, "MODE", "another")
    stamps.add(compiled.source_stamp([tmp_path]))
    for name in mode.versions():
        changed = {**mode.versions(), name: "0.0.1"}
        monkeypatch.setattr(compiled, "versions", lambda changed=changed: changed)
        stamps.add(compiled.source_stamp([tmp_path]))
    assert len(stamps) == 4


def test_each_mode_caches_in_files_of_its_own():
    assert small_kernel.run._cache._cache_file._index_name.count(f".{compiled.MODE}-") == 1


def test_without_a_place_for_the_stamp_nothing_is_cached(tmp_path, monkeypatch):
    assert not compiled._stamp_cache(SimpleNamespace(), "stamp")
    monkeypatch.setattr(compiled, "_stamp_cache", lambda *_: False)
    twice = compiled.entry_decorator(tmp_path)(lambda x: x + x)
    assert twice(2) == 4
    assert not hasattr(twice._cache, "_cache_file")


def test_the_plain_mode_gives_the_same_random_worlds_bit_for_bit():
    module = "tests.panda_gym.jit.worlds"
    done = run_python("-W", "error", "-m", module, str(WORLDS), PANDA_GRID_JIT="plain")
    hashes = list(map(world_hash, range(WORLDS)))
    assert len(set(hashes)) == WORLDS
    assert done.stdout.split() == ["plain", *hashes]


def pass_in_plain_mode(tests: list[str], *options: str) -> None:
    """The tests pass in a process in the plain mode; some of them ran."""
    done = run_python(
        "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, *tests, PANDA_GRID_JIT="plain"
    )
    assert " passed" in done.stdout


def test_kernel_tests_pass_in_the_plain_mode():
    pass_in_plain_mode(KERNEL_TESTS)


@pytest.mark.long
def test_all_kernel_tests_pass_in_the_plain_mode():
    pass_in_plain_mode(LONG_KERNEL_TESTS)
