"""The page is one file, escapes its data, and shows verdict, references and the paper's figures."""

from __future__ import annotations

import json
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from html import escape
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib import image

import metrics
from metrics import base
from metrics.certificate.certificate import Certificate, canonical, verdict
from metrics.errors import MetricError
from metrics.report import html as report
from metrics.report import plots
from metrics.report import svg as figures
from metrics.report.explanations import meanings

NASTY = '<script>alert("x")</script>'
VOID = {"meta", "br", "link"}
EMPTY_ICON = ("href", "data:,")


class Page(HTMLParser):
    """Collects tags and checks that they are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def cards(make, independent, small):
    with pytest.MonkeyPatch.context() as patch:
        kept = {name: base.METRICS[name] for name in ("wd", "jsd", "diff_corr", "dcr", "time")}
        patch.setattr(base, "METRICS", kept)
        whole = make(7000, 1).sample(frac=1, random_state=0)
        whole["datatype"] = whole["datatype"].cat.rename_categories({"TYPE_0": NASTY})
        train, holdout, rows = whole.iloc[:2000], whole.iloc[2000:6000], whole.iloc[6000:]
        train.attrs["origin"] = NASTY
        return {
            "smote & co": metrics.certify(train, holdout, rows, policy=small, quick=True),
            NASTY: metrics.certify(train, holdout, independent(rows, 0), policy=small, quick=True),
        }


def test_the_page_is_well_formed_without_scripts_and_without_network(cards, tmp_path):
    text = metrics.report.write_html(tmp_path / "r.html", cards).read_text()
    page = Page(text)
    assert not {"script", "iframe", "img", "object"} & set(page.seen)
    asked = [a for a in page.attributes if a[0] in ("src", "href") or a[0].startswith("on")]
    assert asked == [EMPTY_ICON]  # without it a browser asks for an icon
    assert not [word for word in ("http", "url(", "@import") if word in text]
    assert NASTY not in text
    assert len(text) < 3_000_000
    assert [p.name for p in tmp_path.iterdir()] == ["r.html"]


def test_the_verdict_and_the_failures_stand_first_and_every_score_beside_its_reference(cards):
    text = report.fragment(cards)
    assert text.index("FAILED") < text.index("What failed") < text.index("<svg")
    for card in cards.values():
        for id, score in card.scores.items():
            assert f"<code>{id}</code>" in text
            assert f"<td>{score.real_vs_real:.4f}</td>" in text
        assert card.seal in text


def test_every_reason_stands_under_its_part_with_what_the_score_means(cards):
    text = report.fragment(cards)
    card = cards[NASTY]
    assert card.verdict == "failed"
    order = [
        text.index(f"<h3>{part}</h3>") for part in ("Known-answer cases and demands", "Fidelity")
    ]
    assert order == sorted(order)
    for id in card.failures:
        if id in card.scores:
            assert f"<br><small>{escape(card.scores[id].note)}</small>" in text
    assert "<code>panda-grid verify" in text
    assert "5 of 5 were answered rightly" in text


def test_a_void_certificate_folds_away_what_it_says_of_scores(cards):
    document = json.loads(canonical(cards[NASTY].document))
    document["self_test"]["copy_leak"] = {"passed": False, "reason": "it was missed"}
    document["verdict"] = verdict(document)
    text = report.fragment([Certificate(document)])
    Page(text)
    assert text.index("VOID") < text.index("it was missed") < text.index("<details>")
    assert text.index("<details>") < text.index("<h3>Fidelity</h3>") < text.index("</details>")
    assert "<details>" not in report.fragment(cards)


def test_the_papers_figures_are_drawn_for_each_certificate(cards):
    text = report.fragment(cards)
    for figure in ("Figure 4a", "Figure 4b", "real (5a)", "smote &amp; co (5b)"):
        assert figure in text
    numbers, categories, triangles = 3, 2, 1 + 2 * len(cards)
    assert text.count("<svg") >= numbers + categories + triangles + 1 + 3


def test_the_curves_of_time_stand_beside_what_independent_rows_would_score(cards):
    text = report.fragment(cards)
    section = text[text.index("<h2>Time</h2>") :]
    for title in ("Hour of the day", "Autocorrelation of hourly counts"):
        assert title in section
    assert "independent rows" in section


def test_attack_curves_are_found_wherever_a_metric_left_them():
    roc = {"fpr": [0.0, 0.1, 1.0], "tpr": [0.0, 0.5, 1.0]}
    curves = {"ours": {"membership": {"roc": {"black_box": roc}, "power": 0.1}, "dcr": {"x": [1]}}}
    drawn = plots.attack_curves(curves)
    assert len(drawn) == 1
    assert "membership roc black box" in drawn[0]


def test_every_reader_is_told_what_the_verdict_means(cards):
    text = report.fragment(cards)
    plain = text.replace("<code>", "`").replace("</code>", "`")
    for card in cards.values():
        for reader, words in meanings(card).items():
            assert escape(reader) in text
            assert escape(words) in plain
    assert text.index("To decide whether to publish") < text.index("<table")


def test_the_folder_holds_page_markdown_and_csv(cards, tmp_path):
    path = metrics.write_report(tmp_path, cards)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.html", "report.md", "scores.csv"]
    assert path.read_text().startswith("<!doctype html>")


CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to look with")
def test_a_browser_without_network_shows_the_page(cards, tmp_path):
    path = metrics.write_report(tmp_path, cards)
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'u'}"]
    flags += ["--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1200,2400"]
    look = [f"--screenshot={tmp_path / 'page.png'}", "--dump-dom", path.as_uri()]
    done = subprocess.run(
        [CHROMIUM, *flags, *look], capture_output=True, text=True, timeout=120, check=True
    )
    shown = Page(done.stdout)
    assert "<script" not in done.stdout
    assert done.stdout.count("<svg") == path.read_text().count("<svg")
    assert shown.seen.count("section") == len(cards)
    pixels = image.imread(tmp_path / "page.png")
    assert len(np.unique(pixels[..., :3].reshape(-1, 3), axis=0)) > 20  # not a blank page


def test_one_certificate_or_a_list_will_do_and_nothing_will_not(cards):
    card = cards["smote & co"]
    assert "synthetic 1" in report.fragment([card])
    for nothing in ([], {}, ["text"]):
        with pytest.raises(MetricError, match="certificate"):
            report.fragment(nothing)


@pytest.mark.parametrize(
    "svg",
    [
        figures.densities(NASTY, [0, 1, 2], {NASTY: [0.4, 0.6], "b": [0, 0]}, ["a", NASTY, "c"]),
        figures.bars(NASTY, [NASTY, "b"], {NASTY: [0.5, 0.1]}),
        figures.triangle(NASTY, [NASTY, "b"], [[1, 0], [-0.001, 1]]),
        figures.curves(NASTY, [0, 1], {NASTY: [0, 0], "n": [-1, 2]}, ("x", NASTY)),
        figures.bars("empty", [], {}),
        figures.legend([NASTY]),
    ],
)
def test_every_figure_is_valid_xml_and_escapes_its_text(svg):
    ElementTree.fromstring(svg)
    assert NASTY not in svg
    assert ">-0.00<" not in svg
