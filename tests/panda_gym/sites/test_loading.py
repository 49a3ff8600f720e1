"""Claims about reading platforms: the shipped ones, and a user's own tables."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from panda_gym.errors import PlatformError
from panda_gym.sites import load_platform, platform_names, platform_origin

SITES = "name,region,cores,power,disk_tb\nA,CH,10,10,1\nB,DE,20,12,2\n"
LINKS = "source,B,A\nA,5,100\nB,200,7\n"


def put(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


@pytest.mark.parametrize("name", platform_names())
def test_every_shipped_platform_loads_with_its_origin(name: str) -> None:
    platform = load_platform(name)
    assert platform.name == name
    assert len(platform) == int("".join(filter(str.isdigit, name)))
    assert {row["kind"] for row in platform_origin(name)} <= {
        "fact",
        "calibrated",
        "assigned",
        "as in atlas150",
    }
    assert np.all(np.diag(platform.closeness) == 0)
    off = ~np.eye(len(platform), dtype=bool)
    assert np.all(platform.latency_s[off] >= platform.latency_s[0, 0])


def test_scale_is_applied_on_loading() -> None:
    assert load_platform("tiny4", scale=0.5).cores.tolist() == [4, 8, 16, 32]


def test_sites_alone_take_the_documented_defaults(tmp_path: Path) -> None:
    platform = load_platform(put(tmp_path, mine="name,cores,power\nA,1,10\nB,2,11\n") / "mine.csv")
    assert platform.name == "mine"
    assert platform.bandwidth_mbps.tolist() == [[200.0, 22.0], [22.0, 200.0]]
    assert platform.closeness.tolist() == [[0, 11], [11, 0]]
    assert platform.latency_s.tolist() == [[2.0, 13.0], [13.0, 2.0]]
    assert platform.disk_tb.tolist() == [0.0, 0.0]
    assert platform.region == ("--", "--")


def test_a_matrix_is_brought_to_the_order_of_the_sites(tmp_path: Path) -> None:
    put(tmp_path, sites=SITES, bandwidth_mbps=LINKS)
    assert load_platform(tmp_path).bandwidth_mbps.tolist() == [[100.0, 5.0], [7.0, 200.0]]
    by_file = load_platform(tmp_path / "sites.csv", bandwidth=tmp_path / "bandwidth_mbps.csv")
    assert by_file.bandwidth_mbps.tolist() == [[100.0, 5.0], [7.0, 200.0]]


def test_queues_of_one_site_share_its_links(tmp_path: Path) -> None:
    sites = "name,site,cores,power\nA1,A,1,10\nB,B,1,10\nA2,A,1,10\n"
    put(tmp_path, sites=sites, bandwidth_mbps=LINKS)
    rate = load_platform(tmp_path).bandwidth_mbps
    assert rate.tolist() == [[100, 5, 100], [7, 200, 7], [100, 5, 100]]


def test_json_says_the_same_as_csv(tmp_path: Path) -> None:
    put(tmp_path, sites=SITES, bandwidth_mbps=LINKS)
    rows = [
        {"name": "A", "region": "CH", "cores": 10, "power": 10, "disk_tb": 1},
        {"name": "B", "region": "DE", "cores": 20, "power": 12, "disk_tb": 2},
    ]
    body = {"name": "mine", "sites": rows, "bandwidth_mbps": [[100, 5], [7, 200]]}
    (tmp_path / "p.json").write_text(json.dumps(body))
    a, b = load_platform(tmp_path / "p.json"), load_platform(tmp_path)
    assert a.name == "mine"
    assert (a.names, a.region) == (b.names, b.region)
    for field in ("cores", "power", "disk_tb", "bandwidth_mbps", "latency_s", "closeness"):
        assert np.array_equal(getattr(a, field), getattr(b, field))


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("name,cores\nA,1\n", "columns name, cores, power.*no power"),
        ("name,cores,power\n", "a header and rows"),
        ("", "a header and rows"),
        ("name,cores,cores\nA,1,1\n", "a column twice"),
        ("name,cores,power\nA,1\n", "3 fields in row 2"),
        ("name,cores,power\nA,many,10\n", "a number as cores of site 'A'.*'many'"),
        ("name,cores,power\nA,-3,10\n", "at least 1 core; got -3"),
        ("name,cores,power\nA,nan,10\n", "without NaN"),
        ("name,cores,power\nA,1,\n", "a number as power of site 'A'"),
        ("name,cores,power\nA,1,10\nA,2,10\n", "unique site names"),
        ("name,cores,power\n,1,10\n", "a name for every site"),
    ],
)
def test_each_bad_table_of_sites_is_one_clear_error(tmp_path: Path, text: str, needed: str) -> None:
    with pytest.raises(PlatformError, match=needed):
        load_platform(put(tmp_path, mine=text) / "mine.csv")


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("source,A\nA,1\nB,1\n", "square matrix.*2 rows and 1 columns"),
        ("source,A,C\nA,1,1\nB,1,1\n", "names that differ.*B.*C"),
        ("A,B\n1,1\n1,1\n", "square matrix"),
        ("source,A\nA,1\n", "a row for site 'B'"),
        ("source,A,B\nA,1,0\nB,1,1\n", "bandwidth above 0 MB/s"),
        ("source,A,B\nA,1,nan\nB,1,1\n", "without NaN"),
        ("source,A,B\nA,1,fast\nB,1,1\n", "a number as bandwidth_mbps"),
    ],
)
def test_each_bad_matrix_is_one_clear_error(tmp_path: Path, text: str, needed: str) -> None:
    put(tmp_path, sites=SITES, bandwidth_mbps=text)
    with pytest.raises(PlatformError, match=needed):
        load_platform(tmp_path)


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("{", "a JSON object"),
        ("[]", "a JSON object"),
        ('{"sites": [1]}', "a JSON object"),
        ('{"sites": []}', "a JSON object"),
        ('{"sites": [{"name": "A", "cores": 1}]}', "no power"),
        ('{"sites": [{"name": "A", "cores": NaN, "power": 1}]}', "without NaN"),
        (
            '{"sites": [{"name": "A", "cores": 1, "power": 1}], "bandwidth_mbps": [[1, 2]]}',
            "square matrix",
        ),
        (
            '{"sites": [{"name": "A", "cores": 1, "power": 1}], "closeness": [["x"]]}',
            "numbers as",
        ),
        (
            '{"sites": [{"name": "A", "cores": 1, "power": 1}], "latency_s": [[1], [2, 3]]}',
            "numbers as latency_s",
        ),
    ],
)
def test_each_bad_json_is_one_clear_error(tmp_path: Path, text: str, needed: str) -> None:
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(PlatformError, match=needed):
        load_platform(tmp_path / "p.json")


def test_an_unknown_name_is_met_with_the_nearest() -> None:
    with pytest.raises(PlatformError, match="did you mean atlas150"):
        load_platform("atlas-150")
    with pytest.raises(PlatformError, match="did you mean tiny4"):
        platform_origin("tiny")


def test_a_folder_without_sites_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="a readable CSV"):
        load_platform(tmp_path)


@pytest.mark.parametrize(
    ("body", "came"),
    [
        ([1, 2], "a JSON list"),
        ({"nodes": [], "links": []}, r"an object with keys \['links', 'nodes'\]"),
        ({"sites": {"a": 1}}, '"sites" as a dict of nothing that is a row'),
        ({"sites": []}, '"sites" as a list of nothing that is a row'),
        ({"sites": ["a", 3]}, '"sites" as a list of int, str'),
        ({"sites": [["name", "a"]]}, '"sites" as a list of list'),
    ],
)
def test_json_of_another_shape_is_described(tmp_path: Path, body: object, came: str) -> None:
    (tmp_path / "p.json").write_text(json.dumps(body))
    with pytest.raises(PlatformError, match=f'list "sites" of objects in .*; got {came}'):
        load_platform(tmp_path / "p.json")
