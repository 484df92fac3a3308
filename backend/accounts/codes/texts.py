"""The words of every SMS: one GSM-7 segment each, without accents (rules 201, 211; case TO19)."""

from __future__ import annotations

from backend.limits import Limits
from backend.settings import Settings

SEGMENT = 160  # characters that one message takes; a longer one is paid for twice

PURPOSES = {
    "login": "dang nhap",
    "registration": "dang ky",
    "recovery": "lay lai mat khau",
    "mail_recovery": "mat khau thu cong vu",
    "phone_change": "doi so dien thoai",
    "method": "them so dien thoai",
    "join": "gop tai khoan",
}


def code_text(code: str, settings: Settings, limits: Limits, purpose: str = "login") -> str:
    """Purpose, minutes and the warning; then the app's hash and the web domain line where configured."""
    minutes = max(1, limits.otp_lifetime // 60)
    text = (
        f"Ma xac thuc Hue-S {PURPOSES[purpose]} la {code}, hieu luc {minutes} phut. "
        "Can bo khong bao gio hoi ma nay. Khong chia se."
    )
    if settings.sms_app_hash:
        text += f"\n{settings.sms_app_hash}"
    if settings.sms_web_domain:
        text += f"\n@{settings.sms_web_domain} #{code}"
    return text


DECISIONS = {
    "approved": "da duoc duyet",
    "returned": "can bo sung thong tin",
    "rejected": "khong duoc duyet",
}


def decided_text(decision: str) -> str:
    """For whoever wants to hear of their role requests by message; which unit and role stays in the app."""
    return (
        f"Hue-S: yeu cau ve vai tro cua ban {DECISIONS[decision]}. Mo ung dung de xem. "
        "Ban co the ngung nhan tin nay o muc Du lieu ca nhan."
    )


def exists_text() -> str:
    """For the owner of a number that somebody tried to register again (rule 120)."""
    return (
        "Hue-S: co nguoi vua dang ky bang so dinh danh cua ban. Ban da co tai khoan: hay dang nhap, "
        "hoac chon Quen mat khau. Neu khong phai ban, goi 19001075."
    )


def phone_changed_text(masked: str) -> str:
    """For the old number after a change (rule 163; case TC04)."""
    return (
        f"Hue-S: so nhan OTP cua tai khoan vua doi sang {masked}. Neu khong phai ban, "
        "mo ung dung chon Khong phai toi hoac goi 19001075."
    )


def recovered_text() -> str:
    """For the OTP phone after a recovery (rule 163)."""
    return "Hue-S: mat khau vua duoc dat lai. Neu khong phai ban, goi ngay 19001075."


def join_proposed_text() -> str:
    """For the phones of two accounts that a desk holds to be one person's (case R26)."""
    return (
        "Hue-S: can bo de nghi gop tai khoan cua ban voi mot tai khoan khac cung ten. Neu khong phai "
        "ca hai la cua ban, goi ngay 19001075."
    )


def desk_joined_text() -> str:
    """For the same phones when a second clerk has confirmed it."""
    return (
        "Hue-S: hai tai khoan cung ten da duoc gop thanh mot, dang nhap bang VNeID. Neu khong phai "
        "ca hai la cua ban, goi ngay 19001075."
    )
