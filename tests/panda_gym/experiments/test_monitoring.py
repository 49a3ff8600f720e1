"""A surrogate in service: stale on other records, refitted, and the journal goes on."""

from __future__ import annotations

import numpy as np
import pytest

from panda_gym.errors import PipelineError
from panda_gym.experiments import monitoring
from panda_gym.experiments.monitoring import BatchReport, _reason, monitor
from panda_gym.pipelines.triggers import Triggers
from panda_gym.records import reference_records
from panda_gym.surrogate import build


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Three files of like records and two of others."""
    folder = tmp_path_factory.mktemp("records")
    paths, rows = [], pool()
    for n in range(5):
        table = rows.iloc[1200 * n : 1200 * (n + 1)]
        if n >= 3:
            table = table.assign(workload=table["workload"] * 30.0)
            table["inputfilebytes"] = table["inputfilebytes"] * 30
        paths.append(folder / f"week-{n}.parquet")
        table.to_parquet(paths[-1])
    return paths


def pool():
    """Like records in random order: 5 x 1,200 for the files and as many for what is in service."""
    rows = reference_records(7200, seed=0)
    return rows.iloc[np.random.default_rng(0).permutation(len(rows))]


class Sealed:
    """A certificate that passed or failed, and a folder: what a refit gives back."""

    def __init__(self, folder, passed):
        folder.mkdir(parents=True)
        self.folder, self.certificate = folder, type("Certificate", (), {"passed": passed})


def counted(monkeypatch, passed=True):
    """Refits are counted; what they would make is the table that they were given."""
    fitted, service = [], {}

    class Service:
        seal = type("Seal", (), {"about": {"generator": "smote"}})

        def __init__(self, table):
            self.table = table

        def sample(self, n, seed):
            rng = np.random.default_rng(seed)
            return self.table.iloc[rng.permutation(len(self.table))[:n]]

    def fit(records, folder, **_):
        fitted.append(records)

    def certify(fitted, records, folder, **given):
        service[given["name"]] = records
        return Sealed(folder, passed)

    monkeypatch.setattr(build, "fit", fit)
    monkeypatch.setattr(build, "certify", certify)
    monkeypatch.setattr(
        monitoring.Surrogate,
        "open",
        lambda path, **_: Service(service.get(str(path).split("/")[-1], pool().iloc[6000:])),
    )
    return fitted


def test_other_records_make_it_stale_and_a_refit_heals_it(files, tmp_path, monkeypatch):
    fitted = counted(monkeypatch)
    reports = monitor("default", files, tmp_path, triggers=Triggers(staleness=0.5))
    assert [report.outcome for report in reports] == ["kept", "kept", "kept", "refitted", "kept"]
    assert reports[3].reason == "staleness"
    assert reports[3].performance < 0.6 < reports[4].performance
    assert reports[4].version == 1
    assert len(fitted) == 1
    assert monitor("default", files, tmp_path, triggers=Triggers(staleness=0.5)) == reports
    assert len(fitted) == 1


def test_a_refit_that_fails_its_certificate_stays_out(files, tmp_path, monkeypatch):
    counted(monkeypatch, passed=False)
    reports = monitor("default", files[2:], tmp_path, triggers=Triggers(staleness=0.5))
    assert [report.outcome for report in reports] == ["kept", "rejected", "rejected"]
    assert reports[-1].version == 0


def test_an_interrupted_run_resumes(files, tmp_path, monkeypatch):
    counted(monkeypatch)
    first = monitor("default", files[:2], tmp_path)
    rest = monitor("default", files[:3], tmp_path)
    assert rest[:2] == first
    with pytest.raises(PipelineError, match="keep the order"):
        monitor("default", files[::-1], tmp_path)
    (tmp_path / "journal.json").write_text("{")
    with pytest.raises(PipelineError, match="begin anew"):
        monitor("default", files, tmp_path)


def test_page_hinkley_and_improvement_ask_too():
    assert _reason(Triggers(page_hinkley=0.2), [0.9] * 6 + [0.6, 0.6]) == "page_hinkley"
    assert _reason(Triggers(page_hinkley=0.2), [0.9] * 8) == ""
    assert _reason(Triggers(improvement=0.3), [0.65]) == "improvement"
    for triggers in (Triggers(period_s=5.0), Triggers(manual=True)):
        with pytest.raises(PipelineError, match="staleness"):
            monitor("default", [], "nowhere", triggers=triggers)


def test_a_look_is_plain_data():
    assert BatchReport("b", "0", 1, 1.0, 0.0, "", "kept", 0).outcome == "kept"


@pytest.mark.long
def test_the_whole_loop_with_a_real_refit(files, tmp_path):
    reports = monitor(
        "default", files[2:4], tmp_path, triggers=Triggers(staleness=0.5), generator="smote"
    )
    assert reports[1].outcome in ("refitted", "rejected")
    assert reports[1].reason == "staleness"
