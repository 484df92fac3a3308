"""Mails that were written to harm: the desk's mailbox sends nobody's words, and none keeps another from its answer."""

from __future__ import annotations

from typing import Any, cast

import pytest
import pytest_asyncio
from sqlalchemy import text

from backend.outside.clock import Clock
from backend.support import desks, incoming, mails, post
from backend.support.models import TRIES, Case, CaseMail
from tests.backend.support.conftest import World
from tests.backend.support.test_mime import HOSTILE
from tests.backend.support.test_post import Room, all_of, letter, room_of
from tests.parts.mailbox import MailboxPart

GOOD = "tu.te@truong.example"


@pytest_asyncio.fixture
async def desk(world: World, mailbox: MailboxPart) -> Room:
    clock = Clock()
    return Room(world, room_of(world, mailbox, clock), clock)


def raw(subject: str = "Xin giúp", sender: str = "an@truong.example", more: str = "") -> bytes:
    head = f"From: {sender}\r\nTo: hotro@hue.example\r\nSubject: {subject}\r\n{more}"
    return f"{head}\r\nTrang báo lỗi.\r\n".encode()


def encoded(words: str) -> str:
    letters = (chr(byte) if chr(byte).isalnum() else f"={byte:02X}" for byte in words.encode())
    return f"=?utf-8?q?{''.join(letters)}?="


INJECTED = encoded(
    "x>\r\nBcc: khac@truong.example\r\nContent-Type: text/plain\r\n\r\nGoi ngay 0550 000 000\r\n"
)


@pytest.mark.parametrize("subject", ["Xin giúp", "[0010#DVC] Xin giúp"])
@pytest.mark.parametrize(
    "message_id",
    [f"<{INJECTED}>", f"<{INJECTED}@x>", f"<a@{INJECTED}>", f"<a@x> {INJECTED}", "<a@x>\r\n <b@x>"],
)
async def test_th02_a_message_id_puts_no_header_and_no_word_into_our_answer(
    desk: Room, mailbox: MailboxPart, message_id: str, subject: str
) -> None:
    mailbox.deliver(raw(subject, more=f"Message-ID: {message_id}\r\n"))
    await desk.post.round()
    (answer,) = mailbox.sent
    assert mailbox.envelopes == [("hotro@hue.example", ["an@truong.example"])]
    assert "Goi ngay" not in answer.as_string() and "utf-8?q?x" not in answer.as_string()
    assert "Bcc" not in answer and answer.get_all("Content-Type") == ['text/plain; charset="utf-8"']
    assert set(answer.get_all("References", ["<a@x>"])) == {"<a@x>"}
    assert "Kiểm tra mã yêu cầu" in answer.get_content()


@pytest.mark.parametrize(
    ("to", "answers"),
    [
        (encoded("x\nbcc") + "@truong.example", None),
        ("a..b@truong.example, khac@truong.example", None),
        ("an@truong.example", f"<{INJECTED}>"),
    ],
    ids=["recipient", "list", "answers"],
)
async def test_th02_a_mail_that_cannot_be_written_is_given_up_at_once_and_the_others_leave(
    desk: Room, mailbox: MailboxPart, to: str, answers: str | None
) -> None:
    world = desk.world
    async with world.db.write() as tx:
        for address, quoted in ((to, answers), (GOOD, "<1@truong.example>")):
            words: dict[str, Any] = {"subject": "[0010#DVC]", "text": "Đã sửa."}
            mails.owe(tx, world.kit, world.desk, to=address, now=desk.clock.now(), answers=quoted, **words)
    await desk.post.round()
    assert [to for _, to in mailbox.envelopes] == [[GOOD]]
    sent, given_up = sorted(await all_of(world, CaseMail), key=lambda row: row.attempts)
    assert (given_up.attempts, given_up.sent_at) == (TRIES, None) and sent.sent_at is not None


@pytest.mark.parametrize(
    "sender",
    [
        encoded("x\nbcc") + "@truong.example",
        "a." + encoded("x\r\nBcc: y") + "@truong.example",
        "a?b@truong.example",
        ".a@truong.example",
        "a..b@truong.example",
    ],
)
async def test_th02_a_sender_to_whom_nothing_can_be_written_is_nobody(
    desk: Room, mailbox: MailboxPart, sender: str
) -> None:
    assert incoming.read(raw(sender=sender), "[{unit}#DVC]").sender is None
    mailbox.deliver(raw(sender=sender))
    mailbox.deliver(raw(sender=GOOD))
    await desk.post.round()
    assert [to for _, to in mailbox.envelopes] == [[GOOD]]
    assert mailbox.keywords() == [{"$NgoMonUntagged"}] * 2


async def test_th02_brackets_keep_nobody_from_an_answer(desk: Room, mailbox: MailboxPart) -> None:
    brackets = ["(" * 1050, "\r\n ".join(["(" * 70] * 15), "a:" * 1500]
    for number in range(26):
        more = f"Cc: {brackets[number % 3]}\r\n"
        mailbox.deliver(raw("[0010#DVC]", f"x{number}@truong.example", more))
    mailbox.deliver(letter(From=GOOD))
    for _ in range(2):  # twenty answers leave in each
        await desk.post.round()
    assert mailbox.keywords() == [{"$NgoMonCase"}] * 27
    assert [GOOD] in [to for _, to in mailbox.envelopes]


async def test_mails_that_the_database_does_not_take_wait_behind_the_others_and_are_not_lost(
    desk: Room, mailbox: MailboxPart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "AT_ONCE", 1)
    async with desk.world.db.write() as tx:
        await tx.execute(text("CREATE UNIQUE INDEX poison ON support_cases (tag)"))
    for number in range(2):
        mailbox.deliver(letter("[HUE.1#DVC]", From=f"x{number}@truong.example"))
    mailbox.deliver(letter(From=GOOD))
    for _ in range(2):
        await desk.post.round()
    assert mailbox.keywords() == [{"$NgoMonCase"}, set(), {"$NgoMonCase"}]
    assert [to for _, to in mailbox.envelopes] == [["x0@truong.example"], [GOOD]]
    async with desk.world.db.write() as tx:
        await tx.execute(text("DROP INDEX poison"))
    for _ in range(2):
        await desk.post.round()
    assert mailbox.keywords() == [{"$NgoMonCase"}] * 3
    assert len(await all_of(desk.world, Case)) == 3


async def test_a_flood_does_not_wait_for_a_round_each(desk: Room, mailbox: MailboxPart) -> None:
    for number in range(55):
        mailbox.deliver(raw(sender=f"x{number}@truong.example"))
    mailbox.deliver(letter(From=GOOD))
    await desk.post.round()
    assert all(mailbox.keywords())


async def test_mails_that_cost_much_are_marked_and_the_honest_one_is_answered(
    desk: Room, mailbox: MailboxPart
) -> None:
    for content in HOSTILE.values():
        mailbox.deliver(content)
    mailbox.deliver(letter(From=GOOD))
    await desk.post.round()
    assert all(mailbox.keywords())
    assert [GOOD] in [to for _, to in mailbox.envelopes]


def test_whatever_the_reader_stumbles_over_the_mail_is_nobodys() -> None:
    assert post._read(cast(bytes, None), "[{unit}#DVC]") is incoming.UNREADABLE


async def test_a_stumbling_half_does_not_keep_the_other(desk: Room, mailbox: MailboxPart) -> None:
    world = desk.world
    async with world.db.write() as tx:
        mails.owe(tx, world.kit, world.desk, to=GOOD, subject="[0010#DVC]", text="x", now=desk.clock.now())
    desk.post._mailbox = cast(Any, object())  # no mailbox at all: anything may go wrong
    await desk.post.round()
    assert [to for _, to in mailbox.envelopes] == [[GOOD]]


@pytest.mark.parametrize(
    "more",
    [
        "Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n",
        "List-Help: <mailto:x@truong.example>\r\n",
        "Auto-Submitted:\r\n auto-notified\r\n",
        "Reply-To: khac@truong.example\r\nAuto-Submitted: auto-replied\r\n",
    ],
)
async def test_th02_more_machines_that_are_never_answered(
    desk: Room, mailbox: MailboxPart, more: str
) -> None:
    mailbox.deliver(raw(more=more))
    await desk.post.round()
    assert mailbox.keywords() == [{"$NgoMonUntagged"}] and mailbox.sent == []


@pytest.mark.parametrize("subject", ["Xin giúp", "[0010#DVC] Xin giúp"])
async def test_th02_desks_do_not_write_to_each_other_for_a_forger(
    desk: Room, mailbox: MailboxPart, subject: str
) -> None:
    world = desk.world
    async with world.db.write() as tx:
        about = {"name": "Kho bạc", "mailbox": "kb@hue.example", "phone": "0246 276 4300"}
        await desks.add(tx, world.kit, "KB", **about, now=desk.clock.now())
    mailbox.deliver(raw(subject, sender="KB@hue.example"))
    await desk.post.round()
    assert mailbox.sent == [] and await all_of(world, Case) == []
    assert mailbox.keywords() == [{"$NgoMonUntagged"}]


async def test_th02_an_answer_goes_to_the_sender_alone_and_quotes_nothing_of_theirs(
    desk: Room, mailbox: MailboxPart
) -> None:
    more = "Reply-To: khac@truong.example\r\nCc: nua@truong.example\r\nSender: kia@truong.example\r\n"
    sender = '"Gọi 0550 000 000 <khac@truong.example>" <an@truong.example>'
    mailbox.deliver(raw("Bấm vào https://lua.example [0010#DVC]", sender, more))
    mailbox.deliver(raw("Bấm vào https://lua.example", sender, more))
    await desk.post.round()
    assert mailbox.envelopes == [("hotro@hue.example", ["an@truong.example"])] * 2
    for answer in mailbox.sent:
        assert answer["To"] == "an@truong.example" and "Cc" not in answer
        assert "lua.example" not in answer.as_string() + answer.get_content() + answer["Subject"]
        assert "0550" not in answer.get_content()
