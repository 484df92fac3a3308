"""Branding files of invented provinces."""

from __future__ import annotations

from pathlib import Path

VAN_TRINH = Path(__file__).parent / "van_trinh.toml"
