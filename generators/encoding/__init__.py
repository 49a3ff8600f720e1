"""Encode mixed tables as tokens and Gaussian numbers, and decode them."""

from __future__ import annotations

from generators.encoding.encoder import Encoded, Encoder, EncodingConfig

__all__ = ["Encoded", "Encoder", "EncodingConfig"]
