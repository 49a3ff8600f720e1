"""A part measured again gives the certificate's numbers, and says so where it does not."""

from __future__ import annotations

import json

import pytest

import metrics
from metrics import base
from metrics.certificate import rerun
from metrics.certificate.certificate import Certificate, canonical, verdict
from metrics.certificate.score_cache import Finding, ScoreCache
from metrics.errors import MetricError


@pytest.fixture(scope="module")
def tables(make):
    whole = make(3000, 1).sample(frac=1, random_state=0)
    return whole.iloc[:1000], whole.iloc[1000:2000], whole.iloc[2000:]


@pytest.fixture(scope="module")
def kept():
    wanted = ("wd", "jsd", "diff_corr", "dcr", "time")
    return {name: base.METRICS[name] for name in wanted}


@pytest.fixture
def few(monkeypatch, kept):
    monkeypatch.setattr(base, "METRICS", kept)
    monkeypatch.setattr(rerun, "METRICS", kept)


@pytest.fixture
def card(tables, small, few):
    return metrics.certify(*tables, policy=small, quick=True)


@pytest.mark.parametrize("part", ["fidelity", "privacy", "temporal", "jsd"])
def test_every_number_comes_out_again_in_another_order_of_rows(card, tables, part):
    mixed = [t.sample(frac=1, random_state=5) for t in tables]
    again = rerun.rerun(card, *mixed, part)
    assert again.same, again.differing
    assert again.found == again.certified
    assert again.changed == ()


def test_a_number_that_was_made_up_is_found(card, tables):
    document = json.loads(canonical(card.document))
    document["scores"]["wd.workload"]["value"] += 1e-6
    document["verdict"] = verdict(document)
    forged = Certificate(document)
    again = rerun.rerun(forged, *tables, "fidelity")
    assert not again.same
    assert again.differing == ("wd.workload",)
    assert rerun.rerun(forged, *tables, "jsd").same


def test_a_metric_that_gives_nothing_this_time_is_not_the_same(card, tables, monkeypatch):
    monkeypatch.setattr(base, "load", lambda name: lambda study: [])
    again = rerun.rerun(card, *tables, "wd")
    assert not again.same
    assert again.failures


def test_other_tables_and_unknown_parts_are_refused(card, tables, make):
    train, holdout, synthetic = tables
    with pytest.raises(MetricError, match="holdout table"):
        rerun.rerun(card, train, synthetic, holdout, "wd")
    with pytest.raises(MetricError, match="choose of"):
        rerun.rerun(card, *tables, "beauty")


def test_changed_code_and_versions_are_named(card):
    document = json.loads(canonical(card.document))
    document["sha256"]["code"] = "0" * 64
    assert rerun.changed(Certificate(document)) == ("code",)


def test_a_run_that_was_killed_goes_on_to_the_same_certificate(
    card, tables, small, few, tmp_path, monkeypatch
):
    seen = []
    load = base.load

    def dying(name):
        if name == "dcr" and "dcr" not in seen:
            seen.append("dcr")
            raise KeyboardInterrupt
        seen.append(name)
        return load(name)

    monkeypatch.setattr("metrics.certificate.selftest.run", lambda study, rules: {})
    whole = metrics.certify(*tables, policy=small, quick=True)
    monkeypatch.setattr(base, "load", dying)
    with pytest.raises(KeyboardInterrupt):
        metrics.certify(*tables, policy=small, quick=True, work=tmp_path)
    seen[:] = ["dcr"]
    resumed = metrics.certify(*tables, policy=small, quick=True, work=tmp_path)
    assert seen == ["dcr", "dcr", "time"]  # what was done was not measured again
    assert resumed.fingerprint == whole.fingerprint


def test_a_shelf_keeps_findings_apart_by_their_key_and_ignores_damage(tmp_path):
    score = base.Score("a", 0.1, float("nan"), 0.2, 0.0, 0.1, 5, part="fidelity")
    found = Finding([score], {}, {}, {"curve": [1, 2]}, 0.5)
    cache = ScoreCache.of(tmp_path, {"seed": 0})
    cache.write("wd", found)
    back = ScoreCache.of(tmp_path, {"seed": 0}).read("wd")
    assert back is not None
    assert repr(back) == repr(found)
    assert ScoreCache.of(tmp_path, {"seed": 1}).read("wd") is None
    assert [p.name for p in cache.folder.iterdir()] == ["wd.json"]
    (cache.folder / "wd.json").write_text('{"scores"')
    assert cache.read("wd") is None
