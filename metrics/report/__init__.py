"""Reports of certificates as HTML, Markdown and CSV."""

from __future__ import annotations

from metrics.report.export import as_csv, as_markdown
from metrics.report.html import fragment, write_html, write_report

__all__ = [
    "as_csv",
    "as_markdown",
    "fragment",
    "write_html",
    "write_report",
]
