"""On an English page what the catalogue has words for is in English, whichever page shows it (rule 820)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select

from backend.db import new_id
from backend.errors import settle
from backend.outbox.models import System
from backend.roles import starting
from backend.roles.catalogue.entries import Named
from backend.roles.catalogue.in_force import shipped
from backend.roles.models import Role
from backend.roles.wish import Draft
from tests.workspace.office import Desk, Office
from tests.workspace.test_reviews import reviewed
from tests.workspace.test_systems import NOBODY


def named() -> Iterator[Named]:
    """All that has words in the shipped catalogue."""
    catalogue = shipped()
    for kind in catalogue.subject_types.values():
        yield kind
        yield from kind.fields
        for field in kind.fields:
            yield from field.options
    for entries in (catalogue.positions, catalogue.grants, catalogue.movements):
        yield from entries.values()


VIETNAMESE = sorted({one.label for one in named() if one.label != one.label_en}, key=len, reverse=True)
WORDS = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, VIETNAMESE))})(?!\w)")


async def connected(office: Office) -> None:
    """A system of the first unit alone: whoever moves to the other one leaves it."""
    row = System(id=new_id(), name=f"e-Office {office.number}", kind="scim", url=NOBODY)
    row.created_at = office.service.clock.now()
    row.unit_codes = msgspec.json.encode([office.unit]).decode()
    async with office.service.db.write() as tx:
        tx.add(row)


async def moving(office: Office) -> tuple[UUID, UUID]:
    """Somebody with a role who is to go to the other unit: the role, and the request."""
    before, service = await office.has_role("Tran Van Di"), office.service
    async with service.db.write() as tx:
        role = (await tx.scalars(select(Role.id).where(Role.request_id == before))).one()
        draft = Draft(kind="transfer", unit=office.other, position="nhan_vien")
        by, now = office.chi.account_id, service.clock.now()
        begun = settle(await starting.start(tx, service.kit, role, draft, by=by, now=now, note="Yes"))
    return role, begun.id


# what a page says does not depend on where the rows are kept
@pytest.mark.parametrize("service", ["sqlite"], indirect=True)
async def test_no_english_page_says_a_word_of_the_catalogue_in_vietnamese(office: Office, desk: Desk) -> None:
    role, moved = await moving(office)
    await connected(office)
    asked = await office.asks("Le Van Xin", listed=True, rank="specialist")
    await reviewed(office)
    paths = {
        "/workspace": "Specialist",
        f"/workspace/requests/{asked}": "Added to group: Internal user",
        f"/workspace/requests/{moved}": "Removed from group: Internal user",
        "/workspace/people": "Specialist",
        f"/workspace/people/{role}/transfer": "Staff member",
        f"/workspace/units/{office.unit}": "Specialist",
        "/workspace/reviews": "Specialist",
        "/workspace/reports": "Civil servant",
    }
    for path, english in paths.items():
        page = html.unescape(await desk.page(path, lang="en"))
        assert english in page, path
        assert not (left := WORDS.search(page)), (path, page[left.start() - 60 : left.end()])
    assert "Position: Specialist" in await desk.page(f"/workspace/requests/{asked}")
    assert "Thêm vào nhóm: Người dùng nội bộ" in await desk.page(f"/workspace/requests/{asked}", lang="vi")
