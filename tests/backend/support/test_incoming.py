"""Strangers' mails, read without trust: nothing breaks, nothing is believed (rule 1104)."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from backend.support import incoming

FORM = "[{unit}#DVC]"


def mail(subject: str = "[0010#DVC] Lỗi ký số", text: str = "Trang báo lỗi", **headers: str) -> bytes:
    message = EmailMessage()
    values = {"From": "Kế toán <ke.toan@truong.example>", "To": "hotro@hue.example", "Subject": subject}
    for name, value in (values | {"Message-ID": "<1@truong.example>"} | headers).items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


def read(raw: bytes) -> incoming.Incoming:
    return incoming.read(raw, FORM)


def test_a_good_mail_is_read_in_full() -> None:
    found = read(mail())
    assert found.sender == "ke.toan@truong.example" and found.recipients == {"hotro@hue.example"}
    assert (found.tag, found.subject, found.text) == ("[0010#DVC]", "[0010#DVC] Lỗi ký số", "Trang báo lỗi")
    assert found.message_id == "<1@truong.example>" and not found.is_automatic and found.code is None


@pytest.mark.parametrize(
    ("subject", "tag"),
    [
        ("[0010#DVC]", "[0010#DVC]"),
        ("Re: [HUE.01#DVC] SD260304-123456", "[HUE.01#DVC]"),
        ("Kính gửi [A#DVC] giúp", "[A#DVC]"),
        ("[" + "9" * 20 + "#DVC]", "[" + "9" * 20 + "#DVC]"),
        ("[" + "9" * 21 + "#DVC]", None),
        ("[#DVC]", None),
        ("[0010#dvc]", None),
        ("[hue#DVC]", None),
        ("[0010#DVC", None),
        ("[00 10#DVC]", None),
        ("0010#DVC", None),
        ("Hỏi", None),
    ],
)
def test_the_tag_is_found_anywhere_in_the_subject_and_only_in_its_form(subject: str, tag: str | None) -> None:
    assert read(mail(subject)).tag == tag


def test_the_form_of_the_tag_is_a_setting_and_no_pattern() -> None:
    assert incoming.read(mail("(X1.*)"), "({unit}.*)").tag == "(X1.*)"
    assert incoming.read(mail("(X1zz)"), "({unit}.*)").tag is None


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto-Submitted": "auto-replied"},
        {"Auto-Submitted": "auto-generated; x=y"},
        {"Precedence": "bulk"},
        {"Precedence": "List"},
        {"List-Id": "<tin.example>"},
        {"List-Unsubscribe": "<mailto:x@y.example>"},
        {"Return-Path": "<>"},
        {"From": "MAILER-DAEMON@truong.example"},
        {"X-Auto-Response-Suppress": "All"},
    ],
    ids=lambda headers: " ".join(*headers.items()),
)
def test_machines_lists_and_bounces_are_known(headers: dict[str, str]) -> None:
    assert read(mail(**headers)).is_automatic


def test_a_person_may_say_so() -> None:
    assert not read(mail(**{"Auto-Submitted": "no", "Return-Path": "<ke.toan@truong.example>"})).is_automatic


@pytest.mark.parametrize(
    "sender",
    [
        "",
        "x",
        "a@b",
        "a@b.example, c@d.example",
        '"a b"@c.example',
        "<@x.example:a@b.example>",
        "á@b.example",
        "a" * 300 + "@b.example",
    ],
)
def test_a_sender_who_is_nobody_is_nobody(sender: str) -> None:
    assert read(mail().replace(b"ke.toan@truong.example", sender.encode())).sender in (None, "a@b.example")


HOSTILE = {
    "nothing": b"",
    "no headers": b"\r\n\r\nhello",
    "nul": b"Subject: [1#DVC] \x00\x00\r\nFrom: a@b.example\r\n\r\n\x00\x01",
    "unknown charset": b"Subject: =?x-unknown?Q?[1#DVC]?=\r\nFrom: a@b.example\r\nContent-Type: text/plain; charset=nope\r\n\r\n\xff\xfe",
    "broken base64 subject": b"Subject: =?utf-8?B?////=?= [1#DVC]\r\nFrom: a@b.example\r\n\r\nx",
    "injected header": b"Subject: [1#DVC] =?utf-8?Q?a=0D=0ABcc:_evil@x.example?=\r\nFrom: a@b.example\r\n\r\nx",
    "injected sender": b"Subject: [1#DVC]\r\nFrom: =?utf-8?Q?a=0D=0ABcc:?= <a@b.example>\r\n\r\nx",
    "injected id": b"Subject: [1#DVC]\r\nFrom: a@b.example\r\nMessage-ID: <a\r\n b>\r\n\r\nx",
    "deep parts": b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(3000)
    ),
    "many parts": b'From: a@b.example\r\nSubject: [1#DVC]\r\nContent-Type: multipart/mixed; boundary="x"\r\n\r\n'
    + b"--x\r\n\r\n\r\n" * 20_000,
    "long subject": b"From: a@b.example\r\nSubject: [1#DVC] " + b"x" * 200_000 + b"\r\n\r\n",
    "many recipients": b"From: a@b.example\r\nTo: " + b"a@b.example, " * 15_000 + b"\r\n\r\n",
    "open quotes": b'From: "' + b"((((" * 10_000 + b"\r\nSubject: [1#DVC]\r\n\r\n",
    "encoded words": b"From: a@b.example\r\nSubject: " + b"=?utf-8?Q?a?= " * 5000 + b"\r\n\r\n",
    "a wall of one line": b"From: a@b.example\r\nSubject: [1#DVC]\r\n\r\n" + b"x" * 250_000,
    "html": b"From: a@b.example\r\nSubject: [1#DVC]\r\nContent-Type: text/html\r\n\r\n" + b"<div" * 60_000,
    "uuencode": b"From: a@b.example\r\nSubject: [1#DVC]\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nbegin\r\n#",
    "binary": bytes(range(256)) * 900,
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_hostile_mails_are_read_and_do_no_harm(raw: bytes) -> None:
    found = read(raw)
    assert len(found.subject) <= 200 and len(found.text) <= 4000
    assert not {"\r", "\n", "\0"} & {*found.subject, *(found.message_id or ""), *(found.sender or "")}
    assert "\0" not in found.text and "\r" not in found.text


def test_only_words_are_read_of_a_page() -> None:
    page = "<style>p{}</style><p>Xin chào</p><script>alert(1)</script>bạn"
    message = EmailMessage()
    message["From"], message["Subject"] = "a@b.example", "[1#DVC]"
    message.set_content(page, subtype="html")
    text = read(message.as_bytes()).text
    assert "Xin chào" in text and "bạn" in text and "alert" not in text and "p{}" not in text
