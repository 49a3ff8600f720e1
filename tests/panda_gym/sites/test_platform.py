"""Claims about platforms: what is refused, and that scaling conserves."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panda_gym.errors import PlatformError
from panda_gym.sites import Platform, load_platform
from panda_gym.sites.platform import apportion


def naive_apportion(weights: list[int], total: int) -> list[int]:
    """One at a time: first one each, then what is due (largest remainders), slowly."""
    fixed: set[int] = set()
    while True:
        free = [i for i in range(len(weights)) if i not in fixed]
        rest = max(total - len(fixed), 0)
        below = [i for i in free if weights[i] * rest < sum(weights[j] for j in free)]
        if not below:
            break
        fixed.update(below)
    due = {i: weights[i] * rest / sum(weights[j] for j in free) for i in free}
    result = [int(due[i] + 1e-9) if i in due else 1 for i in range(len(weights))]
    for i in sorted(due, key=lambda i: (-(due[i] - result[i]), i)):
        if sum(result) < total:
            result[i] += 1
    return result


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 5000), min_size=1, max_size=30), st.integers(1, 40_000))
def test_apportion_gives_everyone_one_and_the_exact_total(weights: list[int], total: int) -> None:
    share = apportion(np.array(weights), total)
    assert share.min() >= 1
    assert share.sum() == max(total, len(weights))
    order = np.argsort(weights, kind="stable")
    assert (np.diff(share[order]) >= -1).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 500), min_size=1, max_size=12), st.integers(1, 3000))
def test_apportion_agrees_with_its_slow_twin(weights: list[int], total: int) -> None:
    assert apportion(np.array(weights), total).tolist() == naive_apportion(weights, total)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.001, 20.0))
def test_scaling_keeps_the_total_of_cores_power_and_links(scale: float) -> None:
    platform = load_platform("atlas150")
    scaled = platform.scaled(scale)
    assert scaled.cores.sum() == max(round(scale * int(platform.cores.sum())), len(platform))
    for field in fields(Platform):
        if field.name != "cores":
            assert getattr(scaled, field.name) is getattr(platform, field.name) or np.array_equal(
                getattr(scaled, field.name), getattr(platform, field.name)
            )


def test_scaling_by_one_changes_nothing() -> None:
    platform = load_platform("tiny4")
    assert np.array_equal(platform.scaled(1.0).cores, platform.cores)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf"), "1", True, None])
def test_a_scale_that_is_not_above_zero_is_refused(scale: object) -> None:
    with pytest.raises(PlatformError, match="a scale above 0"):
        load_platform("tiny4").scaled(scale)  # type: ignore[arg-type]


def test_a_scale_beyond_the_integers_is_refused() -> None:
    with pytest.raises(PlatformError, match="whole numbers up to"):
        load_platform("atlas150", scale=1e6)


def test_capacity_is_the_sum_over_sites() -> None:
    platform = load_platform("tiny4")
    assert platform.capacity_gflops == 8 * 10 + 16 * 8 + 32 * 12.5 + 64 * 16


def test_index_finds_every_site_and_names_the_nearest_to_an_unknown_one() -> None:
    platform = load_platform("atlas150")
    assert [platform.index(name) for name in platform.names] == list(range(150))
    with pytest.raises(PlatformError, match=r"did you mean.*TRIUMF-LCG2"):
        platform.index("TRIUMF_LCG2")


def test_arrays_are_read_only_and_typed() -> None:
    platform = load_platform("tiny4")
    with pytest.raises(ValueError, match="read-only"):
        platform.cores[0] = 1
    kinds = {"cores": np.int32, "power": np.float64, "closeness": np.int8}
    assert all(getattr(platform, key).dtype == kind for key, kind in kinds.items())


def changed(values: np.ndarray, at: tuple[int, ...], value: float) -> np.ndarray:
    values = values.astype(np.float64)
    values[at] = value
    return values


@pytest.mark.parametrize(
    ("field", "at", "value", "needed"),
    [
        ("cores", (2,), -4, "at least 1 core; got -4 at 'SOUTH'"),
        ("cores", (0,), 0, "at least 1 core"),
        ("cores", (0,), 1.5, "whole numbers"),
        ("cores", (1,), np.nan, "without NaN; got NaN at 'EAST'"),
        ("power", (1,), 0, "power above 0"),
        ("power", (1,), np.inf, "power above 0"),
        ("disk_tb", (1,), -1, "disk of at least 0"),
        ("bandwidth_mbps", (0, 1), 0, "bandwidth above 0 MB/s; got 0 at 'NORTH' -> 'EAST'"),
        ("bandwidth_mbps", (0, 1), np.inf, "finite bandwidth between two sites"),
        ("bandwidth_mbps", (0, 1), np.nan, "without NaN"),
        ("latency_s", (0, 1), -1, "latency of at least 0"),
        ("closeness", (0, 1), 12, "closeness of 0..11"),
    ],
)
def test_each_bad_entry_is_one_clear_error(
    field: str, at: tuple[int, ...], value: float, needed: str
) -> None:
    platform = load_platform("tiny4")
    with pytest.raises(PlatformError, match=needed):
        replace(platform, **{field: changed(getattr(platform, field), at, value)})


def test_a_local_read_may_be_without_limit() -> None:
    platform = load_platform("tiny4")
    endless = changed(platform.bandwidth_mbps, (0, 0), np.inf)
    assert np.isinf(replace(platform, bandwidth_mbps=endless).bandwidth_mbps[0, 0])


@pytest.mark.parametrize(
    ("change", "needed"),
    [
        ({"names": ("A", "A", "B", "C")}, "unique site names"),
        ({"names": ("A", "", "B", "C")}, "a name for every site"),
        ({"names": ()}, "at least one site"),
        ({"region": ("CH",)}, "one region a site"),
        ({"latency_s": np.ones((4, 3))}, "square matrix"),
        ({"power": np.array(["fast"] * 4)}, "numbers as power"),
    ],
)
def test_each_bad_shape_is_one_clear_error(change: dict[str, object], needed: str) -> None:
    with pytest.raises(PlatformError, match=needed):
        replace(load_platform("tiny4"), **change)  # type: ignore[arg-type]
