"""Claims about traces: every job of a log is kept, a damaged line is named."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from panda_gym.errors import StreamError
from panda_gym.jobs import STATUSES, JobStream
from panda_gym.jobs.swf import read_swf

HEADER = """\
; Version: 2.2
; UnixStartTime: 1132444805
; MaxJobs: 4
; Partition: 1 first.org
; Partition: 2 second.org
"""
#       job submit wait run alloc cpu mem req rtime rmem st user grp exe q part prec think
JOBS = """\
 1   0 -1  100  1 -1 -1 -1 -1 -1  1  5 2 -1 1  2 -1 -1
 2  30 -1   50 -1 -1 -1  4 -1 -1  0  6 2 -1 1  1 -1 -1
 3  10 -1    0 -1 -1 -1 -1 -1 -1 -1  5 3 -1 1 -1 -1 -1
 4  40 -1   10  2 -1 -1  8 -1 -1  5  5 3 -1 2  1 -1 -1
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.swf"
    path.write_text(HEADER + JOBS)
    return path


def test_a_log_is_read_as_documented(log: Path) -> None:
    stream = JobStream.from_swf(log)
    assert stream.arrival_s.tolist() == [0, 10, 30, 40]
    assert stream.cores.tolist() == [1, 1, 4, 2]
    assert stream.workload_true.tolist() == [1000, 0, 2000, 200]
    assert stream.workload_pred.tolist() == [36000, 36000, 1, 1]
    assert stream.dataset.tolist() == [0, 0, 1, 0]
    assert stream.site_names == ("first.org", "second.org")
    assert stream.source.tolist() == [1, -1, 0, 0]
    assert [STATUSES[s] for s in stream.status] == ["finished", "finished", "failed", "cancelled"]
    assert stream.levels["project"] == ("group-2", "group-3")
    assert stream.epoch == "2005-11-20T00:00:05"
    assert stream.origin == "swf:log.swf"
    assert JobStream.from_swf(log, power=20.0).total_gflop == 2 * stream.total_gflop


def test_the_requested_time_is_field_nine(tmp_path: Path) -> None:
    lines = JOBS.replace("100  1 -1 -1 -1 -1 -1", "100  1 -1 -1 -1 60 -1", 1)
    (tmp_path / "log").write_text(lines)
    stream = JobStream.from_swf(tmp_path / "log")
    assert stream.requested_s.tolist() == [60, 0, 0, 0]
    assert stream.workload_true[0] == 1000  # longer than requested, and kept as recorded


def test_gzip_is_read_whatever_its_name(log: Path, tmp_path: Path) -> None:
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(log.read_bytes()))
    assert np.array_equal(
        JobStream.from_swf(packed).workload_true, JobStream.from_swf(log).workload_true
    )


def test_parts_of_jobs_and_jobs_without_a_run_time_are_left_out(tmp_path: Path) -> None:
    lines = JOBS.splitlines()
    lines += [lines[0].replace("  1  5 2", "  2  5 2"), lines[0].replace(" 100 ", "  -1 ")]
    (tmp_path / "log").write_text("\n".join(lines))
    assert len(JobStream.from_swf(tmp_path / "log")) == 4


def test_sites_without_names_are_numbered(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(JOBS)
    assert JobStream.from_swf(tmp_path / "log").site_names == ("partition-1", "partition-2")


@pytest.mark.parametrize(
    ("old", "new", "needed"),
    [
        (" 2  30 -1", " 2  30", "18 numbers in line 7 of .*; got 17 fields"),
        (" 2  30 -1", " 2  30 -1 9", "18 numbers in line 7 of .*; got 19 fields"),
        ("   50 -1", "   50\u00e9 -1", r"line 7 of .*, read as latin-1; got '50é'"),
        ("   50 -1", "   fifty -1", "18 numbers in line 7 of .*'fifty'"),
        ("   50 -1", "   nan -1", "18 numbers in line 7 of .*'nan'"),
        (JOBS, "", "at least one job"),
        (JOBS, "hello world\n", "18 numbers in line 6"),
    ],
)
def test_each_damage_is_one_clear_error(log: Path, old: str, new: str, needed: str) -> None:
    assert old in log.read_text()
    log.write_text(log.read_text().replace(old, new), encoding="latin-1")
    with pytest.raises(StreamError, match=needed):
        JobStream.from_swf(log)


@pytest.mark.parametrize("stated", ["3", "5", "many"])
def test_a_header_that_counts_other_jobs_is_a_warning(log: Path, stated: str) -> None:
    log.write_text(log.read_text().replace("MaxJobs: 4", f"MaxJobs: {stated}"))
    with pytest.warns(UserWarning, match=f"header says MaxJobs: {stated}, but it has 4 jobs"):
        assert len(JobStream.from_swf(log)) == 4


def same(one: JobStream, other: JobStream) -> bool:
    return one.digest() == replace(other, name=one.name, origin=one.origin).digest()


@pytest.mark.parametrize("more", [2, 3])
def test_fields_beyond_the_18th_are_ignored_and_counted(
    log: Path, tmp_path: Path, more: int
) -> None:
    wide = tmp_path / "wide.swf"
    wide.write_text(HEADER + "".join(f"{line}{' x7' * more}\n" for line in JOBS.splitlines()))
    stream = JobStream.from_swf(wide)
    assert same(JobStream.from_swf(log), stream)
    assert stream.reading is not None
    assert stream.reading.assumed["fields after the 18th ignored"] == 4


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_byte_order_marks_latin_1_and_every_line_end_are_read(
    log: Path, tmp_path: Path, encoding: str, end: str
) -> None:
    text = HEADER.replace("; Version", "; Person: Ren\u00e9 \x85\n; Version") + JOBS
    other = tmp_path / "other.swf"
    other.write_bytes(text.replace("\n", end).encode(encoding))
    assert same(JobStream.from_swf(log), JobStream.from_swf(other))


def test_text_that_its_mark_denies_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "log.swf").write_bytes(b"\xef\xbb\xbf; Person: Ren\xe9\n" + JOBS.encode())
    with pytest.raises(StreamError, match=r"utf-8-sig text in .*byte-order mark.*0xe9"):
        JobStream.from_swf(tmp_path / "log.swf")


def test_a_reading_counts_what_was_dropped_and_assumed(tmp_path: Path, caplog) -> None:
    lines = JOBS.splitlines()
    lines += [lines[0].replace("  1  5 2", "  2  5 2"), lines[0].replace(" 100 ", "  -1 ")]
    lines += [lines[0].replace(" 1   0 ", " 9  -1 "), lines[0].replace(" 1   0 ", " 9  -5 ")]
    (tmp_path / "log").write_text("\n".join(lines))
    with caplog.at_level("INFO", logger="panda_gym"):
        stream = JobStream.from_swf(tmp_path / "log")
    assert caplog.messages == [
        "log: read 4 of 8 lines; dropped: part of a job (status 2, 3 or 4) (1), run time unknown"
        " (1), submit time unknown (2); assumed: requested processors taken as allocated (1),"
        " 1 core, none stated (1), status unknown, taken as finished (1)"
    ]
    assert str(stream.reading) == caplog.messages[0]


def test_a_log_without_any_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(JOBS.splitlines()[0].replace(" 100 ", " -1 "))
    with pytest.raises(StreamError, match="a job with a run time"):
        JobStream.from_swf(tmp_path / "log")


def test_a_file_that_is_missing_or_cut_off_is_one_clear_error(log: Path, tmp_path: Path) -> None:
    with pytest.raises(StreamError, match="a readable trace"):
        JobStream.from_swf(tmp_path / "none.swf")
    packed = gzip.compress(log.read_bytes())
    log.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(StreamError, match="a readable trace"):
        JobStream.from_swf(log)


@pytest.mark.parametrize("power", [0.0, -1.0, float("nan")])
def test_a_power_that_is_not_above_zero_is_refused(log: Path, power: float) -> None:
    with pytest.raises(StreamError, match="a power above 0"):
        JobStream.from_swf(log, power=power)


def test_every_job_of_the_lcg_2005_log_is_kept(shared_data: Path) -> None:
    path = shared_data / "grid_trace" / "LCG-2005_188041jobs_170sites.swf.gz"
    trace, stream = read_swf(path), JobStream.from_swf(path)
    assert len(stream) == int(trace.header["MaxJobs"]) == 188_041
    assert len(stream.site_names) == 170 == len(np.unique(stream.source))
    # The log's own total, by a reader that shares nothing with the parser.
    with gzip.open(path, "rt", encoding="latin-1") as file:
        rows = [line.split() for line in file if line.strip() and not line.startswith(";")]
    assert stream.total_gflop == 10.0 * sum(int(row[3]) * int(row[4]) for row in rows)
    assert stream.arrival_s[-1] == max(int(r[1]) for r in rows) - min(int(r[1]) for r in rows)
    counts = np.bincount(stream.source)
    assert np.sort(counts)[-1] / len(stream) == pytest.approx(0.165, abs=0.001)
