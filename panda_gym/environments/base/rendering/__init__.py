"""Rendering that families share: panels of bars."""
