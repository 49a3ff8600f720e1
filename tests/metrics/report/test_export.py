"""Markdown and CSV say what the certificate says, and their data stay data."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

import metrics
from metrics import base
from metrics.certificate.certificate import Certificate, canonical, verdict
from metrics.report import explanations as meaning
from metrics.report import export

NASTY = '<b>|x|</b>\n=cmd("`a`")'


@pytest.fixture(scope="module")
def card(make, small):
    with pytest.MonkeyPatch.context() as patch:
        kept = {name: base.METRICS[name] for name in ("wd", "diff_corr", "dcr", "time")}
        patch.setattr(base, "METRICS", kept)
        whole = make(7000, 1).sample(frac=1, random_state=0)
        whole = whole.rename(columns={"ninputdatafiles": NASTY})
        parts = (whole.iloc[:2000], whole.iloc[2000:6000], whole.iloc[6000:])
        return metrics.certify(*parts, policy=small, quick=True)


def test_the_csv_has_every_score_with_every_digit(card):
    rows = list(csv.DictReader(io.StringIO(export.as_csv({NASTY: card}))))
    assert tuple(rows[0]) == export.COLUMNS
    assert {row["score"] for row in rows} == set(card.scores)
    for row in rows:
        score = card.scores[row["score"]]
        assert float(row["value"]) == score.value
        assert float(row["real_vs_real"]) == score.real_vs_real
        assert row["grade"] == score.grade
        assert (row["adjusted_p"] != "") == (score.id in card.adjusted_p)


def test_no_cell_is_a_formula(card):
    for name in ("=1+1", "@x", "+1"):
        rows = list(csv.reader(io.StringIO(export.as_csv({name: card}))))
        assert rows[1][0] == f"'{name}"


def test_the_markdown_has_verdict_failures_and_references_in_this_order(card):
    text = export.as_markdown({NASTY: card}, NASTY)
    assert text.index("FAILED") < text.index("efficacy (part)") < text.index("real against real")
    assert "<b>" not in re.sub("`[^`]*`", "", text)  # in code it is shown as it is
    assert all(len(line.split("|")) == 10 for line in text.splitlines() if line.startswith("| `"))
    assert card.seal in text


def forged(card, **entries) -> Certificate:
    document = json.loads(canonical(card.document))
    document.update(entries)
    document["verdict"] = verdict(document)
    return Certificate(document)


def test_what_a_verdict_means_depends_on_it(card):
    assert "does not meet" in meaning.headline(card)
    void = forged(card, self_test={"copy_leak": {"passed": False, "reason": "missed"}})
    assert void.verdict == "void"
    assert "No certificate" in meaning.headline(void)
    steward = next(iter(meaning.meanings(void).values()))
    assert "Do not release" in steward
    lax = {**card.document["policy"], "parts": dict.fromkeys(base.PARTS, False), "margins": {}}
    good = forged(card, policy=lax)
    assert good.verdict == "passed"
    assert "meets every demand" in meaning.headline(good)


def test_without_time_the_scheduler_is_told_that_nothing_is_known(card):
    entries = card.document["scores"].items()
    kept = {id: entry for id, entry in entries if entry["part"] != "temporal"}
    timeless = forged(card, scores=kept, left_out={"time": "no time column was named"})
    assert "Nothing is known" in meaning.meanings(timeless)["To train or test a scheduler on it"]
