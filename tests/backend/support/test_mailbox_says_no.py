"""A mailbox that says no: nothing it did not give was an empty mail, and no mail is in the way of others."""

from __future__ import annotations

import imaplib
from collections.abc import Callable
from typing import Any

import pytest

from backend.outside.clock import Clock
from backend.outside.messages.mail import Mailbox, MailUnreachable
from backend.support import post
from backend.support.models import Case, ReadMail
from backend.support.post import PostRoom
from tests.backend.support.conftest import World
from tests.backend.support.test_post import all_of, letter, room_of
from tests.parts.mailbox import MailboxPart

Says = tuple[str, list[Any]]
NO: Says = ("NO", [b"[UNAVAILABLE] 1 2 3"])


@pytest.fixture
def room(world: World, mailbox: MailboxPart) -> PostRoom:
    return room_of(world, mailbox, Clock())


def answering(monkeypatch: pytest.MonkeyPatch, said: Callable[[str, tuple[str, ...]], Says | None]) -> None:
    """The server's answers, some of them others."""
    truly = imaplib.IMAP4.uid

    def uid(self: imaplib.IMAP4, command: str, *args: str) -> Says:
        return said(command, args) or truly(self, command, *args)

    monkeypatch.setattr(imaplib.IMAP4, "uid", uid)


@pytest.mark.parametrize("said", [NO, ("OK", [None])], ids=["no", "nothing"])
async def test_a_mail_that_the_server_does_not_give_is_no_empty_mail_and_becomes_a_case_later(
    world: World, room: PostRoom, mailbox: MailboxPart, monkeypatch: pytest.MonkeyPatch, said: Says
) -> None:
    mailbox.deliver(letter())
    mailbox.deliver(letter("[0011#DVC] hai"))
    with monkeypatch.context() as patch:
        first: list[str] = []

        def withheld(command: str, args: tuple[str, ...]) -> Says | None:
            if command == "FETCH":
                first.append(args[0])
                return said if args[0] == first[0] else None
            return None

        answering(patch, withheld)
        await room.round()
    assert mailbox.keywords() == [set(), {"$NgoMonCase"}]
    assert len(await all_of(world, Case)) == len(await all_of(world, ReadMail)) == 1
    await room.round()
    assert mailbox.keywords() == [{"$NgoMonCase"}] * 2
    assert len(await all_of(world, Case)) == 2


@pytest.mark.parametrize("said", [NO, ("OK", [None])], ids=["no", "forgets"])
async def test_a_mailbox_that_keeps_no_keywords_keeps_no_later_mail_from_the_desk(
    world: World, room: PostRoom, mailbox: MailboxPart, monkeypatch: pytest.MonkeyPatch, said: Says
) -> None:
    monkeypatch.setattr(post, "AT_ONCE", 2)
    monkeypatch.setattr(post, "BATCHES", 1)
    for number in range(5):
        mailbox.deliver(letter(From=f"p{number}@truong.example"))
    answering(monkeypatch, lambda command, _: said if command == "STORE" else None)
    for _ in range(4):
        await room.round()
    assert len(await all_of(world, Case)) == 5


async def test_what_a_mailbox_says_with_its_no_is_no_list_of_mails(
    mailbox: MailboxPart, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox.deliver(letter())
    answering(monkeypatch, lambda command, _: NO if command == "SEARCH" else None)
    with pytest.raises(MailUnreachable):
        await Mailbox(mailbox.imap_url).fetch_new(("$NgoMonCase",), most=9)
