"""A long file is put together from parts, and nothing is missing or twice between them (cases W14; rule 912)."""

from __future__ import annotations

import csv
import io
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest

from backend.hanging_up import GONE
from backend.roles import audit as journal
from backend.roles import decisions
from tests.parts.asked import heard
from tests.workspace.office import Desk, Office
from tests.workspace.test_kept import session_over
from workspace import audit, decided, sheets

NAMES = [f"Lý Thị Hàng {number:02d}" for number in range(7)]


def lines(text: str) -> list[list[str]]:
    """Of a file, without what stands above the columns."""
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))[1:]


@pytest.mark.parametrize("part", [1, 3, 7, 200])
async def test_every_decision_is_once_in_the_file(
    office: Office, desk: Desk, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setattr(decided, "PART", part)
    for name in NAMES:
        await office.has_role(name)
    found = lines(await desk.page("/workspace/decisions/export.csv"))
    assert list(reversed(NAMES)) == [cell for row in found for cell in row if cell in NAMES]
    monkeypatch.setattr(decided, "EXPORTED", 5)
    *some, last = lines(await desk.page("/workspace/decisions/export.csv"))
    assert len(some) == 5 and last == [sheets.CUT], "nobody takes it for the whole"
    monkeypatch.setattr(decided, "EXPORTED", len(NAMES))
    assert lines(await desk.page("/workspace/decisions/export.csv")) == found, (
        "and the whole is not called a part"
    )


@pytest.mark.parametrize("part", [1, 3, 200])
async def test_every_entry_is_once_in_the_file(
    office: Office, desk: Desk, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    for name in NAMES[:3]:
        await office.has_role(name)
    whole = lines(await desk.page("/workspace/audit/export.csv"))
    monkeypatch.setattr(audit, "PART", part)
    assert lines(await desk.page("/workspace/audit/export.csv")) == whole
    assert len(whole) > 9
    monkeypatch.setattr(audit, "EXPORTED", 4)
    assert lines(await desk.page("/workspace/audit/export.csv")) == [*whole[:4], [sheets.CUT]]
    monkeypatch.setattr(audit, "EXPORTED", 5000)
    monkeypatch.setattr(audit, "CHUNKS", 1)
    cut = lines(await desk.page("/workspace/audit/export.csv"))
    assert cut == (whole if part == 200 else [*whole[:part], [sheets.CUT]]), "looked through no further"


@pytest.mark.parametrize("page", [audit, decided])
async def test_for_each_part_it_is_asked_again_who_may_read_it(
    office: Office, desk: Desk, monkeypatch: pytest.MonkeyPatch, page: ModuleType
) -> None:
    monkeypatch.setattr(page, "PART", 1)
    for name in NAMES[:3]:
        await office.has_role(name)
    path = {audit: "audit", decided: "decisions"}[page]
    with heard(of_all=True) as statements:  # the server asks
        file = lines(await desk.page(f"/workspace/{path}/export.csv"))
    asked = [one for one, _ in statements if "lent_from" in one and "identifiers" in one]
    assert len(file) >= 3 and len(asked) > len(file)  # once at the door


@pytest.mark.parametrize("name", ["audit", "decisions"])
async def test_nothing_is_looked_for_for_whoever_has_hung_up(office: Office, desk: Desk, name: str) -> None:
    """The server tells a call nothing of it: before each part the call looks."""
    await office.has_role(NAMES[0])
    path, sent, left = f"/workspace/{name}/export.csv", list[Any](), [{"type": "http.request", "body": b""}]
    place = urlsplit(office.service.url).netloc
    cookies = "; ".join(f"{one}={value}" for one, value in desk.http.cookies.items())

    async def receive() -> Any:
        return left.pop() if left else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "method": "GET",
        "path": path, "raw_path": path.encode(), "root_path": "", "query_string": b"", "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 1), "headers": [(b"host", place.encode()), (b"cookie", cookies.encode())],
    }  # fmt: skip
    with heard() as statements:
        await office.service.app.asgi(scope, receive, send)
    assert [one["status"] for one in sent if "status" in one] == [GONE]
    assert not [one for one, _ in statements if "journal_places" in one or "request_steps" in one]


@pytest.mark.parametrize("page", [audit, decided])
async def test_a01_a_session_that_ends_meanwhile_gets_no_further_part(
    office: Office, desk: Desk, monkeypatch: pytest.MonkeyPatch, page: ModuleType
) -> None:
    """As by "Không phải tôi" on the phone, while whoever is not the owner takes a file along."""
    monkeypatch.setattr(page, "PART", 1)
    for name in NAMES[:3]:
        await office.has_role(name)
    module, name = {audit: (journal, "of_units"), decided: (decisions, "decided")}[page]
    read, parts = getattr(module, name), list[Any]()

    async def and_ends(*given: Any, **more: Any) -> Any:
        parts.append(await read(*given, **more))
        if len(parts) == 2:
            await session_over(office)
        return parts[-1]

    monkeypatch.setattr(module, name, and_ends)
    path = {audit: "audit", decided: "decisions"}[page]
    answer = await desk.http.get(f"/workspace/{path}/export.csv")
    assert answer.status_code == 303 and "/workspace/login" in answer.headers["location"]
    assert len(parts) == 2
