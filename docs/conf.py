"""Settings of the documentation site: `make docs` builds it into build/docs/html."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_extensions")]

import panda_gym  # noqa: E402

project = "panda-grid-gym"
author = "The panda-grid-gym developers"
copyright = author
release = version = panda_gym.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "markdown_docstrings",
]
exclude_patterns = ["_extensions"]
source_suffix = {".md": "markdown"}
root_doc = "index"

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "fieldlist"]
myst_heading_anchors = 3
# Headings of docstrings begin below the page's; two packages may have a class of one name.
suppress_warnings = ["myst.header", "ref.python"]

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 80
add_module_names = False
toc_object_entries_show_parents = "hide"

# Types of other libraries and private aliases: the site is built offline and links to neither.
nitpick_ignore_regex = [("py:(class|obj|exc|data|attr|meth|mod)", r".*")]

html_theme = "furo"
html_copy_source = False
html_show_sphinx = False
html_title = f"panda-grid-gym {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {"navigation_with_keys": True}
copybutton_prompt_text = r"\$ |>>> "
copybutton_prompt_is_regexp = True
