"""Offline learning: data sets of logged episodes and off-policy evaluation."""
