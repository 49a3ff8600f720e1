"""Where the state lies: every part has its own bytes, and copies go their own way."""

from __future__ import annotations

import numpy as np

from panda_gym.jit.layout import LINE, ArrayGroup, allocate
from panda_gym.simulator import Competing, Network, Settings, Simulator, Storage
from panda_gym.simulator.address_table import FIELDS
from tests.oracles.worlds import ENCODING, make_episode, make_platform

RULES = Settings(competing=Competing(), network=Network(), storage=Storage(), events=10)


def test_parts_do_not_overlap_and_begin_on_cache_lines() -> None:
    pair = np.dtype([("a", "f8"), ("b", "i4")], align=True)
    parts = [
        ArrayGroup(None, {"one": (pair, ())}),
        ArrayGroup(5, {"first": (pair, ()), "second": (np.dtype("i2"), (3,))}, 64),
        ArrayGroup(7, {"rows": (np.dtype("f4"), (4,))}),
    ]
    memory, stride, found = allocate(3, parts)
    assert [one.shape for one in found.values()] == [(3,), (3, 5), (3, 5, 3), (3, 7, 4)]
    assert len(memory) == 3 * stride
    assert stride % LINE == 0
    for name in ("one", "first", "rows"):
        assert found[name].ctypes.data % LINE == 0
    for value, one in enumerate(found.values(), start=1):
        one[...] = np.full(one.shape, value).astype(one.dtype)
    for value, one in enumerate(found.values(), start=1):
        np.testing.assert_array_equal(one, np.full(one.shape, value).astype(one.dtype))


def test_a_copy_shares_no_byte_and_goes_on_alike() -> None:
    platform = make_platform(6, most_cores=9)
    first = Simulator(platform, batch=2, capacity=60, encoding=ENCODING, settings=RULES)
    for e in range(2):
        first.load(e, make_episode(platform, jobs=60, load=2.0, seed=e, datasets=9), seed=e)
    first.begin()
    actions = np.random.default_rng(0).integers(0, 6, (50, 2))
    for row in actions[:20]:
        first.step(row)
    second = first.copy()
    np.testing.assert_array_equal(first.world.memory, second.world.memory)
    for name, field in FIELDS.items():
        ours, theirs = getattr(first.world, name), getattr(second.world, name)
        if field.step is not None:
            assert np.may_share_memory(theirs, second.world.memory)
        if isinstance(ours, np.ndarray):
            assert not np.may_share_memory(ours, theirs) or not ours.size
    for row in actions[20:]:
        first.step(row)
    was = second.flat.copy()
    for row in actions[20:]:
        second.step(row)
    assert (second.flat != was).any()
    np.testing.assert_array_equal(first.flat, second.flat)
