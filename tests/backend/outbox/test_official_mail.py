"""Official-mail passwords: set in the directory, proved at the mail server (rule 173)."""

from __future__ import annotations

import asyncio
import json
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from backend.outbox import systems
from backend.outbox.models import System
from backend.outbox.official_mail import MailDirectoryUnavailable, MailPasswordUncertain, OfficialMail
from backend.outbox.systems import SystemTrouble
from backend.outside.http import Guarded
from tests.backend.outbox.conftest import World
from tests.parts.directory import Directory

ADDRESS = "anh@hue.example"
OLD, NEW = "mật-khẩu Cũ 1", "Mật-khẩu Mới 2!"


async def connect(world: World, directory: Directory, name: str = "thu-dien-tu", **changes: Any) -> System:
    whole: dict[str, Any] = {
        "kind": "ldap", "url": directory.url, "token": directory.password, "options": directory.options,
        "keeps_mail": True,
    }  # fmt: skip
    async with world.db.write() as tx:
        system, _ = await systems.add(
            tx, world.kit, name=name, unit_codes=[], people=world.people, by=None, now=world.clock.now(),
            **(whole | changes),
        )  # fmt: skip
    return system


def mail_of(world: World) -> OfficialMail:
    return OfficialMail(world.db, world.kit, world.http)


async def lets_in(directory: Directory, password: str, user: str = ADDRESS) -> bool:
    return await asyncio.to_thread(directory.imap_sign_in, user, password)


async def refused(mail: OfficialMail, address: str = ADDRESS, password: str = NEW) -> str:
    """Why the log says that the password was not set; nobody else is told."""
    with capture_logs() as lines, pytest.raises(MailDirectoryUnavailable) as unavailable:
        await mail.set_password(address, password)
    assert (unavailable.value.status, unavailable.value.code) == (503, "mail_directory_unavailable")
    assert unavailable.value.retry_after
    assert password not in str(lines) and address not in str(lines)
    (line,) = [line for line in lines if line["event"] == "mail_password_not_set"]
    return str(line["error"])


async def test_the_new_password_signs_in_to_the_mailbox_and_the_old_one_does_not(
    world: World, directory: Directory
) -> None:
    directory.add_mail_user(ADDRESS, OLD)
    directory.add_mail_user("binh@hue.example", OLD)
    await connect(world, directory)
    assert await lets_in(directory, OLD)
    with capture_logs() as lines:
        await mail_of(world).set_password(ADDRESS, NEW)
    assert await lets_in(directory, NEW)
    assert not await lets_in(directory, OLD)
    assert await lets_in(directory, OLD, "binh@hue.example")
    assert lines == []
    assert NEW not in directory.entry(ADDRESS)["userPassword"]


PASSWORDS = ["Abc-1234", "ỷ-Ỹ-ẵ-Đ-1a", "🔑 Khóa-1a", 'a"b\\c,d+e=f;g#1A', " Đầu-cuối 1 ", "Aa1!" + "ễ" * 124]


@pytest.mark.parametrize("password", PASSWORDS)
async def test_every_password_arrives_as_it_was_typed(
    on_sqlite: World, directory: Directory, password: str
) -> None:
    directory.add_mail_user(ADDRESS)
    await connect(on_sqlite, directory)
    await mail_of(on_sqlite).set_password(ADDRESS, password)
    assert await lets_in(directory, password)
    assert not await lets_in(directory, password.strip() + "x")


async def test_marks_that_were_typed_one_by_one_are_composed(on_sqlite: World, directory: Directory) -> None:
    directory.add_mail_user(ADDRESS)
    await connect(on_sqlite, directory)
    await mail_of(on_sqlite).set_password(ADDRESS, unicodedata.normalize("NFD", NEW))
    assert await lets_in(directory, NEW)


async def test_a_directory_out_of_reach_changes_nothing_and_is_tried_again(
    world: World, directory: Directory
) -> None:
    directory.add_mail_user(ADDRESS, OLD)
    await connect(world, directory)
    directory.ldap_down()
    assert await refused(mail_of(world)) == "unreachable"
    directory.ldap_up()
    await mail_of(world).set_password(ADDRESS, NEW)
    assert await lets_in(directory, NEW)


async def test_without_a_mail_directory_there_is_none(on_sqlite: World, directory: Directory) -> None:
    directory.add_mail_user(ADDRESS, OLD)
    assert await refused(mail_of(on_sqlite)) == "no_mail_directory"
    await connect(on_sqlite, directory, "danh-ba", keeps_mail=False)
    assert await refused(mail_of(on_sqlite)) == "no_mail_directory"
    await connect(on_sqlite, directory)
    async with on_sqlite.db.write() as tx:
        await systems.disable(tx, on_sqlite.kit, "thu-dien-tu", by=None, now=on_sqlite.clock.now())
    assert await refused(mail_of(on_sqlite)) == "no_mail_directory"
    assert await lets_in(directory, OLD)


async def test_only_the_one_entry_of_the_address_is_touched(on_sqlite: World, directory: Directory) -> None:
    directory.add_mail_user(ADDRESS, OLD)
    await connect(on_sqlite, directory)
    mail = mail_of(on_sqlite)
    for address in ("binh@hue.example", "*", "anh*", "*)(uid=*", "anh@hue.example)(mail=*", "anh"):
        assert await refused(mail, address) == "no_such_mail"
    directory.add(
        f"dn: uid=twin,{directory.people_dn}\nobjectClass: inetOrgPerson\nuid: twin\ncn: x\nsn: x\nmail: {ADDRESS}\n"
    )
    assert await refused(mail) == "twins"
    outside = f"uid=chi,{directory.base_dn}"
    directory.add(
        f"dn: {outside}\nobjectClass: inetOrgPerson\nuid: chi\ncn: x\nsn: x\nmail: chi@hue.example\n"
    )
    assert await refused(mail, "chi@hue.example") == "no_such_mail"


async def test_what_the_directory_refuses_is_one_answer(on_sqlite: World, directory: Directory) -> None:
    directory.add_mail_user(ADDRESS, OLD)
    reader = json.dumps(json.loads(directory.options) | {"bind_dn": f"cn=short,{directory.base_dn}"})
    await connect(on_sqlite, directory, options=reader)
    assert await refused(mail_of(on_sqlite)) == "credentials_refused"
    mail = OfficialMail(on_sqlite.db, on_sqlite.kit, Guarded())
    assert await refused(mail) == "address_refused"
    assert await lets_in(directory, OLD)


async def test_a_nul_byte_cuts_no_password_short(on_sqlite: World, directory: Directory) -> None:
    directory.add_mail_user(ADDRESS, OLD)
    await connect(on_sqlite, directory)
    assert await refused(mail_of(on_sqlite), password="Abc-1234\0rest") == "rejected"
    assert await lets_in(directory, OLD)


async def test_one_directory_at_most_keeps_the_passwords(world: World, directory: Directory) -> None:
    await connect(world, directory)
    with pytest.raises(SystemTrouble, match="'thu-dien-tu' keeps the passwords"):
        await connect(world, directory, "another")
    with pytest.raises(SystemTrouble, match="only a directory"):
        await connect(world, directory, "another", kind="scim", options="{}")
    async with world.db.write() as tx:
        await systems.disable(tx, world.kit, "thu-dien-tu", by=None, now=world.clock.now())
    await connect(world, directory, "another")


SETS_A_PASSWORD = b"1.3.6.1.4.1.4203.1.11.1"  # RFC 3062


@asynccontextmanager
async def breaking_off(directory: Directory, *, after: bool) -> AsyncIterator[str]:
    """The address of a way to the directory that ends with the word about a password: `after` it was taken in."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, onward = await asyncio.open_connection("127.0.0.1", directory.port)

        async def back() -> None:
            while said := await there.read(65536):
                writer.write(said)

        answers = asyncio.create_task(back())
        while said := await reader.read(65536):
            if SETS_A_PASSWORD in said:
                answers.cancel()
                if after:
                    onward.write(said)
                    await there.read(1)
                break
            onward.write(said)
        writer.close()
        onward.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    yield f"ldap://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


@pytest.mark.parametrize("after", [True, False])
async def test_a_directory_that_breaks_off_at_the_word_may_have_taken_it(
    world: World, directory: Directory, *, after: bool
) -> None:
    """A connection that ends says nothing: neither that the password is changed nor that it is not."""
    directory.add_mail_user(ADDRESS, OLD)
    async with breaking_off(directory, after=after) as url:
        await connect(world, directory, url=url)
        with capture_logs() as lines, pytest.raises(MailPasswordUncertain) as unknown:
            await mail_of(world).set_password(ADDRESS, NEW)
    assert (unknown.value.status, unknown.value.code) == (503, "mail_password_uncertain")
    assert [line["event"] for line in lines] == ["mail_password_uncertain"]
    assert await lets_in(directory, NEW if after else OLD)
