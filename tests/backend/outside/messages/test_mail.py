"""What leaves the desk's mailbox: every header written as it was meant, or no mail at all (case TH02)."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

import msgspec
import pytest

from backend.outside.messages.mail import MailRefused, MailUnfit, Outgoing, Sender, message_of
from tests.parts.mailbox import Kept, MailboxPart

GOOD = Outgoing(
    name="018f3c1e-0000-7000-8000-000000000001",
    sender_name="Đội hỗ trợ, phường “Thuận Hóa”",
    sender="hotro@hue.example",
    recipient="ke.toan@truong.example",
    subject="[0010#DVC] SD260304-123456",
    body="Kính gửi ông/bà,\n.\n..\nTừ một dòng dài: " + "dài " * 60 + "\n\n-- \nĐội hỗ trợ\n",
    answers="<1@truong.example>",
    is_automatic=True,
    at=datetime(2026, 3, 4, 5, 6, tzinfo=UTC),
)
NAMES = [
    *("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted"),
    *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
]
INJECTED = "=?utf-8?q?x=0D=0ABcc:_evil=40x.example=0D=0A=0D=0AXin?="


def parsed(mail: Outgoing) -> EmailMessage:
    return email.message_from_bytes(message_of(mail), _class=EmailMessage, policy=email.policy.SMTP)


def sender_of(mail: Outgoing) -> tuple[str, str]:
    """As a mail program shows it; the newer half of the standard library puts blanks between encoded words."""
    name, address = parseaddr(email.message_from_bytes(message_of(mail))["From"])
    return str(make_header(decode_header(name))), address


def with_values(**values: Any) -> Outgoing:
    return msgspec.structs.replace(GOOD, **values)


def test_a_mail_says_what_it_was_given() -> None:
    found = parsed(GOOD)
    assert found.keys() == NAMES and not found.defects
    assert sender_of(GOOD) == (GOOD.sender_name, GOOD.sender) and found["To"] == GOOD.recipient
    assert found["Subject"] == GOOD.subject and found["Date"].datetime == GOOD.at
    assert found["In-Reply-To"] == found["References"] == GOOD.answers
    assert found["Message-ID"] == f"<{GOOD.name}@hue.example>"
    assert found.get_content().replace("\r\n", "\n").rstrip("\n") == GOOD.body.rstrip("\n")


def test_nobodys_question_and_a_persons_words_have_fewer_headers() -> None:
    found = parsed(with_values(answers=None, is_automatic=False))
    assert found.keys() == [
        name for name in NAMES if name not in ("In-Reply-To", "References", "Auto-Submitted")
    ]


@pytest.mark.parametrize(
    "name", ["Doi ho tro", 'Đội "A" <b@c.example>', "x (y), z; =?utf-8?q?w?=", "Ọ" * 120]
)
def test_the_desks_name_is_no_address(name: str) -> None:
    assert sender_of(with_values(sender_name=name)) == (name, GOOD.sender)


@pytest.mark.parametrize("subject", ["Tiêu đề thư chưa đúng cấu trúc [SHKB#DVC]", f"a {INJECTED}", "Ọ" * 200])
def test_a_subject_is_text_whatever_it_looks_like(subject: str) -> None:
    raw = message_of(with_values(subject=subject))
    head = raw.split(b"\r\n\r\n")[0]
    assert INJECTED.encode() not in head and b"\nBcc" not in head
    words = re.search(rb"^Subject: (.*(?:\r\n .*)*)", head, re.MULTILINE)
    assert words is not None and all(len(line) <= 78 for line in words.group().split(b"\r\n"))


def test_a_long_message_id_is_quoted_in_one_piece() -> None:
    long = "<" + "a" * 200 + "@mail.truong.example>"
    assert f"\r\nIn-Reply-To: {long}\r\nReferences: {long}\r\n".encode() in message_of(
        with_values(answers=long)
    )


HOSTILE: list[dict[str, Any]] = [
    {field: value}
    for field in ("recipient", "sender", "answers", "name")
    for value in (
        f"<{INJECTED}>",
        f"{INJECTED}@truong.example",
        f"a@{INJECTED}",
        "a@b.example\r\nBcc: c@d.example",
        "<a@b.example>\n",
        "a@b.example, c@d.example",
        "<a@b.example> <c@d.example>",
        "a\0@b.example",
        "á@b.example",
        "a b@c.example",
        "\udcff@b.example",
    )
] + [
    {"sender_name": "Đội\r\nBcc: c@d.example"},
    {"sender_name": "Doi\nBcc: c@d.example"},
    {"subject": "a\r\n\r\nb"},
    {"subject": "a\0"},
    {"subject": "\udcff"},
    {"body": "\udcff"},
    {"answers": "<" + "a" * 2000 + "@b.example>"},
    {"recipient": ""},
    {"answers": ""},
]


@pytest.mark.parametrize("values", HOSTILE, ids=repr)
def test_what_does_not_belong_into_a_header_makes_no_mail(values: dict[str, Any]) -> None:
    with pytest.raises(MailUnfit):
        message_of(with_values(**values))


@pytest.mark.parametrize("body", ["a\rb", "a\0b", "\u2028", "\x0b\x0c", "", "\r\n.\r\n", ".\n" * 5])
def test_no_body_ends_the_mail_or_a_line_of_it(body: str) -> None:
    raw = message_of(with_values(body=body))
    assert raw.isascii() and b"\0" not in raw
    assert raw.count(b"\r") == raw.count(b"\n") == raw.count(b"\r\n")


async def test_the_server_gets_the_mail_as_it_was_written(mailbox: MailboxPart) -> None:
    await Sender(mailbox.smtp_url).send(GOOD)
    (found,) = mailbox.sent
    assert [name for name in found if name in NAMES] == NAMES  # the server adds some of its own
    assert found.get_content().replace("\r\n", "\n").rstrip("\n") == GOOD.body.rstrip("\n")
    assert mailbox.envelopes == [(GOOD.sender, [GOOD.recipient])]


async def test_an_unfit_mail_never_reaches_the_server(mailbox: MailboxPart) -> None:
    with pytest.raises(MailUnfit):
        await Sender(mailbox.smtp_url).send(with_values(recipient="a@b.example\r\nc"))
    mailbox.smtp_refuses()
    with pytest.raises(MailRefused) as refused:
        await Sender(mailbox.smtp_url).send(GOOD)
    assert not isinstance(refused.value, MailUnfit), "the server may change its mind"
    assert mailbox.envelopes == []


async def test_a_mail_that_the_server_took_is_sent_however_it_takes_its_leave(
    mailbox: MailboxPart, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def leaves(*_: object) -> str:
        return "421 busy"

    monkeypatch.setattr(Kept, "handle_QUIT", leaves, raising=False)
    await Sender(mailbox.smtp_url).send(GOOD)
    assert len(mailbox.sent) == 1
