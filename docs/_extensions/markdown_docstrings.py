"""Parse docstrings as Markdown, for the environment pages and for the API reference.

`{environment} ID` writes the class docstring of a registered environment into a page. Everything
that autodoc collects is handed on as a `markdown` directive, which parses it with MyST.
"""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any

from docutils import nodes
from docutils.utils import new_document
from myst_parser.parsers.sphinx_ import MystParser
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import panda_gym

EXAMPLE = re.compile(r"^>>> .*(?:\n(?!\s*$|```).+)*", re.MULTILINE)
"""Interactive examples: from a prompt to the next blank line."""


def prepared(docstring: str) -> str:
    """A docstring whose interactive examples stand in fences."""
    return EXAMPLE.sub(lambda found: f"```pycon\n{found[0]}\n```", docstring)


def entry_class(name: str) -> type:
    """The class behind a registered environment."""
    module, _, attribute = panda_gym.ENVIRONMENTS[name]["entry_point"].partition(":")
    return getattr(importlib.import_module(module), attribute)


class Environment(SphinxDirective):
    """The class docstring of a registered environment, as part of a Markdown page."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        found = entry_class(self.arguments[0])
        self.env.note_dependency(inspect.getsourcefile(found) or "")
        text = prepared(inspect.getdoc(found) or "")
        return self.parse_text_to_nodes(text, allow_section_headings=True)


class Markdown(SphinxDirective):
    """A docstring in Markdown, inside what autodoc writes; its headings become rubrics."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        document = new_document("docstring", self.state.document.settings)
        MystParser().parse(prepared("\n".join(self.content)), document)
        for section in list(document.findall(nodes.section)):
            title = section.next_node(nodes.title)
            rubric = nodes.rubric("", "", *title.children)
            section.replace_self([rubric, *(x for x in section.children if x is not title)])
        return document.children


def hand_on(
    app: Sphinx, what: str, name: str, object_: Any, options: Any, lines: list[str]
) -> None:
    """Replace a docstring's lines by a directive that holds them."""
    if any(lines):
        lines[:] = [".. markdown::", "", *(f"   {line}" for line in lines), ""]


def readable(
    app: Sphinx, what: str, name: str, object_: Any, options: Any, signature: str, returns: str
) -> tuple[str, str] | None:
    """Write `...` for the default of a dataclass field that a function makes."""
    return (signature.replace("<factory>", "..."), returns) if signature else None


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives and the hook of autodoc."""
    app.add_directive("environment", Environment)
    app.add_directive("markdown", Markdown)
    app.connect("autodoc-process-docstring", hand_on)
    app.connect("autodoc-process-signature", readable)
    return {"parallel_read_safe": True}
