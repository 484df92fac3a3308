"""The journal page: no filter shows another unit's entries, no method takes one away or alters it (case TW17, rules 820, 901)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from backend.journal import Entry
from backend.roles.models import Role, Unit
from tests.workspace.aftermath import Hand, after, role_of
from tests.workspace.office import SAME_SITE, Desk, Office
from tests.workspace.test_deciding import word

PAGE = "/workspace/audit"
KINDS = ("", "role", "sync", "access", "manager")
METHODS = ("PUT", "PATCH", "DELETE", "MOVE", "PURGE")


async def elsewhere(office: Office) -> dict[str, str]:
    """What Dũng has decided in the other unit, by everything that names it."""
    who = await office.person("Đinh Thị Bí Mật")
    request_id = await office.employ(who, unit=office.other)
    role = await role_of(office, request_id)
    async with office.service.db.read() as tx:
        unit = (await tx.get_one(Role, role)).unit_id
        entry = select(func.max(Entry.seq)).where(Entry.subject == who.account_id)
        assert await tx.scalar(select(Unit.code).where(Unit.id == unit)) == office.other
        return {
            "request": str(request_id),
            "role": str(role),
            "unit": str(unit),
            "code": office.other,
            "account": str(who.account_id),
            "number": who.persona.national_id,
            "manager": str(office.dung.account_id),
            "root": office.root,
            "seq": str(await tx.scalar(entry)),
        }


async def untouched(office: Office, length: int) -> None:
    """As long as it was, and every link of it holds."""
    async with office.service.db.read() as tx:
        assert await office.service.kit.journal.verify(tx) == (length, None)


async def length_of(office: Office) -> int:
    async with office.service.db.read() as tx:
        return await tx.scalar(select(func.max(Entry.seq))) or 0


async def test_tw17_no_filter_shows_what_was_done_in_another_unit(office: Office, desk: Desk) -> None:
    theirs = await elsewhere(office)
    own = await office.asks("Đinh Thị Của Mình")
    await desk.send(f"/workspace/requests/{own}/decision", word("rejected", reason="Sai đơn vị"))
    for known, value in theirs.items():
        for name in ("person", "actor", "unit", "cursor", "kind", "outcome", "request", "subject", "seq"):
            for path in (PAGE, f"{PAGE}/export.csv", f"{PAGE}/export.xlsx"):
                answer = await desk.http.get(path, params={name: value})
                assert answer.status_code in {200, 400, 422}, (known, name, path)
                assert "Bí Mật" not in answer.text and "Hoàng Văn Dũng" not in answer.text, (
                    known,
                    name,
                    path,
                )
    for kind in KINDS:
        for unit in ("", office.other, office.root, "%", "_", "*", "' OR 1=1 --"):
            page = await desk.page(PAGE, kind=kind, unit=unit)
            assert "Bí Mật" not in page and "Hoàng Văn Dũng" not in page, (kind, unit)
    far = await desk.page(PAGE, cursor=str(2**31 - 1))
    assert "Của Mình" in far and "Bí Mật" not in far
    receiver = await office.desk(office.dung)
    assert "Bí Mật" in await receiver.page(PAGE), "it is there, for whoever may read it"
    await receiver.http.aclose()


@pytest.mark.parametrize("service", ["sqlite"], indirect=True)
async def test_tw17_a_form_finds_nobody_of_another_unit_either(office: Office, desk: Desk) -> None:
    theirs = await elsewhere(office)
    hand = await Hand.of(desk, "/workspace")
    for name in ("person", "actor"):
        for value in theirs.values():
            answer = await hand.press(PAGE, {name: value})
            assert answer.status_code == 422 and "Không tìm thấy người này" in answer.text, (name, value)
            assert "Bí Mật" not in answer.text
    for field in ("seq", "tag", "fact", "by", "at", "hash", "delete", "_method"):
        answer = await hand.press(PAGE, {"kind": "role", field: "1"})
        assert answer.status_code == 400, field


@pytest.mark.parametrize("service", ["sqlite"], indirect=True)
async def test_tw17_by_no_method_and_no_address_is_an_entry_altered_or_taken_away(
    office: Office, desk: Desk
) -> None:
    request_id = await office.asks("Đinh Thị Còn Đây")
    await desk.send(f"/workspace/requests/{request_id}/decision", word("approved"))
    above = await office.desk(office.ha)
    length = await length_of(office)
    paths = [PAGE, f"{PAGE}/", f"{PAGE}/{length}", f"{PAGE}/{length}/delete", f"{PAGE}/export.csv", f"/v1{PAGE}",
             f"/workspace/journal/{length}", f"{PAGE}?seq={length}", "/workspace/operator/audit"]  # fmt: skip
    for one in (desk, above):  # whoever decides for a unit, and whoever operates the whole of it
        hand = await Hand.of(one, "/workspace")
        headers = SAME_SITE | {"X-CSRF-Token": hand.token}
        for path in paths:
            for method in METHODS:
                answer = await one.http.request(method, path, headers=headers)
                assert answer.status_code in {400, 401, 403, 404, 405, 501}, (method, path)
            if path.split("?")[0].rstrip("/") != PAGE:
                answer = await hand.press(path, {"fact": "{}", "_method": "DELETE"})
                assert answer.status_code in {401, 403, 404, 405, 415}, path
    await untouched(office, length)
    await above.http.aclose()


EDITS: dict[str, str] = {
    "another outcome": "UPDATE journal SET fact = replace(fact, 'approved', 'rejected') WHERE subject = :who",
    "somebody else did it": 'UPDATE journal SET "by" = subject WHERE subject = :who',
    "taken away": "DELETE FROM journal WHERE subject = :who",
}


@pytest.mark.parametrize("name", EDITS)
async def test_tw17_what_was_done_through_the_pages_and_edited_in_the_file_is_found(
    office: Office, desk: Desk, name: str
) -> None:
    who = await office.person("Đinh Thị Sửa Tệp")
    request_id = await office.asks_as(who)
    await desk.send(f"/workspace/requests/{request_id}/decision", word("approved"))
    assert (await after(office, request_id)).tags[-1] != "account.opened"
    db, journal = office.service.db, office.service.kit.journal
    async with db.engine.connect() as connection:
        value: Any = who.account_id.hex if db.engine.dialect.name == "sqlite" else who.account_id
        done = await connection.execute(text(EDITS[name]), {"who": value})
        assert done.rowcount > 0
        async with AsyncSession(connection) as tx:
            _, trouble = await journal.verify(tx)
        await connection.rollback()
    assert trouble is not None and any(one in trouble for one in ("altered", "missing", "tail was cut"))
    await untouched(office, await length_of(office))


async def test_tw17_an_attempt_on_what_is_elsewhere_stays_written_down(office: Office, desk: Desk) -> None:
    theirs = await elsewhere(office)
    length = await length_of(office)
    answer = await desk.send(f"/workspace/requests/{theirs['request']}/decision", word("approved"))
    assert answer.status_code == 404
    async with office.service.db.read() as tx:
        last = await tx.scalar(select(Entry).where(Entry.seq > length, Entry.tag == "access.refused"))
        assert last is not None and last.by == office.chi.account_id
    page = await desk.page(PAGE, kind="access")
    assert theirs["request"] not in page and "Bí Mật" not in page
