"""The people of one's units, looked for and narrowed down, without a name in any address (rule 912)."""

from __future__ import annotations

import pytest

from backend.roles import queue
from backend.roles.narrowed import Narrowed
from tests.workspace.office import Desk, Office
from tests.workspace.test_walked import role_of, told

# what a page says does not depend on where the rows are kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)
PAGE = "/workspace/people"


async def found(desk: Desk, **form: str) -> tuple[str, str]:
    """Where the form leads, and the page there."""
    answer = await desk.send(PAGE, form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"], await desk.page(answer.headers["location"])


async def test_w14_people_are_narrowed_by_unit_position_and_state(office: Office, desk: Desk) -> None:
    await office.has_role("Phạm Thị Còn")
    left = await role_of(office, "Phạm Thị Nghỉ")
    assert (await desk.send(f"{PAGE}/{left}/end", {"reason": "Nghỉ hưu"})).status_code == 303
    office.service.pass_time(seconds=11)
    place, page = await found(desk, state="active", position="chuyen_vien", unit=office.unit)
    assert "Phạm Thị Còn" in page and "Phạm Thị Nghỉ" not in page
    assert f"unit={office.unit}" in place and page.count(" selected") == 3
    _, page = await found(desk, state="ended")
    assert "Phạm Thị Nghỉ" in page and "Phạm Thị Còn" not in page
    assert f'action="{PAGE}/{left}/end"' not in page, "what has ended is ended once"
    for nobody in ({"position": "van_thu"}, {"unit": office.other}, {"state": "suspended"}, {"unit": "?"}):
        assert "Phạm Thị" not in (await found(desk, **nobody))[1]
    assert (await desk.http.get(PAGE, params={"state": "undone"})).status_code == 400


async def test_what_was_typed_is_in_no_address_and_is_read_by_nobody_else(office: Office, desk: Desk) -> None:
    who = await office.person("Đoàn Thị Kín")
    await office.employ(who)
    place = typed = ""
    for typed in ("doan thi kin", who.persona.national_id):
        place, page = await found(desk, q=typed, unit=office.unit)
        assert "Đoàn Thị Kín" in page and f'value="{typed}"' in page
        assert "kin" not in place.lower() and who.persona.national_id not in place
    other = await office.desk(office.ha)
    assert "Lượt tìm này đã quá mười lăm phút" in await other.page(place)
    assert typed not in await other.page(place)
    await other.http.aclose()
    office.service.pass_time(minutes=16)
    assert "Lượt tìm này đã quá mười lăm phút" in await desk.page(place)
    unfiltered = await desk.page(PAGE, q="Đoàn Thị Kín")
    assert "Đoàn Thị Kín" not in told(unfiltered.split("<ul", maxsplit=1)[0]), "an address is not listened to"


async def test_what_is_found_goes_on_page_by_page(office: Office, desk: Desk) -> None:
    for number in range(27):
        await office.has_role(f"Vũ Thị Trang {number:02}")
    _, page = await found(desk, q="vu thi trang")
    assert page.count('id="role-') == 25
    further = (
        page.split('class="more"', maxsplit=1)[1].split('href="', maxsplit=1)[1].split('"', maxsplit=1)[0]
    )
    assert "found=" in further and "trang" not in further.lower()
    assert (await desk.page(further.replace("&amp;", "&"))).count('id="role-') == 2
    async with office.service.db.read() as tx:
        narrowed = Narrowed(unit=office.unit, position="chuyen_vien")
        rows = await queue.people(
            tx,
            office.service.kit,
            office.chi.account_id,
            now=office.service.clock.now(),
            narrowed=narrowed,
            most=50,
        )
    assert len(rows.items) >= 27
