"""The platform: sites and links that jobs run on."""

from __future__ import annotations

from panda_gym.sites.energy import Electricity, electricity_origin
from panda_gym.sites.loading import load_platform, platform_names, platform_origin
from panda_gym.sites.platform import Platform

__all__ = [
    "Electricity",
    "Platform",
    "electricity_origin",
    "load_platform",
    "platform_names",
    "platform_origin",
]
