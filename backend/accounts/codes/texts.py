"""The words of every SMS: one GSM-7 segment each, without accents (rules 201, 211; case TO19)."""

from __future__ import annotations

from backend.branding.brand import Brand
from backend.limits import Limits
from backend.settings import Settings

SEGMENT = 160  # characters that one message takes; a longer one is paid for twice

PURPOSES = {
    "login": "xac thuc dang nhap",
    "registration": "xac thuc dang ky",
    "recovery": "lay lai mat khau",
    "mail_recovery": "dat lai mat khau thu cong vu",
    "phone_change": "xac thuc doi so dien thoai",
    "method": "xac thuc them so dien thoai",
    "join": "xac thuc gop tai khoan",
}


def code_text(code: str, settings: Settings, limits: Limits, purpose: str = "login") -> str:
    """Purpose, minutes and the warning; then the app's hash and the web domain line where configured."""
    minutes = max(1, limits.otp_lifetime // 60)
    text = (
        f"Ma {PURPOSES[purpose]} {settings.brand.sms_name} la {code}, hieu luc {minutes} phut. "
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


def decided_text(brand: Brand, decision: str) -> str:
    """For whoever wants to hear of their role requests by message; which unit and role stays in the app."""
    return (
        f"{brand.sms_name}: yeu cau ve vai tro cua ban {DECISIONS[decision]}. Mo ung dung de xem. "
        "Ban co the ngung nhan tin nay o muc Du lieu ca nhan."
    )


def exists_text(brand: Brand) -> str:
    """For the owner of a number that somebody tried to register again (rule 120)."""
    return (
        f"{brand.sms_name}: co nguoi vua dang ky bang so dinh danh cua ban. Ban da co tai khoan: hay dang nhap, "
        f"hoac chon Quen mat khau. Neu khong phai ban, goi {brand.hotlines.own}."
    )


def phone_changed_text(brand: Brand, masked: str) -> str:
    """For the old number after a change (rule 163; case TC04)."""
    return (
        f"{brand.sms_name}: so nhan OTP cua tai khoan vua doi sang {masked}. Neu khong phai ban, "
        f"mo ung dung chon Khong phai toi hoac goi {brand.hotlines.own}."
    )


def phone_removed_text(brand: Brand) -> str:
    """For a number that was taken away from an account, whoever did it (rule 163)."""
    return (
        f"{brand.sms_name}: so dien thoai nay vua duoc go khoi tai khoan cua ban. Neu khong phai ban, goi ngay "
        f"{brand.hotlines.own}."
    )


def recovered_text(brand: Brand) -> str:
    """For the OTP phone after a recovery (rule 163)."""
    return f"{brand.sms_name}: mat khau vua duoc dat lai. Neu khong phai ban, goi ngay {brand.hotlines.own}."


def join_proposed_text(brand: Brand) -> str:
    """For the phones of two accounts that a desk holds to be one person's (case R26)."""
    return (
        f"{brand.sms_name}: can bo de nghi gop tai khoan cua ban voi mot tai khoan khac cung ten. Neu khong phai "
        f"ca hai la cua ban, goi ngay {brand.hotlines.own}."
    )


def desk_joined_text(brand: Brand) -> str:
    """For the same phones when a second clerk has confirmed it."""
    return (
        f"{brand.sms_name}: hai tai khoan cung ten da duoc gop thanh mot, dang nhap bang VNeID. Neu khong phai "
        f"ca hai la cua ban, goi ngay {brand.hotlines.own}."
    )


def name_proposed_text(brand: Brand) -> str:
    """For whoever's name a clerk has read otherwise on a paper (case R37)."""
    return (
        f"{brand.sms_name}: can bo de nghi sua ho ten tren tai khoan cua ban theo giay to. Neu khong phai ban de "
        f"nghi, goi ngay {brand.hotlines.own}."
    )


def name_corrected_text(brand: Brand) -> str:
    """For the same when a second clerk has read it too."""
    return (
        f"{brand.sms_name}: ho ten tren tai khoan cua ban da duoc sua theo giay to. Neu khong phai ban de nghi, "
        f"goi ngay {brand.hotlines.own}."
    )


def thawed_text(brand: Brand) -> str:
    """For whoever's account a clerk has opened again (case R37)."""
    return (
        f"{brand.sms_name}: tai khoan cua ban da duoc mo khoa dang nhap. Neu khong phai ban de nghi, goi ngay "
        f"{brand.hotlines.own}."
    )
