"""Encode mixed tables as tokens and Gaussian numbers, and decode them."""
