"""Validation and dashboard: what they say is so, they hold together, and a browser shows them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from panda_gym.errors import DistributionError, PipelineError
from panda_gym.pipelines.dashboard import write_dashboard
from panda_gym.pipelines.experiment import Experiment, run
from panda_gym.pipelines.fleet import Fleet
from panda_gym.pipelines.validation import queue_waits, validate

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
TRACE = "LCG-2005_188041jobs_170sites.swf.gz"


def made(days: float = 10.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Jobs with a daily cycle and two classes of durations."""
    rng = np.random.default_rng(0)
    times = np.sort(rng.random(30_000) * days * 86_400.0)
    kept = rng.random(len(times)) < 0.55 + 0.45 * np.sin(2 * np.pi * times / 86_400.0)
    times = times[kept]
    label = rng.integers(2, size=len(times))
    return times, np.exp(3.0 + 3.0 * label + 0.8 * rng.standard_normal(len(times))), label


def test_a_trace_that_follows_its_distributions_is_met():
    found = validate(*made(), seeds=2)
    assert found.profile_correlation > 0.9
    assert np.mean(found.total["simulated"]) == pytest.approx(found.total["recorded"], rel=0.05)
    assert found.durations["largest_deviation"] < 0.15
    assert found.fitted_durations["largest_deviation"] < 0.10
    assert found.gaps["ks"] < 0.05
    with pytest.raises(DistributionError, match="cut"):
        validate(*made(), days=30.0)


def test_a_queue_of_one_slot_waits_as_lindley_says():
    rng = np.random.default_rng(1)
    times, lengths = np.cumsum(rng.exponential(1.0, 500)), rng.exponential(0.8, 500)
    wait, expected = 0.0, [0.0]
    for gap, length in zip(np.diff(times), lengths[:-1], strict=True):
        wait = max(0.0, wait + length - gap)
        expected.append(wait)
    np.testing.assert_allclose(queue_waits(times, lengths, 1), expected, atol=1e-9)


def waits_by_scan(times, lengths, cores, processors):
    """First come, first served by trying every instant at which processors become free."""
    starts, ends = [], []
    for time, length, count in zip(times, lengths, cores, strict=True):
        earliest = max([time, *starts[-1:]])
        instants = sorted(t for t in [earliest, *ends] if t >= earliest)
        for t in instants:
            running = zip(starts, ends, cores, strict=False)
            if sum(c for s, e, c in running if s <= t < e) + count <= processors:
                break
        starts.append(t)
        ends.append(t + length)
    return np.array(starts) - times


def test_a_queue_of_parallel_jobs_waits_as_a_scan_of_instants_says():
    rng = np.random.default_rng(2)
    for processors in (4, 7):
        times, lengths = np.cumsum(rng.exponential(1.0, 200)), rng.exponential(2.0, 200)
        cores = rng.integers(1, processors + 1, 200)
        expected = waits_by_scan(times, lengths, cores, processors)
        found = queue_waits(times, lengths, processors, cores)
        np.testing.assert_allclose(found, expected, atol=1e-9)
    with pytest.raises(DistributionError, match="at most 4 processors"):
        queue_waits(times, lengths, 4, np.full(200, 5))


def test_the_queue_has_the_processors_of_the_system():
    times, lengths, label = made()
    cores = np.where(np.arange(len(times)) % 3 == 0, 16, 1)
    found = validate(times, lengths, label, cores=cores, processors=128, seeds=1)
    assert found.waits["processors"] == 128
    late = times >= 8.0 * 86_400.0
    span = times[-1] - 8.0 * 86_400.0
    assert found.waits["load"] == pytest.approx(
        (np.maximum(lengths, 0.5) * cores)[late].sum() / (128 * span)
    )
    derived = validate(times, lengths, label, cores=cores, seeds=1)
    assert derived.waits["processors"] >= 16
    assert derived.waits["load"] <= 0.9


def shown(page: Path, tmp_path: Path) -> str:
    """The page's document after its scripts ran; fails on any message of the console."""
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
        "--disable-background-networking --disable-component-update --disable-sync "
        f"--enable-logging=stderr --user-data-dir={tmp_path / 'profile'} --dump-dom"
    )
    ran = subprocess.run(
        [str(CHROMIUM), *flags.split(), page.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in ran.stderr
    return ran.stdout


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to look with")
def test_a_browser_shows_the_dashboard(tmp_path):
    experiment = Experiment(
        Fleet(models=3), {"discipline": ["fifo", "improvement"]}, (0, 1), 5.0, "<b>title</b>"
    )
    run(experiment, tmp_path / "run")
    page = write_dashboard(tmp_path / "run")
    document = shown(page, tmp_path)
    assert "<b>title" not in document
    assert "discipline improvement" in document
    # One drawing a figure, made by the scripts that lie in the page.
    assert len(re.findall(r'class="x\d*tick"', document)) >= 20
    source = page.read_text()
    assert "<script src" not in source
    assert '<link rel="stylesheet' not in source


def test_a_dashboard_needs_an_experiment_that_ended(tmp_path):
    with pytest.raises(PipelineError, match=r"experiment\.json"):
        write_dashboard(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_grid_of_2005(shared_data, tmp_path):
    from panda_gym.jobs import JobStream
    from panda_gym.jobs.episode import _time_of_week

    stream = JobStream.from_swf(shared_data / "grid_trace" / TRACE)
    group = np.array(stream.levels["project"], dtype=object)[stream.project]
    lasted = stream.workload_true / stream.cores / 10.0
    found = validate(
        stream.arrival_s, lasted, group, start_s=_time_of_week(stream.epoch, 0.0), seeds=3,
        origin=stream.origin,
    )  # fmt: skip
    page = found.write(tmp_path)
    assert page.stat().st_size > 10_000
    again = json.loads((tmp_path / "validation.json").read_text())
    assert again["rest_jobs"] + again["fitted_jobs"] == len(stream)
    # Whole days of a trace repeat themselves only so far: reported as found.
    assert found.fitted_durations["largest_deviation"] < 0.25
    assert found.profile_correlation == pytest.approx(found.baseline_correlation, abs=0.2)
