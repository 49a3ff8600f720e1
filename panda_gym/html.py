"""Build HTML pages and tables in the one style of the project; see `metrics.report.page`."""

from __future__ import annotations

from metrics.report.page import html_table, page, style, table

__all__ = ["html_table", "page", "style", "table"]
