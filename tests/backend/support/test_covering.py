"""What of a person's words is covered before a desk could read it, and what is not (source 004, 2; TH01)."""

from __future__ import annotations

import re
import sys
from importlib import import_module

import pytest

from backend.support import covering
from backend.support.covering import COVER, covered

SECRETS = [
    ("Mật khẩu là Abc@12345", "Mật khẩu là ••••••"),
    ("mật khẩu: Abc@12345, xin giúp", "mật khẩu: ••••••, xin giúp"),
    ("mat khau=hunter2", "mat khau=••••••"),
    ("MẬT KHẨU Abc@12345 không vào được", "MẬT KHẨU •••••• không vào được"),
    ("Mật khẩu của tôi là Sông Hương 2026! Xin giúp", "Mật khẩu của tôi là Sông Hương •••••• Xin giúp"),
    ("mk: hoahong", "mk: ••••••"),
    ("mk hoahong1", "mk ••••••"),
    ("MK=Abc", "MK=••••••"),
    ("password is sunshine", "password is ••••••"),
    ("My password: sunshine, please help", "My password: ••••••, please help"),
    ("pass 12345678", "pass ••••••"),
    ("Pass:admin", "Pass:••••••"),
    ("mã PIN 1234", "mã PIN ••••••"),
    ("PIN là 123456.", "PIN là ••••••."),
    ("pin: 1234", "pin: ••••••"),
    ("OTP 123456", "OTP ••••••"),
    ("mã OTP: 123 456 nhé", "mã OTP: •••••• nhé"),
    ("mã xác thực là 654321 mà không vào", "mã xác thực là •••••• mà không vào"),
    ("ma xac thuc 654321", "ma xac thuc ••••••"),
    ("code 123456", "code ••••••"),
    ("code: 4711", "code: ••••••"),
    ("The code is 8888", "The code is ••••••"),
    ("Tôi nhận 123456 nhưng trang báo sai", "Tôi nhận •••••• nhưng trang báo sai"),
    ("123456", "••••••"),
    ("mật khẩu mới Abc@123", "mật khẩu mới ••••••"),
    ("đổi mật khẩu thành Abc@123 rồi", "đổi mật khẩu thành •••••• rồi"),
    ("mật khẩu là Abc@123 hoặc Xyz@456", "mật khẩu là •••••• hoặc ••••••"),
    ("mật khẩu là “Hoa hồng 12”", "mật khẩu là “••••••”"),
    ("Tài khoản 000012345678 mật khẩu Abc12345", "Tài khoản 000012345678 mật khẩu ••••••"),
    ("user/pass: an/Abc1", "user/pass: ••••••"),
    ("mật khẩu đăng nhập VNeID: Abc@1", "mật khẩu đăng nhập VNeID: ••••••"),
    ("Mật khẩu:\nAbc@123\nXin giúp", "Mật khẩu:\n••••••\nXin giúp"),
    ("ｐａｓｓｗｏｒｄ：１２３４５６", "ｐａｓｓｗｏｒｄ：••••••"),
    ("mật khẩu em là matkhau123 ạ", "mật khẩu em là •••••• ạ"),
    ("Mk em la hue2026 a", "Mk em la •••••• a"),
    ("mã OTP của tôi là 1 2 3 4 5 6", "mã OTP của tôi là ••••••"),
    ("mã pin usb token 12345678", "mã pin usb token ••••••"),
    ("mật khẩu email an@x.example: Abc@123", "mật khẩu email an@x.example: ••••••"),
    ("mật khẩu là abcdef", "mật khẩu là ••••••"),
    ("mật khẩu 123456", "mật khẩu ••••••"),
    ("Mật khẩu của tôi: abc123. Cảm ơn", "Mật khẩu của tôi: ••••••. Cảm ơn"),
    ("otp là 123456", "otp là ••••••"),
    ("Mã OTP là: 123456", "Mã OTP là: ••••••"),
    ("mã otp=123456", "mã otp=••••••"),
    ("Mật khẩu là: Abc@12345", "Mật khẩu là: ••••••"),
    ("password Abc@12345", "password ••••••"),
    ("PASSWORD: ABC12345", "PASSWORD: ••••••"),
    ("mật khẩu - Abc@123", "mật khẩu - ••••••"),
    ("mật khẩu (Abc@123)", "mật khẩu (••••••)"),
    ('mật khẩu "Abc@123"', 'mật khẩu "••••••"'),
    ('mật khẩu: "hoahong"', 'mật khẩu: "••••••"'),
    ("mk tôi Abc123", "mk tôi ••••••"),
    ("mã OTP\u00a0123456", "mã OTP\u00a0••••••"),
    ("mã kích hoạt 9876", "mã kích hoạt ••••••"),
    ("mật khẩu của tôi đã đổi thành Abc@123", "mật khẩu của tôi đã đổi thành ••••••"),
    ("mật khẩu cũ tôi dùng là Abc@123 mà", "mật khẩu cũ tôi dùng là •••••• mà"),
    ("mã OTP tôi nhận được qua tin nhắn là 4711", "mã OTP tôi nhận được qua tin nhắn là ••••••"),
    ("mật khẩu tài khoản 000012345678 là Abc123", "mật khẩu tài khoản 000012345678 là ••••••"),
    ("MK: Hue@2026!", "MK: ••••••"),
    ("Mật khẩu  Abc12345", "Mật khẩu  ••••••"),
    ("mật khẩu\tAbc12345", "mật khẩu\t••••••"),
    ("mã xác thực SMS 445566 rồi", "mã xác thực SMS •••••• rồi"),
    ("mật kha\u0302\u0309u là Abc@123", "mật kha\u0302\u0309u là ••••••"),
    ("Mk của e là 123456a", "Mk của e là ••••••"),
    ("mật khẩu lúc trước a dùng: Hue2020.", "mật khẩu lúc trước a dùng: ••••••."),
    ("OTP: A1B2C3", "OTP: ••••••"),
    ("Mã là G-123456 phải không", "Mã là G-•••••• phải không"),
    ("Mã: 123456, 654321", "Mã: ••••••, ••••••"),
    ("Mã OTP 482913 ngày hôm nay không vào", "Mã OTP •••••• ngày hôm nay không vào"),
    ("Tôi nhập mã 482913 lần nào cũng sai", "Tôi nhập mã •••••• lần nào cũng sai"),
    ("Mã PIN 482913 đồng thời báo lỗi", "Mã PIN •••••• đồng thời báo lỗi"),
    ("Số PIN là 1985 năm sinh", "Số PIN là •••••• năm sinh"),
    ("mật khẩu là 1234567d", "mật khẩu là ••••••"),
    ("Mật khẩu của tôi là Lan@15.8.1990", "Mật khẩu của tôi là ••••••"),
    ("mk: Hue@2024.vn", "mk: ••••••"),
    ("mật khẩu là 15/08/1990", "mật khẩu là ••••••"),
    ("mk 123456789", "mk ••••••"),
    ("Mã đăng nhập là 4829", "Mã đăng nhập là ••••••"),
    ("Tôi nhập Huong@1985 nhưng báo sai mật khẩu", "Tôi nhập •••••• nhưng báo sai mật khẩu"),
    ("Em dùng Huong@1985 làm mật khẩu", "Em dùng •••••• làm mật khẩu"),
    ("mk1: Huong@1985, mk2: Lan@1990", "mk1: ••••••, mk2: ••••••"),
    ("mat_khau=Huong@1985", "mat_khau=••••••"),
    ("mật-khẩu: Huong@1985", "mật-khẩu: ••••••"),
    ("passwork: Huong@1985", "passwork: ••••••"),
    ("Mã OTP là 48-29-13", "Mã OTP là ••••••"),
    ("OTP 48 29 13", "OTP ••••••"),
    ("mã khôi phục: 8H3K-92LM-44PQ", "mã khôi phục: ••••••"),
    ("mã PIN chứng thư số tôi hiện đang dùng 12345678", "mã PIN chứng thư số tôi hiện đang dùng ••••••"),
]
HARMLESS = [
    "tôi quên mật khẩu, xin giúp",
    "Tôi quên mật khẩu",
    "Quên mật khẩu: xin giúp",
    "Tôi không biết mật khẩu là gì",
    "Mật khẩu là gì?",
    "mat khau la gi",
    "Mật khẩu: không nhận",
    "Mật khẩu là bắt buộc",
    "mật khẩu không đúng",
    "Bấm “Quên mật khẩu” rồi vào trang 2026",
    "nhập mật khẩu 2 lần vẫn sai",
    "mật khẩu 8 ký tự trở lên",
    "mật khẩu 8-12 ký tự",
    "Mã OTP 6 số không về",
    "mã OTP 22/11/2026 không về",
    "OTP 5 phút chưa đến",
    "OTP 5phut chua den",
    "mã OTP gửi về số 0912345678 không đến",
    "Gọi lại cho tôi số 0912345678",
    "Gọi 0912 345678 hoặc 028 123456",
    "Gọi 091234 5678",
    "Gọi +84 912345678",
    "Mã yêu cầu SD261122-123456",
    "Mã yêu cầu sd261122-123456",
    "SD 261122-123456 và SD261122123456",
    "case code: SD261122-123456",
    "code SD261122-123456",
    "Ngày 22.11.2026 lúc 10:30",
    "số 1234567 và 12345",
    "số 123456.789 và 123.456",
    "lệ phí 150000 đồng",
    "lệ phí 150000đ",
    "error code: 5001",
    "Trang báo lỗi 500",
    "My password is wrong",
    "the password is not accepted",
    "I forgot my password, please help",
    "password reset does not work",
    "mật khẩu VNeID",
    "mật khẩu VNeID không vào được",
    "quên mật khẩu tài khoản 000012345678",
    "Quên mật khẩu: 000012345678",
    "đổi mật khẩu 3 lần",
    "đổi mật khẩu thành công",
    "pin 5000 mAh",
    "pin điện thoại còn 20%",
    "mã PIN bị khóa",
    "PIN bị khóa 2 ngày",
    "mật khẩu: ••••••",
    "mật khẩu của thư công vụ an@x.example",
    "Mật khẩu mới là mật khẩu mạnh",
    "mật khẩu và mã OTP",
    "mk không đúng",
    "mật khẩu cấp 2",
    "mật khẩu lúc 10h30",
    "mã số thuế 0301234567",
    "Số định danh 000090999999",
    "mã hồ sơ H57.01-261122-0001",
    "đăng nhập bằng mật khẩu từ năm 2026",
    "Mã xác thực là do ai gửi",
    "OTP là gì",
    "mật khẩu là mật khẩu cũ",
    "[0010#DVC] Quên mật khẩu",
    "Xem https://x.example/a/123456/b",
    "mật khẩu: https://x.example",
    "Sai mật khẩu",
    "1. Mở trang",
    "Tôi đổi mật khẩu ngày 20/11/2026",
    "abc_123456 và a123456",
    "quên mật khẩu\n1. Mở trang\n0912345678",
]
HOSTILE = [
    "mk=",
    "mk ",
    "mk: A ",
    'mk: "',
    "mật ",
    "1 ",
    "123456 ",
    "SD261122-123456 ",
    "one-time ",
    "ma so ",
    "mk: a@",
    "Ắ",
]


@pytest.mark.parametrize(("text", "shown"), SECRETS)
def test_th01_the_value_of_a_secret_is_covered_and_nothing_else(text: str, shown: str) -> None:
    assert covered(text) == shown
    assert covered(shown) == shown, "what is covered stays as it is"
    assert covered(f"Kính gửi,\n{text}\nCảm ơn.") == f"Kính gửi,\n{shown}\nCảm ơn."


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_speaks_of_secrets_stays_as_it_is(text: str) -> None:
    assert covered(text) is text


@pytest.mark.parametrize("word", ["mật khẩu", "mat khau", "password", "pass", "mk"])
@pytest.mark.parametrize("sign", [" là ", ": ", ":", "=", " = ", " is ", " "])
def test_th01_every_word_for_a_password_with_every_sign(word: str, sign: str) -> None:
    for said in (word, word.upper(), word.capitalize()):
        assert covered(f"{said}{sign}Abc@12345 nhé") == f"{said}{sign}{COVER} nhé"


@pytest.mark.parametrize("word", ["PIN", "OTP", "mã xác thực", "ma xac thuc", "mã OTP", "code"])
@pytest.mark.parametrize("sign", [" là ", ": ", ":", "=", " = ", " is ", " "])
def test_th01_every_word_for_a_code_with_every_sign(word: str, sign: str) -> None:
    for said in (word, word.upper(), word.lower()):
        assert covered(f"{said}{sign}4711 nhé") == f"{said}{sign}{COVER} nhé"


@pytest.mark.parametrize("piece", HOSTILE)
def test_the_work_grows_with_the_length_and_no_faster(piece: str) -> None:
    assert _steps(piece * (8192 // len(piece))) < 2.6 * _steps(piece * (4096 // len(piece)))


def _steps(text: str) -> int:
    """Calls that the covering makes: a measure that no busy machine disturbs; what one costs is bounded (below)."""
    steps = 0

    def count(_frame: object, _event: str, _arg: object) -> None:
        nonlocal steps
        steps += 1

    sys.setprofile(count)
    try:
        covered(text)
    finally:
        sys.setprofile(None)
    return steps


def test_no_search_behind_a_word_looks_farther_than_some_hundred_letters() -> None:
    parse = import_module("re._parser").parse
    patterns = {name: value for name, value in vars(covering).items() if isinstance(value, re.Pattern)}
    far = {name for name, one in patterns.items() if parse(one.pattern).getwidth()[1] > 1000}
    assert far == {"NEVER"}, "this one runs once over a text"
