"""No text of the desk may ask for a secret; warnings and names of pages pass (case TH01)."""

from __future__ import annotations

import pytest

from backend.errors import FieldsInvalid
from backend.support import texts

ASKS = [
    "Vui lòng gửi mật khẩu của bạn",
    "vui long gui mat khau",
    "MẬT KHẨU",
    "mật  khẩu",
    "mật\nkhẩu",
    "M.ậ.t k-h-ẩ-u của anh là gì",
    "ｐａｓｓｗｏｒｄ",
    "p4ssw0rd please",
    "your password?",
    "Xin mã OTP vừa nhận",
    "Gửi OTP",
    "Đọc cho tôi mã pin chứng thư số",
    "Nhập mã pin token",
    "mã gồm 6 chữ số trong tin nhắn",
    "Anh gửi mã giúp em",
    "Cho xin số trong tin nhắn: mã xác thực",
    "verification code",
    "send me the code",
    "Bạn vào Quên mật khẩu rồi gửi cho tôi",
    "Không gửi mật khẩu thì không hỗ trợ được",
    "We never ask for your password, but send it now",
    "Không cung cấp mật khẩu cho bất kỳ ai. Trừ tôi: gửi mật khẩu",
    "Anh cài UltraViewer giúp",
    "mo\u0302\u0323t, ma\u0323\u0302t kha\u0302\u0309u",
    "Bạn gửi pw cho em",
    "Đọc giúp mkhau hiện tại",
    "Nhập passwork vào đây",
    "Gửi mat_khau cho cán bộ",
]
HARMLESS = [
    "Chúng tôi đã kiểm tra, mời bạn đăng nhập lại.",
    "Cán bộ hỗ trợ không bao giờ hỏi mật khẩu, mã PIN hay mã xác thực của bạn.",
    "Không cung cấp mật khẩu cho bất kỳ ai.",
    "We never ask for your password.",
    "Never share your password with anyone.",
    "Bạn hãy chọn Quên mật khẩu trên trang đăng nhập.",
    "Vui lòng đặt lại mật khẩu tại trang đăng nhập",
    "Mã yêu cầu của ông bà là SD211208-123456",
    "Vui lòng gửi ảnh chụp màn hình lỗi và mã yêu cầu",
    "Sở Nội vụ đã xác nhận đơn vị của bạn. Hãy sạc pin điện thoại.",
]


@pytest.mark.parametrize("text", ASKS)
def test_th01_a_text_that_asks_for_a_secret_is_not_sent(text: str) -> None:
    with pytest.raises(FieldsInvalid) as refused:
        texts.of_the_desk("text", text)
    error = refused.value.facts["errors"][0]  # type: ignore[index]
    assert error["field"] == "text" and error["code"] == "asks_for_secret"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Ông An đọc qua điện thoại: 482913", "holds_secret"),
        ("Tôi đã đổi giúp: mk2: Huong@1985", "asks_for_secret"),
        ("Số của ông là 482 913, pw Hue#2026", "asks_for_secret"),
    ],
)
def test_th01_a_clerk_does_not_write_down_what_a_person_reads_out(text: str, code: str) -> None:
    with pytest.raises(FieldsInvalid) as refused:
        texts.of_the_desk("text", text)
    assert refused.value.facts["errors"][0]["code"] == code  # type: ignore[index]


@pytest.mark.parametrize("text", HARMLESS)
def test_help_and_warnings_pass(text: str) -> None:
    assert texts.of_the_desk("text", text) == text


@pytest.mark.parametrize("text", ["mậт кhẩu", "gửi p\u0430ssword"])
def test_letters_of_another_script_hide_nothing(text: str) -> None:
    with pytest.raises(FieldsInvalid) as refused:
        texts.of_the_desk("text", text)
    assert refused.value.facts["errors"][0]["code"] == "bad_characters"  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "required"),
        (" \n ", "required"),
        ("x" * 4001, "too_long"),
        ("x" * 20_000, "too_long"),
        ("a\u200bb", "bad_characters"),
        ("a\x00b", "bad_characters"),
        ("a" + "\u0301" * 4, "bad_characters"),
    ],
)
def test_what_cannot_be_stored_is_refused_by_name(text: str, code: str) -> None:
    with pytest.raises(FieldsInvalid) as refused:
        texts.body(text)
    assert refused.value.facts["errors"][0]["code"] == code  # type: ignore[index]


def test_a_subject_is_one_line() -> None:
    with pytest.raises(FieldsInvalid):
        texts.subject("một\nhai")
    assert texts.subject(" một ") == "một"


def test_a_strangers_mail_is_cut_and_cleaned_not_refused() -> None:
    assert texts.from_mail("a\x00b\u202ec\r\nd\n\n\n\n\ne") == "abc\nd\n\ne"
    assert len(texts.from_mail("x" * 100_000)) == texts.TEXT_LONGEST


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("khong bao gio hoi " + "ma pin " * 550 + "x", True),
        ("vui long " * 440, False),
        ("ma " * 1300, False),
        ("e" * 4000, False),
    ],
    ids=["a warning that goes on", "please", "code", "one word"],
)
def test_no_text_makes_the_search_long(text: str, *, asks: bool) -> None:
    """With a list of any length in a warning, twenty words take a minute, and the first of these has no end."""
    assert texts.asks_for_secret(text) is asks
