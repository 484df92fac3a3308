"""The reader of mails: what honest programs write is understood, what is too much is cut off."""

from __future__ import annotations

import sys
from collections.abc import Callable
from email import policy
from email.message import EmailMessage
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.outside.messages.mail import FETCHED
from backend.support import incoming, mime

WORDS = "Kính gửi ông/bà,\nxin giúp: lỗi “E5001”.\n" + "Một đoạn văn dài, có dấu. " * 20
HEAD = b"From: a@b.example\r\nSubject: [1#DVC]\r\nMIME-Version: 1.0\r\n"


def text_of(raw: bytes) -> str:
    return incoming.read(raw, "[{unit}#DVC]").text


def written(build: Callable[[EmailMessage], None], how: policy.Policy[Any] = policy.SMTP) -> bytes:
    message = EmailMessage()
    message["From"], message["Subject"] = "a@b.example", "[1#DVC]"
    build(message)
    return message.as_bytes(policy=how)


def with_page(message: EmailMessage) -> None:
    message.set_content(WORDS)
    message.add_alternative("<p>trang</p>", subtype="html")


def with_attachment(message: EmailMessage) -> None:
    message.set_content(WORDS, cte="base64")
    message.add_attachment(b"%PDF" * 50, maintype="application", subtype="pdf", filename="đơn.pdf")


def with_page_and_attachment(message: EmailMessage) -> None:
    with_page(message)
    message.add_attachment(b"\xff" * 500, maintype="image", subtype="png", filename="a.png")


def forwarded(message: EmailMessage) -> None:
    inner = EmailMessage()
    inner["Subject"] = "cũ"
    inner.set_content(WORDS)
    message.make_mixed()
    message.attach(_as_attachment(inner))


def _as_attachment(inner: EmailMessage) -> EmailMessage:
    outer = EmailMessage()
    outer.set_content(inner)
    return outer


@pytest.mark.parametrize("how", [policy.SMTP, policy.default], ids=["crlf", "lf"])
@pytest.mark.parametrize(
    "build",
    [
        lambda message: message.set_content(WORDS),
        lambda message: message.set_content(WORDS, cte="base64"),
        lambda message: message.set_content(WORDS, cte="quoted-printable"),
        lambda message: message.set_content(WORDS, cte="8bit"),
        with_page,
        with_attachment,
        with_page_and_attachment,
        forwarded,
    ],
    ids=["plain", "base64", "quoted", "8bit", "page", "attachment", "both", "forwarded"],
)
def test_the_text_of_an_honest_mail_is_found(
    build: Callable[[EmailMessage], None], how: policy.Policy[Any]
) -> None:
    assert text_of(written(build, how)) == WORDS.strip()


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(categories=["L", "N", "P", "Z"], exclude_characters="\u2028\u2029"), min_size=1))
def test_any_text_comes_through_as_the_standard_library_wrote_it(text: str) -> None:
    for cte in ("base64", "quoted-printable"):
        message = EmailMessage()
        message.set_content(text, cte=cte)
        assert mime.opened(message.as_bytes(policy=policy.SMTP)).text.rstrip("\r\n") == text.rstrip("\r\n")


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b'multipart/mixed; boundary="x"\r\n\r\nintro\r\n--x\r\n\r\nhello\r\n--x--\r\nend', "hello"),
        (b"multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nhello", "hello"),
        (
            b"multipart/mixed;\r\n boundary=x\r\n\r\n--x\r\n--x  \r\nContent-Type: TEXT/Plain\r\n\r\nhello",
            "…",
        ),
        (b"multipart/mixed; boundary=x\r\n\r\n--xy\r\n\r\nno\r\n--x\r\n\r\nhello\r\n--x-- ", "hello"),
        (b"multipart/mixed; boundary=x\r\n\r\nnothing", "…"),
        (b"multipart/mixed\r\n\r\n--x\r\n\r\nhello", "…"),
        (b"text/plain; charset=windows-1258\r\n\r\n\xd0\xf4i", "Đôi"),
        (b'TEXT/PLAIN; x=y; Charset="UTF-8"\r\n\r\n\xc4\x90', "Đ"),
        (b"text/plain; charset=punycode\r\n\r\nMajiKoi5-783gue6qz075azm5e", "MajiKoi5-783gue6qz075azm5e"),
        (b"text/plain; charset=unicode_escape\r\n\r\n\\u0110", "\\u0110"),
        (b"text/plain; charset=iso-8859-12\r\n\r\n\xd0", "Ð"),
        (b"text/plain; charset=utf-16\r\n\r\n" + "Đội".encode("utf-16"), "Đội"),
        (b"nonsense\r\n\r\nhello", "hello"),
    ],
    ids=range(13),
)
def test_the_parts_and_charsets_of_a_mail(raw: bytes, text: str) -> None:
    assert text_of(HEAD + b"Content-Type: " + raw) == text


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>a<br>b</p>", "\na\nb"),
        ("1 &lt; 2 &amp; a < b", "1 < 2 & a < b"),
        ("<SCRIPT>x</sCript >a<!-- b -->c<style>d", "ac"),
        ("a<script", "a"),
        ("&#" + "9" * 5000, "&#" + "9" * 5000),
        ("a<!--" + "<!--" * 1000, "a"),
    ],
)
def test_the_words_of_a_page(page: str, text: str) -> None:
    assert mime.without_tags(page) == text


def test_headers_are_unfolded_and_what_is_too_long_is_cut_off() -> None:
    microsoft = b"X-Antispam: " + b"a" * 9000 + b"\r\n" + b"".join(b"X-N: 1\r\n" for _ in range(600))
    raw = b"Message-ID:\r\n <1@b.example>\r\nFrom: A\r\n\t<a@b.example>\r\nno header\r\nBad Name: x\r\n"
    found = mime.opened(raw + "Subject: [1#DVC] lỗi\r\n".encode() + microsoft + b"\r\nx")
    assert found.first("from") == "A\t<a@b.example>" and found.first("message-id") == "<1@b.example>"
    assert found.first("subject") == "[1#DVC] lỗi" and "bad name" not in found.fields
    assert len(found.first("x-antispam")) < mime.FIELD_LONGEST
    assert sum(map(len, found.fields.values())) == mime.FIELDS_MOST


def test_a_mail_has_only_so_many_parts_and_only_so_deep() -> None:
    flat = HEAD + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\na\r\n" * 500
    assert len(list(mime.parts(mime.opened(flat)))) == mime.PARTS_MOST
    for nested in (b"Content-Type: message/rfc822\r\n\r\n" * 500, HOSTILE["deep parts"]):
        assert len(list(mime.parts(mime.opened(nested)))) == mime.DEEPEST + 1


def test_brackets_cost_a_field_its_addresses_and_the_others_nothing() -> None:
    assert mime.addresses(["(" * 1500, "a@b.example", "a:" * 1500, "C <C@d.example>"]) == [
        "a@b.example",
        "c@d.example",
    ]


NESTED = b"".join(
    b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(300)
)
HOSTILE = {
    "open quotes": HEAD + b'Content-Type: text/plain; charset="' + b";" * 250_000,
    "open quotes, folded": HEAD + b"Content-Type: text/plain" + b';\r\n a="' * 40_000,
    "open quotes in each part": HEAD
    + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
    + (b"--x\r\nContent-Type: text/x" + b';a="' * 900 + b"\r\n\r\n") * 60,
    "deep parts": NESTED,
    "deep parts and lines": NESTED + b"\n" * 230_000,
    "page of remarks": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<!--" * 60_000,
    "page of ends": HEAD + b"Content-Type: text/html\r\n\r\n<script>" + b"</script " * 28_000,
    "addresses": b"".join(b"Cc: " + b"a@b," * 950 + b"\r\n" for _ in range(60)),
    "encoded words": b"Subject: " + b"=?" * 2000 + b"\r\n" + b"Subject: " + b"=?utf-8?Q?a?= " * 5000,
    "header lines": b"A:\n" * 80_000,
    "marks": HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + b"\xcc\x81\xcc\xa3" * 60_000,
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_the_work_for_one_mail_is_bounded(raw: bytes) -> None:
    """Work is counted in calls: the standard library's parser needs millions for some of these."""
    calls = 0

    def count(_frame: FrameType, _event: str, _argument: object) -> None:
        nonlocal calls
        calls += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        incoming.read(raw[:FETCHED], "[{unit}#DVC]")
    finally:
        sys.setprofile(before)
    assert calls < 4 * FETCHED
