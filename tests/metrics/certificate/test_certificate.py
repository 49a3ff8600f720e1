"""A certificate comes back as it went, and an altered one does not come back at all."""

from __future__ import annotations

import json

import pytest

import metrics
from metrics import base
from metrics.certificate.certificate import Certificate, canonical, plain
from metrics.errors import MetricError


@pytest.fixture(scope="module")
def card(make, small):
    with pytest.MonkeyPatch.context() as patch:
        kept = {name: base.METRICS[name] for name in ("wd", "jsd", "diff_corr", "dcr", "time")}
        patch.setattr(base, "METRICS", kept)
        whole = make(3000, 1).sample(frac=1, random_state=0)
        parts = (whole.iloc[:1000], whole.iloc[1000:2000], whole.iloc[2000:])
        return metrics.certify(*parts, policy=small, quick=True)


def test_a_certificate_survives_the_file(card, tmp_path):
    path = card.to_json(tmp_path / "deep" / "c.json")
    back = Certificate.from_json(path)
    assert back == card
    assert back.scores == card.scores
    assert (back.seal, back.passed, back.grades) == (card.seal, card.passed, card.grades)
    assert [p.name for p in path.parent.iterdir()] == ["c.json"]


def test_the_file_is_canonical(card, tmp_path):
    text = card.to_json(tmp_path / "c.json").read_text()
    assert text == canonical(json.loads(text))
    assert "NaN" not in text


def alter_score(d):
    d["scores"]["wd"]["value"] = 0.0


def alter_verdict(d):
    d["verdict"]["passed"] = True


def drop_part(d):
    del d["self_test"]


def alter_hash(d):
    d["sha256"]["train"] = "0" * 64


def add_key(d):
    d["note"] = "trust me"


@pytest.mark.parametrize("alter", [alter_score, alter_verdict, drop_part, alter_hash, add_key])
def test_an_altered_certificate_is_refused(card, tmp_path, alter):
    path = card.to_json(tmp_path / "c.json")
    document = json.loads(path.read_text())
    alter(document)
    path.write_text(canonical(document))
    with pytest.raises(MetricError, match="unaltered"):
        Certificate.from_json(path)


def test_a_verdict_that_does_not_follow_from_the_scores_is_refused_even_if_sealed(card):
    assert not card.passed  # efficacy was not measured
    document = json.loads(canonical(card.document))
    alter_verdict(document)
    forged = Certificate(document)
    with pytest.raises(MetricError, match="verdict"):
        Certificate.from_dict({**document, "seal": forged.seal})


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema":1}', "\x00"])
def test_damaged_files_are_one_clear_error(tmp_path, text):
    path = tmp_path / "c.json"
    path.write_text(text)
    with pytest.raises(MetricError):
        Certificate.from_json(path)
    with pytest.raises(MetricError):
        Certificate.from_json(tmp_path / "none.json")


def test_every_single_changed_byte_is_noticed(card, tmp_path):
    path = card.to_json(tmp_path / "c.json")
    raw = bytearray(path.read_bytes())
    for place in range(0, len(raw), len(raw) // 40):
        changed = raw.copy()
        changed[place] ^= 1
        path.write_bytes(changed)
        with pytest.raises(MetricError):
            Certificate.from_json(path)


def test_numbers_that_are_not_finite_become_null():
    assert plain({"a": float("nan"), "b": [float("inf"), 1.0]}) == {"a": None, "b": [None, 1.0]}
