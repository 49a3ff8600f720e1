"""HTML pages of runs: report and replay."""
