"""Write the report of a run: one self-contained page."""

from __future__ import annotations

from panda_gym.visualization.report.folder import RunFolder
from panda_gym.visualization.report.page import write_report

__all__ = ["RunFolder", "write_report"]
