"""Names and certificates of release 0.1 still work; names warn."""

from __future__ import annotations

from pathlib import Path

import pytest

import metrics
import panda_gym
from metrics.base import Score
from metrics.certificate.certificate import SCHEMA, Certificate, verdict
from metrics.deprecated import PUBLIC

SHIPPED = sorted(Path(panda_gym.__file__).parent.glob("surrogate/shipped/*/certificate.json"))


@pytest.mark.parametrize("name", PUBLIC)
def test_an_old_public_name_warns_and_is_the_new_one(name: str) -> None:
    with pytest.warns(FutureWarning, match=rf"metrics\.{name} is now metrics\.\w+\.{name}.*0\.3"):
        found = getattr(metrics, name)
    module, _, attribute = PUBLIC[name].partition(":")
    assert found is getattr(getattr(metrics, module.partition(".")[2]), attribute)


def test_the_old_name_of_the_reference_warns() -> None:
    score = Score("x", 0.2, 0.1, 0.3, 0.15, 0.1, 10, part="fidelity")
    with pytest.warns(FutureWarning, match=r"Score\.floor is now Score\.real_vs_real"):
        assert score.floor == 0.15


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_a_shipped_certificate_of_the_old_layout_opens(path: Path) -> None:
    card = Certificate.from_json(path)
    assert card.document["schema"] == 2
    entry = card.document["scores"]["dcr"]
    assert card.scores["dcr"].real_vs_real == entry["floor"]


def test_a_failed_certificate_of_the_old_layout_opens_and_a_changed_one_does_not(
    tmp_path: Path,
) -> None:
    document = dict(Certificate.from_json(SHIPPED[0]).document)
    scores = {**document["scores"], "wd": {**document["scores"]["wd"], "bound": 0.5}}
    document = {**document, "scores": scores}
    found = verdict(document)
    old = {
        id: why.replace("real-vs-real reference", "floor") for id, why in found["reasons"].items()
    }
    assert old != found["reasons"]
    document["verdict"] = {**found, "reasons": old}
    card = Certificate.from_json(Certificate(document).to_json(tmp_path / "old.json"))
    assert not card.passed
    for changed in ({"reasons": {}}, {"word": "passed"}):
        document["verdict"] = {**found, **changed}
        with pytest.raises(metrics.MetricError, match="does not follow"):
            Certificate.from_json(Certificate(document).to_json(tmp_path / "changed.json"))
    new = {**document, "schema": SCHEMA, "verdict": {**found, "reasons": old}}
    (tmp_path / "new.json").write_text(Certificate(new).text())
    with pytest.raises(metrics.MetricError, match="does not follow"):
        Certificate.from_json(tmp_path / "new.json")
