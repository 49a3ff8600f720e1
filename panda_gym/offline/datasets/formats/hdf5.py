"""Write HDF5 files atomically, with one clear error for a full disk."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from panda_gym.extras import import_extra
from panda_gym.files import forget_asides, whole_file

if TYPE_CHECKING:
    import h5py

SPARE: Final = 1_000_000
"""Bytes reserved for the metadata of HDF5."""


@contextmanager
def whole_hdf5(path: Path, room: int) -> Iterator[h5py.File]:
    """Yield an open file beside `path` that takes its place if the block and closing succeed.

    room: bytes that it may take. OSError that names `path` if it cannot be written.
    """
    h5py = import_extra("h5py", "minari")
    forget_asides(path)
    with whole_file(path) as aside, writing(path, room):
        file = h5py.File(aside, "w")
        try:
            yield file
            file.close()
        except BaseException:
            os.truncate(aside, 0)  # room for what HDF5 still has to write before it lets go
            with suppress(OSError, RuntimeError):
                file.close()
            raise


@contextmanager
def writing(path: Path, room: int) -> Iterator[None]:
    """Ask for `room` bytes first, and turn what h5py raises into one clear error.

    HDF5 does not survive a disk that fills up while a file is being closed (it can end the
    process), so that it is not let near one.
    """
    try:
        _ask(path.parent, room)
        yield
    except (OSError, RuntimeError) as fault:
        number = getattr(fault, "errno", None) or errno.EIO
        says = f"{os.strerror(number)}: about {room / 1e6:.0f} MB are needed, is the disk full?"
        raise OSError(number, says, str(path)) from fault


def _ask(folder: Path, room: int) -> None:
    """Take `room` bytes of the disk and give them back; OSError if they are not there."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        os.posix_fallocate(file.fileno(), 0, room)
