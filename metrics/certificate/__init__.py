"""Certificates: evaluate all metrics, decide the verdict, sign, verify, rerun."""
