"""What somebody types into a search, and a place in another list: always a page with words, never a fault (rules 820, 912)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import UUID

import pytest

from backend import paging
from tests.workspace.office import Desk, Office

SEARCHES = ("/workspace/people", "/workspace/decisions", "/workspace/audit")
FIELDS = {
    "/workspace/people": ("q",),
    "/workspace/decisions": ("person",),
    "/workspace/audit": ("person", "actor"),
}
TYPED = {
    "one letter": "a",
    "one marked letter": "ễ",
    "10,000 letters": "nguyễn " * 1429,
    "one word of 10,000": "x" * 10_000,
    "signs": "!?%_*'\"\\;--()[]{}<>&",
    "spaces": " " * 50,
    "emoji": "🙂" * 30,
    "10,000 digits": "0" * 10_000,
    "a separator": "\u2028\u202e",
}
NOBODY, SOMETHING = UUID(int=0), UUID("01890000-0000-7000-8000-000000000000")
PLACES = {
    "a request's": str(SOMETHING),
    "a role's": f"NV {SOMETHING}",
    "a word's": f"{datetime(2026, 1, 1, tzinfo=UTC).isoformat()} {SOMETHING}",
    "a review's": f"{NOBODY} {SOMETHING}",
    "a difference's": f"NV 0 {SOMETHING}",
    "a unit's": "NV",
    "a number": "7",
    "nothing": " ",
    "letters": "ễ" * 300,
}
LISTS = (
    "/workspace", "/workspace/people", "/workspace/decisions", "/workspace/audit", "/workspace/reviews",
    "/workspace/differences", "/workspace/units", "/workspace/units/{unit}", "/workspace/me",
)  # fmt: skip


@pytest.mark.parametrize("path", SEARCHES)
async def test_tw12_whatever_is_typed_into_a_search_is_answered_with_a_page(
    office: Office, desk: Desk, path: str
) -> None:
    await office.has_role("Võ Minh Hải")
    for name, typed in TYPED.items():
        for field in FIELDS[path]:
            answer = await desk.send(path, {field: typed})
            assert answer.status_code in {200, 303, 422}, (name, field, answer.status_code)
            if answer.status_code == 303:
                answer = await desk.http.get(answer.headers["location"])
            assert answer.status_code in {200, 422}, (name, field, answer.status_code)
            assert "<h1" in answer.text and "Mã tham chiếu:" not in answer.text, (name, field)


async def test_tw12_the_inbox_takes_any_search_that_fits_an_address(office: Office, desk: Desk) -> None:
    await office.asks("Võ Minh Hải")
    for name, typed in TYPED.items():
        answer = await desk.http.get("/workspace", params={"q": typed})
        if len(typed) > 1000:  # no address is so long
            assert answer.status_code in {200, 400, 414, 422}, (name, answer.status_code)
        else:
            assert answer.status_code == 200, (name, answer.text)
    assert "Võ Minh Hải" in await desk.page("/workspace", q="v")
    assert "Võ Minh Hải" not in await desk.page("/workspace", q="!?")


@pytest.mark.parametrize("path", LISTS)
async def test_a_place_in_another_list_is_refused_or_leads_somewhere(
    office: Office, desk: Desk, path: str
) -> None:
    await office.has_role("Võ Minh Hải")
    for name, place in PLACES.items():
        for cursor in (place, paging.cursor_of(place) or ""):
            answer = await desk.http.get(path.replace("{unit}", office.unit), params={"cursor": cursor})
            assert answer.status_code in {200, 400, 422}, (name, cursor, answer.status_code)
            if answer.status_code != 200:
                assert re.search("Mã tham chiếu:|<h1", answer.text), (name, cursor)


@pytest.mark.parametrize("path", LISTS)
async def test_tw13_a_column_that_nobody_offers_sorts_nothing(office: Office, desk: Desk, path: str) -> None:
    for number in range(3):
        await office.asks(f"Võ Thị Xếp {number}")
        await office.has_role(f"Võ Văn Xếp {number}")
    place = path.replace("{unit}", office.unit)
    order = re.findall(r"Võ \w+ Xếp \d", await desk.page(place))
    for name in ("sort", "order", "order_by", "column"):
        for column in ("password_hash", "1;--", "name desc", "-created_at"):
            answer = await desk.http.get(place, params={name: column})
            assert answer.status_code == 200, (name, column, answer.status_code)
            assert re.findall(r"Võ \w+ Xếp \d", answer.text) == order, (name, column)
