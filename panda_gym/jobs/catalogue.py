"""The replica catalogue: which sites of a platform hold each dataset of a stream.

It depends on the stream and the platform alone, so it is the same in every episode:

    site       a site of the stream by its name; a name that the platform does not have becomes
               a site drawn by a hash of the name, in proportion to disk (or an error: `strict`)
    replicas   first, the site where most of the dataset's jobs were; if that is not recorded, a
               hash of the dataset's number draws one. Then 0, 1 or 2 more (a third each), drawn
               by hash in proportion to disk; a site drawn twice counts once
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from panda_gym.errors import StreamError, nearest
from panda_gym.jobs.drawing import hashed_uniform, name_keys, weighted_pick
from panda_gym.jobs.stream import JobStream
from panda_gym.sites import Platform


class Catalogue(NamedTuple):
    """What a stream's indices mean on a platform."""

    sites: np.ndarray
    """Site of the platform, int16[sites of the stream + 1]; the last entry is -1, for -1."""
    replicas: np.ndarray
    """Sites that hold each dataset, int16[datasets, 3]; -1 none."""


# A memo: both are immutable, and environments ask for the same pair at every reset.
@lru_cache(maxsize=4)
def catalogue(stream: JobStream, platform: Platform, strict: bool = False) -> Catalogue:
    """Return the catalogue; StreamError if `strict` and the platform does not have a site."""
    sites = site_map(stream.site_names, platform, strict)
    return Catalogue(sites, replicas(sites[stream.dataset_source], platform.disk_tb))


def site_map(names: tuple[str, ...], platform: Platform, strict: bool) -> np.ndarray:
    """Return the site of the platform for each name, and -1 last: int16[names + 1]."""
    index = {name: k for k, name in enumerate(platform.names)}
    unknown = [name for name in names if name not in index]
    if unknown and strict:
        needed = f"sites of platform {platform.name!r} (strict)"
        raise StreamError(needed, repr(unknown[0]), nearest(unknown[0], platform.names))
    drawn = weighted_pick(hashed_uniform(name_keys(unknown), 0), platform.disk_tb)
    index |= dict(zip(unknown, drawn.tolist(), strict=True))
    found = np.array([*(index[name] for name in names), -1], dtype=np.int16)
    found.setflags(write=False)
    return found


def replicas(home: np.ndarray, disk: np.ndarray) -> np.ndarray:
    """Return the sites that hold each dataset, int16[datasets, 3].

    Shape: home int16[datasets], the recorded site or -1; disk float64[S].
    """
    number = np.arange(len(home))
    first, second, third = (weighted_pick(hashed_uniform(number, k), disk) for k in (1, 2, 3))
    more = np.floor(hashed_uniform(number, 4) * 3.0)
    found = np.full((len(home), 3), -1, dtype=np.int16)
    found[:, 0] = np.where(home >= 0, home, first)
    found[:, 1] = np.where((more >= 1) & (second != found[:, 0]), second, -1)
    again = (third == found[:, 0]) | (third == found[:, 1])
    found[:, 2] = np.where((more >= 2) & ~again, third, -1)
    found.setflags(write=False)
    return found
