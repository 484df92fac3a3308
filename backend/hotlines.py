"""Whom people call when something does not match or was not them (source 003, VI)."""

from __future__ import annotations

VNEID, HUE_S = "19000368", "19001075"
HOTLINES = {"vneid": VNEID, "hue_s": HUE_S}
