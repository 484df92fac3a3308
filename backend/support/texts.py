"""What is written in a case: cleaned, bounded, and never a question for a secret (source 004, 2; case TH01).

The desk's rule is strict on purpose: whoever writes for the desk may not even mention a password, a PIN or a
code, except in the three ways that cannot be misread: a plain warning ("không bao giờ hỏi mật khẩu"), the name of a
page ("Quên mật khẩu") in a text that asks for nothing to be sent, and the case's own code.
"""

from __future__ import annotations

import re
import unicodedata

from backend.errors import FieldError, FieldsInvalid
from backend.names import folded
from backend.support.covering import PASSWORDS, covered
from backend.typed import kept

SUBJECT_LONGEST, TEXT_LONGEST = 200, 4000

SECRET = re.compile(
    rf"\b(?:{PASSWORDS}"
    r"|pin\s+(?:code|number)|(?:your|the|my|so|va|hoac|hay)\s+pin|pin\s+(?:cua|chung\s+thu|usb|token|sim)|pin\s*$"
    r"|otp|o\.t\.p|cvv|private\s+key|secret"
    r"|ma\s+(?:so\s+)?(?:pin|otp|xac\s+(?:thuc|nhan|minh)|kich\s+hoat|bao\s+mat|bi\s+mat|dang\s+nhap|mo\s+khoa"
    r"|sms|tin\s+nhan|khoi\s+phuc|vua\s+(?:nhan|gui)|(?:gom\s+)?(?:6|sau)\s+(?:chu\s+)?so)"
    r"|(?:6|sau)\s+(?:chu\s+)?so|six\s+digits?|6[\s-]*digits?"
    r"|(?:one[\s-]*time|verification|security|authentication|auth|login|sign[\s-]*in|confirmation|sms|access|activation)"
    r"\s+(?:code|number|key)"
    r"|ultra\s*view(?:er)?|team\s*viewer|any\s*desk|rust\s*desk)\b"
)
GIVING = re.compile(
    r"\b(?:gui|cung\s+cap|cho\s+(?:biet|xin|toi|chung|em|minh|anh|chi)|xin|doc\s+(?:cho|lai|giup|ma)|(?<!dang )nhap"
    r"|nhan\s+(?:lai|tin|cho)|bao\s+(?:lai|cho)|tra\s+loi|xac\s+nhan|chup|dien\s+(?:ma|vao)|chia\s+se|dua\s+(?:cho|ma)"
    r"|ghi\s+(?:ma|lai)|noi\s+(?:cho|lai|ma)|can\s+(?:ban|ong|anh|chi|ma|mat)|yeu\s+cau\s+(?:ban|ong|anh|chi|quy)"
    r"|send|give|tell|provide|share|reply|enter|need|type|read|forward|confirm|what\s+is|which)\b"
)
ANY_CODE = re.compile(
    r"\bma\b(?!\s+(?:yeu\s+cau|ho\s+so|don\s+vi|so\s+(?:thue|doanh|ho\s+so|don\s+vi)|loi|can\s+bo|sd|buu|thu\s+tuc|dinh\s+danh"
    r"|nhan\s+vien|tinh|quan|xa|phuong|to|dich\s+vu|co\s+quan|nay|tren))"
    r"|\bcodes?\b(?<!case code)(?<!request code)(?<!error code)(?<!support code)(?<!tax code)(?<!agency code)"
)
KIND = r"(?:mat khau|ma pin|ma otp|otp|ma xac thuc|ma xac nhan|ma|pin|passwords?|pins?|otps?|codes?|one time codes?)"
LIST = (
    rf"{KIND}(?: (?:(?:va|hoac|hay|or|and|nor) )?{KIND}){{0,5}}"  # few, so that no text makes the search long
)
WHOSE = r"(?: cua (?:ban|ong ba|quy vi|anh chi|minh|nguoi dung))?"
ANYBODY = r"(?:bat ky ai|bat cu ai|bat ky nguoi nao|nguoi khac|ai|anyone|anybody|others)"
WE = r"(?:can bo|nhan vien|chung toi|co quan|bo phan ho tro|doi ho tro|dau moi ho tro|we|our staff)"
WARNING = re.compile(
    rf"(?:{WE}(?: ho tro)? )?(?:khong bao gio|never|do not|khong) (?:hoi|xin|yeu cau|ask(?: you)? for)"
    rf" (?:your )?{LIST}{WHOSE}"
    r"|(?:(?:vui long|tuyet doi|ban|ong ba|quy vi|please) ){0,3}(?:khong|dung|never|do not)"
    r" (?:cung cap|chia se|gui|noi|doc|cho biet|tiet lo|share|give|send|tell)"
    rf" (?:your )?{LIST}{WHOSE} (?:cho|with|to) {ANYBODY}"
)
PAGE = re.compile(
    r"\b(?:quen|doi|thay doi|dat lai|lay lai|khoi phuc|forgot(?:ten)?|change|reset)"
    r"\s+(?:your\s+)?(?:mat\s+khau|password)\b"
)
DISGUISES = str.maketrans("01345@$!", "oieasasi")
HIDDEN = ("matkhau", "password", "passcode", "maotp", "maxacthuc", "maxacnhan", "maxacminh")


def subject(text: str) -> str:
    """A case's subject, one line; raises FieldsInvalid."""
    return _clean("subject", text, longest=SUBJECT_LONGEST, lines=False)


def body(text: str) -> str:
    """What somebody writes in a case; raises FieldsInvalid."""
    return _clean("text", text, longest=TEXT_LONGEST, lines=True)


def line_of_the_desk(field: str, text: str) -> str:
    """A subject that the desk is about to send; raises FieldsInvalid as `of_the_desk` does."""
    return _asking_for_nothing(field, _clean(field, text, longest=SUBJECT_LONGEST, lines=False))


def of_the_desk(field: str, text: str) -> str:
    """A text that the desk is about to send; raises FieldsInvalid when it asks for a secret."""
    return _asking_for_nothing(field, _clean(field, text, longest=TEXT_LONGEST, lines=True))


def _asking_for_nothing(field: str, tidy: str) -> str:
    if any(letter.isalpha() and not letter.isascii() for letter in folded(_plain(tidy))):
        raise _bad(field)  # letters of another script that look like ours
    if asks_for_secret(tidy):
        raise FieldsInvalid(
            FieldError(
                field,
                "asks_for_secret",
                "Đầu mối hỗ trợ không được hỏi hay nhắc tới mật khẩu, mã PIN, mã xác thực hoặc phần mềm điều khiển"
                " từ xa; vui lòng bỏ phần đó rồi gửi lại",
            )
        )
    if covered(tidy) != tidy:
        raise FieldsInvalid(
            FieldError(
                field,
                "holds_secret",
                "Nội dung có phần giống mật khẩu, mã PIN hoặc mã xác thực (như dãy 6 chữ số đứng riêng); vui lòng bỏ"
                " phần đó rồi gửi lại",
            )
        )
    return tidy


def asks_for_secret(text: str) -> bool:
    """Whether a text of the desk could be read as a wish for a password, a PIN, a code, or a hand on the screen."""
    rest = _without_warnings("\n".join(folded(line) for line in _plain(text).split("\n")))
    asked = GIVING.search(rest) is not None
    if not asked:
        rest = PAGE.sub(" ", rest)
    if SECRET.search(rest) or (asked and ANY_CODE.search(rest)):
        return True
    squeezed = re.sub(r"[^a-z]", "", rest.translate(DISGUISES))
    return any(word in squeezed for word in HIDDEN)


def from_mail(text: str, *, longest: int = TEXT_LONGEST) -> str:
    """A stranger's text as it may be stored: nothing is refused, what cannot stay is left out."""
    lines = text[: longest * 4].replace("\r\n", "\n").replace("\r", "\n")
    tidy = unicodedata.normalize("NFC", kept(lines))  # in this order: it takes the square of a pile of marks
    return re.sub(r"\n{3,}", "\n\n", tidy).strip()[:longest]


def _without_warnings(plain: str) -> str:
    """The folded text without the sentences that warn and do nothing else."""
    sentences = re.split(r"[.!?;:\n]+", plain)
    return ". ".join(one.strip() for one in sentences if not WARNING.fullmatch(_words(one)))


def _words(sentence: str) -> str:
    return " ".join(re.sub(r"[,/“”\"'()-]", " ", sentence).split())


def _plain(text: str) -> str:
    """Without the other spellings that Unicode has for the same letters."""
    return unicodedata.normalize("NFKC", text)


def _clean(field: str, text: str, *, longest: int, lines: bool) -> str:
    if len(text) > longest * 4:
        raise _too_long(field)
    tidy = text.replace("\r\n", "\n").strip()
    if not tidy:
        raise FieldsInvalid(FieldError(field, "required", "Vui lòng nhập trường này"))
    if kept(tidy) != tidy or ("\n" in tidy and not lines):
        raise _bad(field)
    tidy = unicodedata.normalize("NFC", tidy)  # dear where marks lie in piles, so not before
    if len(tidy) > longest:
        raise _too_long(field)
    return tidy


def _bad(field: str) -> FieldsInvalid:
    return FieldsInvalid(FieldError(field, "bad_characters", "Có ký tự không được phép"))


def _too_long(field: str) -> FieldsInvalid:
    return FieldsInvalid(FieldError(field, "too_long", "Nội dung quá dài"))
