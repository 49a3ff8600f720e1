"""Efficacy metrics: machine-learning efficacy and policy ranking."""
