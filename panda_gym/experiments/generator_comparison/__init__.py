"""Table I of the paper: every generator on one table, side by side; knows no site and no agent.

Each generator is fitted and sampled in a process of its own, so that its CPU time and memory are
its own, and judged in another. What is done stays: a run that was killed goes on where it
stopped. See `panda_gym.experiments.generator_comparison.run`.
"""

from __future__ import annotations

from panda_gym.experiments.generator_comparison.entry import Entry
from panda_gym.experiments.generator_comparison.run import table1
from panda_gym.experiments.generator_comparison.source import Source, from_file, from_reference

__all__ = ["Entry", "Source", "from_file", "from_reference", "table1"]
