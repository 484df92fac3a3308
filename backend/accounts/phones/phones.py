"""Which numbers may receive a code, and the one way to write them (rule 133, case TO11)."""

from __future__ import annotations

import re

from backend.errors import FieldError, FieldsInvalid

INVENTED = re.compile(r"\+84550\d{6}")  # a range that no carrier serves: the demo's people (rule 1031)
WRITTEN = re.compile(r"[+0-9][0-9 .\-()]{7,20}")


MALFORMED = FieldError(
    "phone", "phone_malformed", "Số điện thoại gồm 10 chữ số, bắt đầu bằng 0, ví dụ 0912 345 678"
)
UNREAD = FieldError("phone", "phone_malformed", "Số điện thoại không đọc được, vui lòng kiểm tra lại")
OLD = FieldError(
    "phone",
    "phone_old",
    "Số di động 11 chữ số đã ngừng sử dụng từ năm 2018, vui lòng nhập số 10 chữ số hiện nay",
)
FOREIGN = FieldError("phone", "phone_foreign", "Chỉ nhận số di động Việt Nam")
NOT_MOBILE = FieldError(
    "phone",
    "phone_not_mobile",
    "Số này không phải số di động đang được cấp, vui lòng nhập số di động chính chủ",
)


def read_phone(text: str, *, allow_invented: bool) -> str:
    """The E.164 form of a Vietnamese mobile number in any usual spelling; raises FieldsInvalid on `phone`."""
    if not text.isascii() or not WRITTEN.fullmatch(text.strip()):
        raise FieldsInvalid(MALFORMED)
    digits = re.sub(r"\D", "", text)
    if re.fullmatch(r"(84|0)1\d{9}", digits) and not text.strip().startswith("+1"):
        raise FieldsInvalid(OLD)
    import phonenumbers  # its plans of all countries: whoever reads no number waits for none

    try:
        number = phonenumbers.parse(_spelled(text), "VN")
    except phonenumbers.NumberParseException as error:
        raise FieldsInvalid(UNREAD) from error
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if allow_invented and INVENTED.fullmatch(e164):
        return e164
    if number.country_code != 84:
        raise FieldsInvalid(FOREIGN)
    if (
        not phonenumbers.is_valid_number(number)
        or phonenumbers.number_type(number) != phonenumbers.PhoneNumberType.MOBILE
    ):
        raise FieldsInvalid(NOT_MOBILE)
    return e164


def _spelled(text: str) -> str:
    """`84 912…` and `0084 912…` are how people write `+84 912…`."""
    digits = re.sub(r"[^\d+]", "", text)
    if digits.startswith("0084"):
        return "+" + digits[2:]
    return "+" + digits if digits.startswith("84") and len(digits) == 11 else digits
