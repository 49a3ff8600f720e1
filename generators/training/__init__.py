"""Fit neural generators: the training loop, progress, several processes, differential privacy."""
