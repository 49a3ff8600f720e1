"""Claims about the catalogue: names are kept, replicas are distinct and lie where disk is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from panda_gym.errors import StreamError
from panda_gym.jobs import JobStream, episode
from panda_gym.jobs.catalogue import catalogue, replicas
from panda_gym.jobs.drawing import hashed_uniform, name_key
from panda_gym.sites import load_platform

TINY = load_platform("tiny4")
ATLAS = load_platform("atlas150")


def test_known_sites_keep_their_names_and_unknown_ones_get_a_stable_place(
    stream: JobStream,
) -> None:
    sites = catalogue(stream, TINY).sites
    for name, site in zip(stream.site_names, sites, strict=False):
        if name in TINY.names:
            assert TINY.names[site] == name
        else:
            assert 0 <= site < len(TINY)
    assert sites[-1] == -1
    # By the rule: disks are 50, 100, 200 and 400 TB, the name's uniform points into them.
    at = 750.0 * float(hashed_uniform(np.array([name_key("ELSEWHERE")]), 0)[0])
    drawn = sum(at >= edge for edge in (50.0, 150.0, 350.0))
    assert sites[stream.site_names.index("ELSEWHERE")] == drawn


def test_unknown_names_are_an_error_if_strict(stream: JobStream) -> None:
    with pytest.raises(StreamError, match=r"strict.*'ELSEWHERE'"):
        catalogue(stream, TINY, strict=True)


def test_a_job_finds_its_dataset_where_it_ran(stream: JobStream) -> None:
    made = episode(stream, TINY, jobs=len(stream), seed=1)
    assert np.array_equal(made.replicas[:, 0], made.source)
    for dataset in np.unique(made.dataset):
        assert len(np.unique(made.replicas[made.dataset == dataset], axis=0)) == 1


def test_replicas_are_sites_each_named_once() -> None:
    home = np.random.default_rng(0).integers(-1, 4, 5000).astype(np.int16)
    found = replicas(home, TINY.disk_tb)
    assert np.array_equal(found[home >= 0, 0], home[home >= 0])
    assert np.all((found >= -1) & (found < 4))
    assert np.all(found[:, 0] >= 0)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert not np.any((found[:, a] == found[:, b]) & (found[:, a] >= 0))


def test_replicas_lie_in_proportion_to_disk() -> None:
    found = replicas(np.full(40_000, -1, dtype=np.int16), ATLAS.disk_tb)
    share = np.bincount(found[:, 0], minlength=150) / len(found)
    assert share == pytest.approx(ATLAS.disk_tb / ATLAS.disk_tb.sum(), abs=0.004)
    # A third has none, one and two more; a few drawn twice count once.
    more = np.bincount((found[:, 1:] >= 0).sum(axis=1)) / len(found)
    assert more == pytest.approx([1 / 3, 1 / 3, 1 / 3], abs=0.06)


def test_a_platform_without_disk_still_holds_data() -> None:
    found = replicas(np.full(4000, -1, dtype=np.int16), np.zeros(4))
    assert np.bincount(found[:, 0]) / 4000 == pytest.approx([0.25] * 4, abs=0.03)


def test_the_catalogue_is_the_same_in_every_episode(stream: JobStream) -> None:
    first, other = (episode(stream, TINY, jobs=len(stream), seed=s) for s in (1, 2))
    by_dataset = [dict(zip(e.dataset, map(tuple, e.replicas), strict=True)) for e in (first, other)]
    assert by_dataset[0] == by_dataset[1]


def test_a_job_without_a_site_has_none_but_its_data_lie_somewhere(stream: JobStream) -> None:
    lost = replace(stream, source=np.full(len(stream), -1))
    made = episode(lost, TINY, jobs=20)
    assert np.all(made.source == -1)
    assert np.all(made.replicas[:, 0] >= 0)
