"""What goes wrong between the connector and a directory, and the word for each (rules 704, 705; case TF16)."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from backend.outside.addresses import AddressRefused, Allowed, Unreachable
from backend.outside.connectors import DeliveryError, Errand, connect
from backend.outside.connectors.ldap.passage import check
from backend.outside.http import Guarded
from tests.backend.outside.errands import mine
from tests.backend.outside.ldap_people import OFFICE, connected, listening, somebody, target, word
from tests.parts.directory import Directory
from tests.parts.tls import own_certificate


def options(directory: Directory, **changes: str) -> str:
    return json.dumps(json.loads(directory.options) | changes)


async def test_credentials_that_are_wrong_or_missing_are_our_side(directory: Directory) -> None:
    assert await word(directory, token="wrong") == ("credentials_refused", False, True)
    assert await word(directory, token=None) == ("credentials_refused", False, True)
    assert await word(directory, options=options(directory, bind_dn=f"cn=short,{directory.base_dn}")) == (
        "credentials_refused",
        False,
        True,
    )


async def test_a_directory_that_is_down_is_tried_again(directory: Directory) -> None:
    directory.ldap_down()
    assert await word(directory) == ("unreachable", False, True)


async def test_an_address_that_nobody_listed_is_not_called(directory: Directory) -> None:
    connector = await connect("ldap", target(directory), Guarded())
    with pytest.raises(DeliveryError) as refused:
        await connector.apply(somebody(), None, mine)
    assert (refused.value.code, refused.value.of_system) == ("address_refused", True)


async def test_a_base_that_is_not_there_needs_somebody(directory: Directory) -> None:
    wrong = options(directory, people="cn=people", groups="cn=groups")
    assert await word(directory, options=wrong) == ("no_such_place", False, True)


async def test_tf16_a_referral_is_parked_with_its_reason(directory: Directory) -> None:
    away = (
        f"dn: ou=away,{directory.base_dn}\nobjectClass: referral\nobjectClass: extensibleObject\nou: away\n"
    )
    directory.add(f"{away}ref: ldap://8.8.8.8/ou=away,{directory.base_dn}\n")
    there = options(directory, base_dn=f"ou=away,{directory.base_dn}")
    assert await word(directory, options=there) == ("referral", True, False)


async def test_tf16_a_referral_beside_us_hinders_nobody_who_is_here(directory: Directory) -> None:
    connector, wanted = await connected(directory), somebody()
    await connector.apply(wanted, None, mine)
    away = (
        f"dn: ou=away,{directory.base_dn}\nobjectClass: referral\nobjectClass: extensibleObject\nou: away\n"
    )
    directory.add(f"{away}ref: ldap://8.8.8.8/ou=away,{directory.base_dn}\n")
    assert not (await connector.apply(wanted, None, mine)).changed
    with pytest.raises(DeliveryError, match="referral"):
        await connector.apply(somebody(mail="binh@hue.example"), None, mine)


async def test_tf16_a_size_limit_is_parked_with_its_reason(directory: Directory) -> None:
    wanted = somebody()
    for name in ("a", "b"):
        dn = directory.add_mail_user(f"{name}@mail.example")
        number = f"add: employeeNumber\nemployeeNumber: {wanted.external_id}\n"
        directory.modify(f"dn: {dn}\nchangetype: modify\n{number}")
    short = options(directory, bind_dn=f"cn=short,{directory.base_dn}")
    with pytest.raises(DeliveryError) as refused:
        await (await connected(directory, options=short)).apply(wanted, None, mine)
    assert (refused.value.code, refused.value.permanent) == ("size_limit", True)
    with pytest.raises(DeliveryError) as refused:
        await (await connected(directory)).apply(wanted, None, mine)
    assert (refused.value.code, refused.value.permanent) == ("twins", True)


async def test_tf16_an_entry_that_was_moved_is_kept_where_it_is(directory: Directory) -> None:
    connector, wanted = await connected(directory), somebody()
    await connector.apply(wanted, None, mine)
    place = f"ou=old,{directory.base_dn}"
    directory.add(f"dn: {place}\nobjectClass: organizationalUnit\nou: old\n")
    move = f"dn: uid=anh,{directory.people_dn}\nchangetype: modrdn\nnewrdn: uid=anh\ndeleteoldrdn: 0\n"
    directory.modify(f"{move}newsuperior: {place}\n")
    await connector.apply(somebody(wanted.external_id, title="Giám đốc"), None, mine)
    entry = directory.entry("anh@hue.example")
    assert (entry["dn"], entry["title"]) == ([f"uid=anh,{place}"], ["Giám đốc"])
    assert entry["dn"][0] in directory.members("H57.01")


async def test_tf16_an_entry_that_moves_between_reading_and_writing_is_found_again(
    directory: Directory,
) -> None:
    connector, wanted = await connected(directory), somebody()
    await connector.apply(wanted, None, mine)
    moves = [
        f"dn: uid=anh,{directory.people_dn}\nchangetype: modrdn\nnewrdn: uid=ngoc.anh\ndeleteoldrdn: 1\n"
    ]

    async def moved_meanwhile() -> bool:
        if moves:
            directory.modify(moves.pop())
        return True

    await connector.apply(
        somebody(wanted.external_id, title="Giám đốc"), None, Errand(uuid4(), 1, moved_meanwhile)
    )
    assert directory.entry("anh@hue.example")["title"] == ["Giám đốc"]


@pytest.mark.parametrize("leaving", [False, True])
@pytest.mark.parametrize("at", [1, 2])
async def test_tf16_a_restart_between_two_writes_leaves_no_twin_and_nothing_undone(
    directory: Directory, leaving: bool, at: int
) -> None:
    connector, wanted = await connected(directory), somebody()
    if leaving:
        await connector.apply(wanted, None, mine)
        wanted = somebody(wanted.external_id, active=False)
    writes = 0

    async def restarted_before_a_write() -> bool:
        nonlocal writes
        writes += 1
        if writes == at:
            directory.ldap_down()
        return True

    with pytest.raises(DeliveryError) as lost:
        await connector.apply(wanted, None, Errand(uuid4(), 1, restarted_before_a_write))
    assert (lost.value.code, lost.value.permanent) == ("unreachable", False)
    directory.ldap_up()
    await connector.apply(wanted, None, mine)
    assert not (await connector.apply(wanted, None, mine)).changed
    entry = directory.entry("anh@hue.example")
    assert ("title" in entry) is not leaving
    assert (entry["dn"][0] in directory.members("H57.01")) is not leaving


async def test_twelve_at_once_share_a_group_and_lose_nobody(directory: Directory) -> None:
    connector = await connected(directory)
    people = [somebody(mail=f"p{number}@hue.example") for number in range(12)]
    await asyncio.gather(*(connector.apply(person, None, mine) for person in people))
    assert len(directory.members(OFFICE.external_id)) == 12


async def test_what_is_no_ldap_at_all_is_unreachable(directory: Directory) -> None:
    async def chatter(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 100)
        writer.close()

    async with listening(chatter) as port:
        code, permanent, _ = await word(directory, url=f"ldap://127.0.0.1:{port}")
    assert (code, permanent) == ("unreachable", False)


@asynccontextmanager
async def encrypted(directory: Directory, folder: Path, name: str) -> AsyncIterator[str]:
    """The directory behind TLS, with a certificate of an authority of its own; its URL."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(own_certificate(folder, name))

    async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner = await asyncio.open_connection("127.0.0.1", directory.port)

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while part := await source.read(65536):
                sink.write(part)
            sink.close()

        await asyncio.gather(pump(reader, inner[1]), pump(inner[0], writer), return_exceptions=True)

    async with listening(hand_on, tls) as port:
        yield f"ldaps://127.0.0.1:{port}"


async def test_ldaps_works_with_a_certificate_that_verifies_and_with_no_other(
    directory: Directory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with encrypted(directory, tmp_path, "127.0.0.1") as url:
        assert await word(directory, url=url) == ("unreachable", False, True)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "directory.pem"))
        await (await connected(directory, url=url)).apply(somebody(), None, mine)
    assert directory.members("H57.01")
    async with encrypted(directory, tmp_path, "127.0.0.2") as url:
        assert await word(directory, url=url) == ("unreachable", False, True)


REFUSED = [
    "ldap://8.8.8.8", "ldaps://8.8.8.8:389", "ldaps://10.0.0.1", "ldaps://127.0.0.1", "ldap://127.0.0.1:1389",
    "ldaps://169.254.169.254", "ldaps://[::1]", "ldaps://[::ffff:10.0.0.1]", "ldaps://me:word@8.8.8.8",
    "ldaps://8.8.8.8/dc=hue", "ldaps://8.8.8.8?cn", "ldaps://8.8.8.8#x", "ldapi://%2Ftmp%2Fldap", "ldap://",
    "https://8.8.8.8", "ldaps://8.8.8.8:99999", "ldaps://dns.example.",
]  # fmt: skip


@pytest.mark.parametrize("url", REFUSED)
async def test_an_address_is_refused_when_it_is_saved(url: str) -> None:
    with pytest.raises(AddressRefused):
        await check(url, Allowed())


async def test_public_directories_and_listed_ones_may_be_called() -> None:
    assert await check("ldaps://8.8.8.8", Allowed()) == ["8.8.8.8"]
    assert await check("ldap://127.0.0.1:3890", Allowed(["127.0.0.1:3890"])) == ["127.0.0.1"]
    with pytest.raises(AddressRefused):
        await check("ldap://127.0.0.1:3891", Allowed(["127.0.0.1:3890"]))
    with pytest.raises(Unreachable):
        await check("ldaps://nobody.invalid", Allowed())
