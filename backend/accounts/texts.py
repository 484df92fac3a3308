"""The words of the SMS with a code: one GSM-7 segment without accents (contract §4, security TO19)."""

from __future__ import annotations

from backend.limits import Limits
from backend.settings import Settings

SEGMENT = 160


def code_text(code: str, settings: Settings, limits: Limits) -> str:
    """Purpose, minutes and the warning; then the app's hash and the web domain line where configured."""
    minutes = max(1, limits.otp_lifetime // 60)
    text = (
        f"Ma xac thuc Hue-S dang nhap la {code}, hieu luc {minutes} phut. "
        "Can bo khong bao gio hoi ma nay. Khong chia se."
    )
    if settings.sms_app_hash:
        text += f"\n{settings.sms_app_hash}"
    if settings.sms_web_domain:
        text += f"\n@{settings.sms_web_domain} #{code}"
    return text
