"""How many statements the calls of every day ask: nothing is asked twice in a call (rule 912; docs/bench.md)."""

from __future__ import annotations

from uuid import UUID

from bench.trips import Trip, followed, of_a_phone
from tests.service import Service
from tests.workspace.office import TOKEN, Desk, Office

PAGE, APPROVE, INBOX = 13, 16, 9  # where a staff directory is there, which says nothing of the person
NUMBER_AND_CODE, KNOWN, ASK = 20, 18, 25
# more of them on PostgreSQL: locks that SQLite's one writer needs none of, the bell, the journal's head (docs/bench.md)
APPROVE_MORE, NUMBER_AND_CODE_MORE, KNOWN_MORE, ASK_MORE = 6, 2, 2, 5


async def test_a_request_is_opened_and_approved_by_few_statements(office: Office, desk: Desk) -> None:
    await office.lists(
        await office.person("Nguyễn Thị Biết")
    )  # a directory is there, and says nothing of the others
    await office.asks("Nguyễn Thị Trước")
    await office.asks("Nguyễn Thị Sau")
    rounds = [await _trips(office, desk, await office.asks(f"Nguyễn Thị Đoan {word}")) for word in "ABC"]
    for each in zip(
        *rounds, strict=True
    ):  # what is loaded at first, or once in a while, is not in all of them
        trip, most = min(each, key=lambda one: len(one[0].statements))
        assert len(trip.statements) <= most, "\n".join(trip.statements)


async def _trips(office: Office, desk: Desk, asked: UUID) -> list[tuple[Trip, int]]:
    found = TOKEN.search(await desk.page("/workspace"))
    assert found is not None
    with followed(office.service) as page:
        await desk.page(f"/workspace/requests/{asked}")
    word = {"decision": "approved", "version": 1, "reason": ""}
    with followed(office.service) as approve:
        said = await desk.send(f"/workspace/requests/{asked}/decision", word, token=found.group(1))
    assert said.status_code == 303
    with followed(office.service) as inbox:
        await desk.page("/workspace")
    more = 0 if office.service.db.is_sqlite else APPROVE_MORE
    return [(page, PAGE), (approve, APPROVE + more), (inbox, INBOX)]


async def test_somebody_new_and_somebody_known_sign_in_by_few_statements(
    office: Office, service: Service
) -> None:
    await of_a_phone(service, office, warm=True)
    rounds = [await of_a_phone(service, office) for _ in range(2)]
    more = not service.db.is_sqlite
    asked = {name: min(len(trips[name].statements) for trips in rounds) for name in rounds[0]}
    assert asked["the number"] + asked["the code"] <= NUMBER_AND_CODE + more * NUMBER_AND_CODE_MORE, asked
    assert asked["known at VNeID: back"] <= KNOWN + more * KNOWN_MORE, asked
    assert asked["ask for a role"] <= ASK + more * ASK_MORE, asked
