"""Certificates: evaluate all metrics, decide the verdict, sign, verify, rerun."""

from __future__ import annotations

from metrics.certificate.certificate import Certificate

__all__ = ["Certificate"]
