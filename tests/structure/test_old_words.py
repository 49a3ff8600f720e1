"""The private words of 0.1 stand nowhere but in the table of old names."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDERS: Final = ("panda_gym", "generators", "metrics", "docs", "examples", "scripts")
PAGES: Final = ("README.md", "CONTRIBUTING.md")
ALLOWED: Final = ("panda_gym/deprecated.py", "generators/deprecated.py")
"""Files that must name the old words: the table of old names."""

OLD_RELEASE: Final = "0.1"
"""Lines that name this release may say how it called a thing."""

OLD_WORDS: Final = {
    r"(?i)\bhindsight": "difference reward",
    r"(?i)\bcost for others\b": "external cost",
    r"\b(?:Sketch|foresees?|foreseen)\b|\bclass Room\b": "forecast, oracle context",
    r"\bclass (?:Draft|Fit|Step|Info|Look|Here|Part|Shared|Whole|Nowhere)\b": "fit record, ...",
    r"(?i)\bcontestants?\b|\bstandings?\b": "policy resolution, statistical comparison",
    r"(?i)\bfaces?\b": "interface",
    r"(?i)\bcrews?\b": "thread pool",
    r"\bOnRay\b": "RayExecutor",
    r"\bAS_IT_IS\b|(?i:\bkept scenarios?\b)": "all mechanisms, standard suite",
    r"\bbest_law\b|\blaws?\b": "action probabilities, distribution",
    r"(?i)\blanes?\b|\btides?\b|\bagenda\b": "link costs, daily phase, event queue",
    r"(?i)\bshelf\b|\bdrawers?\b": "score cache, array cache",
    r"\b(?:Told|Waves|Maker)\b": "condition embedding, Fourier features, GAN generator",
    r"(?i)\bplanted\b": "known-answer case",
    r"(?i)\bunderway\b|\bunder way\b": "residual, running",
    r"(?i)\bnearness\b": "replica index",
    r"\b(?:PLACE|GATE|STORE|SEEN|TRACK)\b(?=.*dtype)": "site static, site status, ...",
    r"; knows\b|\bknows [a-z ,]+(?:, never|; never)\b": "say what the module does",
    r"(?i)\bpanda-grid (?:table1|watch)\b": "panda-grid compare, panda-grid monitor",
}
"""Old words as regular expressions, each with what the field says."""


def texts() -> list[Path]:
    """Return all text files of the repository that readers see."""
    listed = subprocess.run(
        ["git", "ls-files", *FOLDERS, *PAGES], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    suffixes = (".py", ".md", ".toml", ".html", ".js", ".css", ".ipynb", ".rst")
    return [ROOT / name for name in listed if name.endswith(suffixes) and name not in ALLOWED]


def hits(pattern: str) -> list[str]:
    """Return file, line number and line of every match."""
    rule = re.compile(pattern)
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if rule.search(line) and OLD_RELEASE not in line
    ]


@pytest.mark.parametrize("pattern", OLD_WORDS)
def test_an_old_word_is_not_used(pattern: str) -> None:
    found = hits(pattern)
    assert not found, f"{len(found)} uses; the field says: {OLD_WORDS[pattern]}\n" + "\n".join(
        found[:20]
    )


def test_the_search_finds_what_it_looks_for() -> None:
    assert hits(r"\bOLD_WORDS\b") == []
    assert any(line.startswith("README.md:") for line in hits("panda-grid"))
    assert not any("0.1" in line for line in hits("law"))
