"""The desk's mailbox, for real: Dovecot read by IMAP, answers by SMTP, and nothing lost or doubled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from sqlalchemy import delete, select

from backend.kit import Kit
from backend.outside.clock import Clock
from backend.settings import Settings
from backend.support import cases, codes, desks, incoming, reading
from backend.support.models import Case, CaseMail, ReadMail
from backend.support.post import PostRoom
from tests.backend.support.conftest import World
from tests.backend.support.test_incoming import HOSTILE
from tests.parts.mailbox import MailboxPart
from tests.parts.postgres import Postgres
from tests.service import Service, running

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


class Room(msgspec.Struct):
    """A world with a post room that works when it is told to."""

    world: World
    post: PostRoom
    clock: Clock


@pytest_asyncio.fixture
async def room(world: World, mailbox: MailboxPart) -> Room:
    clock = Clock()
    return Room(world, room_of(world, mailbox, clock), clock)


def room_of(world: World, mailbox: MailboxPart, clock: Clock, kit: Kit | None = None) -> PostRoom:
    settings = Settings(support_imap_url=mailbox.imap_url, support_smtp_url=mailbox.smtp_url)
    return PostRoom(world.db, kit or world.kit, settings, clock)


def letter(subject: str = "[0010#DVC] Lỗi ký số", **headers: str) -> EmailMessage:
    message = EmailMessage()
    values = {"From": "Kế toán <ke.toan@truong.example>", "To": "hotro@hue.example", "Subject": subject}
    for name, value in (values | {"Message-ID": "<1@truong.example>"} | headers).items():
        message[name] = value
    message.set_content("Trang báo lỗi khi ký số.")
    return message


async def all_of(world: World, model: type[Any]) -> list[Any]:
    async with world.db.read() as tx:
        return list(await tx.scalars(select(model)))


async def test_a_mail_becomes_a_case_and_is_answered_with_its_code(room: Room, mailbox: MailboxPart) -> None:
    mailbox.deliver(letter())
    await room.post.round()
    (case,) = await all_of(room.world, Case)
    (answer,) = mailbox.sent
    assert mailbox.keywords() == [{"$NgoMonCase"}]
    assert mailbox.envelopes == [("hotro@hue.example", ["ke.toan@truong.example"])]
    assert answer["Subject"] == f"[0010#DVC] {case.code}" and codes.is_code(case.code)
    assert answer["From"].addresses[0].addr_spec == "hotro@hue.example"
    assert answer["From"].addresses[0].display_name == "Đội hỗ trợ"
    assert answer["In-Reply-To"] == "<1@truong.example>" and answer["Auto-Submitted"] == "auto-replied"
    signature = answer.get_content().replace("\r\n", "\n").split("-- \n")[1].split()
    assert " ".join(signature) == "Đội hỗ trợ hotro@hue.example 0234 3000 000"
    async with room.world.db.read() as tx:
        kit, clerk, now = room.world.kit, room.world.clerk, room.world.now
        (row,) = await reading.inbox(tx, kit, clerk, status=None, before=None, most=5, now=now)
        view = await reading.one(tx, kit, clerk, case.id, now=now)
    assert row.subject == view.subject and row.messages == [], "the list shows none, so it opens none"
    assert view.subject == "[0010#DVC] Lỗi ký số" and view.messages[0].text == "Trang báo lỗi khi ký số."
    assert "ke.toan" not in view.who and view.who.endswith("@truong.example")


async def test_what_the_desk_writes_leaves_by_mail_and_what_comes_back_joins_the_case(
    room: Room, mailbox: MailboxPart
) -> None:
    mailbox.deliver(letter())
    await room.post.round()
    (case,) = await all_of(room.world, Case)
    world = room.world
    async with world.db.write() as tx:
        text, now = "Đã sửa, mời thử lại.", room.clock.now()
        await cases.answer(tx, world.kit, case.id, text, clerk=world.clerk, form="[{unit}#DVC]", now=now)
    await room.post.round()
    written = mailbox.sent[1]
    assert written["Subject"] == f"[0010#DVC] {case.code}" and "Đã sửa, mời thử lại." in written.get_content()
    assert written["Auto-Submitted"] is None, "a person wrote it"
    mailbox.deliver(letter(f"Re: {written['Subject']}"))
    mailbox.deliver(letter(f"Re: {written['Subject']}", From="khac@truong.example"))
    await room.post.round()
    found = {one.id: one for one in await all_of(world, Case)}
    assert len(found) == 2, "somebody else who quotes the code gets a case of their own"
    assert found[case.id].status == "open"
    assert len(mailbox.sent) == 3, "the sender's own answer is not acknowledged again"


async def test_a_mail_without_the_tag_is_told_the_form_once(room: Room, mailbox: MailboxPart) -> None:
    mailbox.deliver(letter("Xin giúp đỡ"))
    for _ in range(3):
        await room.post.round()
    (answer,) = mailbox.sent
    assert mailbox.keywords() == [{"$NgoMonUntagged"}]
    assert "[SHKB#DVC]" in answer.get_content() and "hotro@hue.example" in answer.get_content()
    assert await all_of(room.world, Case) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto-Submitted": "auto-replied"},
        {"Return-Path": "<>"},
        {"List-Id": "<tin.example>"},
        {"From": "hotro@hue.example"},
        {"From": "nobody"},
    ],
    ids=lambda headers: " ".join(*headers.items()),
)
async def test_machines_and_nobody_are_never_answered(
    room: Room, mailbox: MailboxPart, headers: dict[str, str]
) -> None:
    mailbox.deliver(letter("Vắng mặt", **headers))
    mailbox.deliver(letter(**headers))
    await room.post.round()
    assert all(mailbox.keywords()) and mailbox.sent == []
    assert await all_of(room.world, CaseMail) == []


async def test_th01_a_secret_in_a_mail_never_reaches_the_desk(room: Room, mailbox: MailboxPart) -> None:
    first, more = letter("[0010#DVC] Mật khẩu là Abc@12345"), letter()
    first.set_content("Tôi nhận mã OTP 123456 nhưng trang báo sai.\nMật khẩu: Abc@12345\nXin giúp.")
    mailbox.deliver(first)
    await room.post.round()
    (case,) = await all_of(room.world, Case)
    more.replace_header("Subject", f"Re: [0010#DVC] {case.code}")
    more.set_content("Mã PIN của tôi là 4711")
    mailbox.deliver(more)
    await room.post.round()
    async with room.world.db.read() as tx:
        view = await reading.one(tx, room.world.kit, room.world.clerk, case.id, now=room.world.now)
    assert view.subject == "[0010#DVC] Mật khẩu là ••••••"
    assert [one.text for one in view.messages] == [
        "Tôi nhận mã OTP •••••• nhưng trang báo sai.\nMật khẩu: ••••••\nXin giúp.",
        "Mã PIN của tôi là ••••••",
    ]


async def test_the_desk_is_that_of_the_address(room: Room, mailbox: MailboxPart) -> None:
    async with room.world.db.write() as tx:
        other = await desks.add(
            tx,
            room.world.kit,
            "KB",
            name="Kho bạc",
            mailbox="kb@hue.example",
            phone="0246 276 4300",
            now=room.clock.now(),
        )
    mailbox.deliver(letter(To="Kho bạc <KB@hue.example>"))
    await room.post.round()
    (case,) = await all_of(room.world, Case)
    assert case.desk_id == other.id and mailbox.envelopes[0][0] == "kb@hue.example"


async def test_while_the_mail_server_is_away_nothing_is_lost_and_then_nothing_doubled(
    room: Room, mailbox: MailboxPart
) -> None:
    mailbox.smtp_down()
    mailbox.deliver(letter())
    await room.post.round()
    assert mailbox.keywords() == [{"$NgoMonCase"}]
    mailbox.smtp_up()
    await room.post.round()
    assert mailbox.sent == [], "the pause after a try"
    for _ in range(3):
        room.clock.ahead += timedelta(seconds=31)
        await room.post.round()
    assert len(mailbox.sent) == 1
    (row,) = await all_of(room.world, CaseMail)
    assert row.attempts == 2 and row.sent_at is not None


async def test_a_refused_address_holds_nobody_else_up(room: Room, mailbox: MailboxPart) -> None:
    mailbox.smtp_refuses()
    mailbox.deliver(letter())
    await room.post.round()
    mailbox.smtp_refuses(False)
    mailbox.deliver(letter(From="hai@truong.example"))
    await room.post.round()
    assert [to for _, to in mailbox.envelopes] == [["hai@truong.example"]]


async def test_a_crash_before_the_keyword_opens_no_second_case(room: Room, mailbox: MailboxPart) -> None:
    mailbox.deliver(letter())
    validity, (fetched,) = await room.post._mailbox.fetch_new(("$NgoMonCase",), most=9)  # type: ignore[union-attr]
    async with room.world.db.write() as tx:
        mail = incoming.read(fetched.raw or b"", "[{unit}#DVC]")
        assert await room.post._taken(tx, mail, fetched, validity, LONG_AGO) == "$NgoMonCase"
    assert mailbox.keywords() == [set()], "the process dies here"
    for _ in range(2):
        await room.post.round()
    assert mailbox.keywords() == [{"$NgoMonCase"}]
    (row,) = await all_of(room.world, ReadMail)
    assert row.at > LONG_AGO, "while it comes, it stays known (rule 911)"
    assert len(await all_of(room.world, Case)) == len(mailbox.sent) == 1


async def test_two_post_rooms_at_once_open_and_send_one(room: Room, mailbox: MailboxPart) -> None:
    for number in range(4):
        mailbox.deliver(letter(From=f"p{number}@truong.example"))
    rooms = [room_of(room.world, mailbox, room.clock) for _ in range(3)]
    await asyncio.gather(*(one.round() for one in rooms))
    await room.post.round()
    assert len(await all_of(room.world, Case)) == 4
    assert sorted(to for _, (to,) in mailbox.envelopes) == [
        f"p{number}@truong.example" for number in range(4)
    ]


async def test_a_flood_from_one_address_is_left_to_the_desk(room: Room, mailbox: MailboxPart) -> None:
    for number in range(13):
        mailbox.deliver(letter(f"[0010#DVC] {number}"))
    await room.post.round()
    assert len(await all_of(room.world, Case)) == len(mailbox.sent) == 10
    assert mailbox.keywords().count({"$NgoMonUntagged"}) == 3


async def test_hostile_mails_are_marked_and_do_no_harm(room: Room, mailbox: MailboxPart) -> None:
    big = letter()
    big.add_attachment(b"x" * 10_000_000, maintype="application", subtype="zip", filename="../../a.zip")
    mailbox.deliver(big)
    for raw in HOSTILE.values():
        mailbox.deliver(raw.replace(b"\0", b"") or b"\r\n")
    mailbox.deliver(letter(From="cuoi@truong.example"))
    for _ in range(3):
        await room.post.round()
    assert all(mailbox.keywords())
    assert {to for _, (to,) in mailbox.envelopes} <= {
        "ke.toan@truong.example",
        "a@b.example",
        "cuoi@truong.example",
    }
    assert any(to == ["cuoi@truong.example"] for _, to in mailbox.envelopes)
    assert all("Bcc" not in one and len(one.get_all("To", [])) == 1 for one in mailbox.sent)


async def test_without_a_desk_the_mails_wait(room: Room, mailbox: MailboxPart) -> None:
    async with room.world.db.write() as tx:
        await desks.remove(tx, room.world.kit, "HUE", now=room.clock.now())
    mailbox.deliver(letter())
    await room.post.round()
    assert mailbox.keywords() == [set()]


@pytest_asyncio.fixture(params=["sqlite", "postgres"])
async def posted(
    request: pytest.FixtureRequest, tmp_path: Path, mailbox: MailboxPart
) -> AsyncIterator[Service]:
    """A whole installation with a mailbox."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'post.db'}"
    if request.param == "postgres":
        cluster: Postgres = request.getfixturevalue("postgres")
        url = cluster.new_database("post")
    environ = {"IMAP_URL": mailbox.imap_url, "SMTP_URL": mailbox.smtp_url, "POLL_SECONDS": "1"}
    async with running(
        url, **{f"NGOMON_SUPPORT_{name}": value for name, value in environ.items()}
    ) as service:
        async with service.db.write() as tx:
            await tx.execute(delete(CaseMail))
            await desks.add(
                tx,
                service.kit,
                "HUE",
                name="Đội hỗ trợ",
                mailbox="hotro@hue.example",
                phone="19001075",
                now=service.clock.now(),
            )
        yield service


async def test_a_running_service_reads_and_answers_by_itself(posted: Service, mailbox: MailboxPart) -> None:
    mailbox.deliver(letter())
    (answer,) = await mailbox.sends(1)
    code = answer["Subject"].removeprefix("[0010#DVC] ")
    assert (await mailbox.all_marked()) == [{"$NgoMonCase"}]
    told = (await posted.http.get(f"/v1/support-codes/{code}")).json()
    assert told["genuine"] is True and told["mailbox"] == "hotro@hue.example"
