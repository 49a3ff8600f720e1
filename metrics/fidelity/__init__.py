"""Fidelity metrics: columns, associations, detection, coverage, tails."""
