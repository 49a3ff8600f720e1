"""Compare generators on one table: cost, fidelity, efficacy and privacy (Table I of the paper).

Each generator is fitted and sampled in a process of its own, so that its CPU time and memory are
its own, and evaluated in another. A run that was killed resumes where it
stopped. See `panda_gym.experiments.generator_comparison.run`.
"""

from __future__ import annotations

from panda_gym.experiments.generator_comparison.entry import Entry
from panda_gym.experiments.generator_comparison.run import compare_generators
from panda_gym.experiments.generator_comparison.source import Source, from_file, from_reference

__all__ = ["Entry", "Source", "compare_generators", "from_file", "from_reference"]
