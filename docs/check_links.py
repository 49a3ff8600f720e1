"""Check that every internal link of the built site has its target.

python docs/check_links.py build/docs/html
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

TARGET = {"a": "href", "img": "src", "link": "href", "script": "src"}
"""Attribute that points to a file, for each tag."""


class Page(HTMLParser):
    """Links and anchors of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = {""}
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag points to and what it can be reached by."""
        values = dict(attrs)
        self.anchors.update(v for k in ("id", "name") if (v := values.get(k)))
        if link := values.get(TARGET.get(tag, "")):
            self.links.add(link)


def is_internal(link: str) -> bool:
    """Whether a link stays on the site."""
    return not link.startswith(("http:", "https:", "mailto:", "data:", "javascript:"))


def broken_links(root: Path) -> list[str]:
    """Every internal link that leads to no file, or to no anchor of its page."""
    pages = {path: Page(path) for path in sorted(root.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        for link in sorted(filter(is_internal, page.links)):
            file, anchor = urldefrag(link)
            target = (path.parent / unquote(file.partition("?")[0])).resolve() if file else path
            known = pages[target].anchors if target in pages else {"", anchor}
            if not target.exists() or unquote(anchor) not in known:
                found.append(f"{path.relative_to(root)}: {link}")
    return found


def main() -> int:
    """Print what is broken; exit code 1 if anything is."""
    root = Path(sys.argv[1]).resolve()
    broken = broken_links(root)
    print(*broken, sep="\n")
    print(f"{len(list(root.rglob('*.html')))} pages, {len(broken)} broken internal links")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
