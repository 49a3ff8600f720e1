"""The seal of a folder: the hash of each of its files.

`seal.json` names every file of the folder with its SHA-256. A file that is altered, missing or
extra breaks the seal, and so does a changed word of `seal.json`, which holds a hash of itself. The
seal shows tampering and accidents, not authorship: who can rewrite the whole folder can also
rewrite its seal. Authorship is what a certificate's signature shows.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from panda_gym.errors import SurrogateError
from panda_gym.files import sha256, whole_file

SEAL: Final = "seal.json"
FORMAT: Final = 2
REPAIR: Final = "fetch an unaltered copy; what was changed after sealing cannot be trusted"


@dataclass(frozen=True)
class Seal:
    """What `seal.json` holds."""

    files: dict[str, str]
    """SHA-256 of each file by its path within the folder."""
    about: dict[str, Any]
    """Name, origin of the training records, rates and versions."""

    @property
    def sha256(self) -> str:
        """SHA-256 of what the seal says."""
        text = json.dumps({"files": self.files, "about": self.about}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def write(self, folder: Path) -> None:
        """Write `seal.json` into the folder."""
        body = {"format": FORMAT, "files": self.files, "about": self.about, "sha256": self.sha256}
        with whole_file(folder / SEAL) as aside:
            aside.write_text(json.dumps(body, indent=1, sort_keys=True) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Seal:
        """Read `seal.json`; SurrogateError if there is none or it is damaged."""
        try:
            body = json.loads((folder / SEAL).read_text())
            if body["format"] != FORMAT:
                raise ValueError(f"format {body['format']!r}")
            seal = cls(files=dict(body["files"]), about=dict(body["about"]))
            if body["sha256"] != seal.sha256:
                raise ValueError("its content was altered after sealing")
            return seal
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SurrogateError(f"a readable {SEAL} in {folder}", repr(error), REPAIR) from error


def hash_files(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below the folder except the seal itself."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != SEAL)
    return {p.relative_to(folder).as_posix(): sha256(p) for p in paths}


def digest(folder: Path) -> str:
    """One SHA-256 over the names and hashes of all files below the folder."""
    lines = [f"{name} {file}\n" for name, file in sorted(hash_files(folder).items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def seal_folder(folder: Path, about: dict[str, Any]) -> Seal:
    """Hash the folder's files and write its seal."""
    seal = Seal(files=hash_files(folder), about=about)
    seal.write(folder)
    return seal


def verify_seal(folder: Path) -> Seal:
    """Read the seal and check every file against it; SurrogateError names those that differ."""
    seal = Seal.read(folder)
    found = hash_files(folder)
    for name in sorted(seal.files.keys() | found.keys()):
        if name not in found:
            raise SurrogateError(f"{name} as sealed in {folder}", "no such file", REPAIR)
        if name not in seal.files:
            raise SurrogateError(f"only sealed files in {folder}", f"an extra {name}", REPAIR)
        if seal.files[name] != found[name]:
            raise SurrogateError(
                f"{name} with SHA-256 {seal.files[name][:12]}…",
                f"{found[name][:12]}… (altered after sealing)",
                REPAIR,
            )
    return seal
