"""The platform: sites and links that jobs run on."""

from __future__ import annotations

from panda_gym.sites.loading import load_platform, platform_names, platform_origin
from panda_gym.sites.platform import Platform

__all__ = ["Platform", "load_platform", "platform_names", "platform_origin"]
