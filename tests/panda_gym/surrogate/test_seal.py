"""A sealed folder shows every alteration."""

from __future__ import annotations

from pathlib import Path

import pytest

from panda_gym.errors import SurrogateError
from panda_gym.surrogate.seal import SEAL, seal_folder, verify_seal


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "weights").write_bytes(bytes(range(100)))
    (tmp_path / "note.json").write_text("{}")
    seal_folder(tmp_path, {"name": "n"})
    return tmp_path


def test_an_untouched_folder_verifies(sealed: Path) -> None:
    assert verify_seal(sealed).about == {"name": "n"}
    assert set(verify_seal(sealed).files) == {"deep/weights", "note.json"}


@pytest.mark.parametrize("byte", [0, 50, 99])
def test_one_changed_byte_breaks_the_seal(sealed: Path, byte: int) -> None:
    body = bytearray((sealed / "deep" / "weights").read_bytes())
    body[byte] ^= 1
    (sealed / "deep" / "weights").write_bytes(body)
    with pytest.raises(SurrogateError, match="deep/weights"):
        verify_seal(sealed)


def test_one_changed_word_of_the_seal_breaks_it(sealed: Path) -> None:
    path = sealed / SEAL
    path.write_text(path.read_text().replace('"name": "n"', '"name": "m"'))
    with pytest.raises(SurrogateError, match="altered after sealing"):
        verify_seal(sealed)


def test_a_missing_file_breaks_the_seal(sealed: Path) -> None:
    (sealed / "note.json").unlink()
    with pytest.raises(SurrogateError, match=r"note\.json.*no such file"):
        verify_seal(sealed)


def test_an_extra_file_breaks_the_seal(sealed: Path) -> None:
    (sealed / "extra").write_text("x")
    with pytest.raises(SurrogateError, match="extra"):
        verify_seal(sealed)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 99, "files": {}, "about": {}}'])
def test_a_damaged_seal_is_one_clear_error(sealed: Path, text: str) -> None:
    (sealed / SEAL).write_text(text)
    with pytest.raises(SurrogateError, match="readable seal"):
        verify_seal(sealed)
