"""An office in which everything that a page can show has been said once, in words that a test chooses."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from urllib.parse import quote
from uuid import UUID

import msgspec
from sqlalchemy import select, update

from backend.db import new_id
from backend.errors import settle
from backend.imports.rows import records
from backend.outbox.models import Delivery, System
from backend.outside.clock import local_day
from backend.roles import overdue, requests, review, staff, starting
from backend.roles.models import RequestStep, Role, Unit
from backend.roles.wish import Draft
from tests.workspace.counter import HOME, Counter, asks
from tests.workspace.office import Desk, Office, Somebody
from tests.workspace.support_joins import a_pair, proposed
from tests.workspace.test_corrections import returned_transfer
from tests.workspace.test_reorganisations import PATH, lay, planned

Say = Callable[[str, int], str]  # the text of a field, at most so long
NOBODY = "http://127.0.0.1:9/scim/v2"  # the discard port: nothing listens
YEARS = timedelta(days=365)


class Lived(msgspec.Struct):
    """The office, who looks around in it, and the addresses that no page leads to."""

    office: Office
    people: list[Somebody]
    first: list[str] = []
    more: list[str] = []  # looked at beside what stands for its page


async def lived_in(office: Office, clerk: Somebody, counter: Counter, say: Say) -> Lived:
    """Fill the office. Chi decides, Hà operates, the clerk answers, and an officer has a role and a wish."""
    service = office.service
    async with service.db.write() as tx:
        for code in (office.root, office.unit, office.other):
            await tx.execute(update(Unit).where(Unit.code == code).values(name=say(f"unit {code}", 190)))
    officer = await office.person(
        say("officer", 110),
    )
    await office.employ(officer)
    desk, operator = await office.desk(office.chi), await office.desk(office.ha)
    asked = await _requests(office, say)
    await _wish(office, officer, say)
    lived = Lived(office, [office.chi, office.ha, clerk, officer])
    lived.first += [f"/workspace/requests/{one}" for one in asked]
    lived.more += [*lived.first, f"/workspace/units/{office.other}"]
    lived.first += [f"/workspace/requests/{asked[2]}/slip", await _batch(lived, desk, say)]
    lived.first += [
        await _system(office, say),
        f"/workspace?unit={quote(office.unit)}&q={quote(say('q', 90))}",
    ]
    lived.people.append(await _lent(office, desk, say))
    lived.first += await _operated(office, operator, say)
    lived.first += await _desk(office, counter, say)
    lived.first.append(
        (await desk.http.get("/workspace/login/start")).headers["location"].removeprefix(service.url)
    )
    for one in (desk, operator):
        await one.http.aclose()
    return lived


async def _requests(office: Office, say: Say) -> list[UUID]:
    """Waiting, late, approved, refused and returned ones."""
    service, kit = office.service, office.service.kit
    fields = {"employee_code": say("staff code", 30), "decision_number": say("decision", 50)}
    waiting = await office.asks_as(await _listed(office, say), **fields)
    late = await office.asks(say("late", 110))
    approved = await office.has_role(say("approved", 110))
    refused, returned = await office.asks(say("refused", 110)), await office.asks(say("returned", 110))
    moved = await office.has_role(say("moved", 110))
    now, by = service.clock.now(), office.chi.account_id
    async with service.db.write() as tx:
        settle(await review.reject(tx, kit, refused, say("reason", 480), version=None, by=by, now=now))
        settle(await review.send_back(tx, kit, returned, say("return", 480), version=None, by=by, now=now))
        await tx.execute(
            update(RequestStep).where(RequestStep.request_id == late).values(due_on=date(2026, 3, 2))
        )
        await overdue.roll(tx, kit, now=now)
        role = (await tx.scalars(select(Role.id).where(Role.request_id == moved))).one()
        draft = Draft(kind="transfer", unit=office.other)
        begun = await starting.start(tx, kit, role, draft, by=by, now=now, note=say("note", 480))
        request_id = settle(begun).id
    service.pass_time(seconds=11)
    corrected = await returned_transfer(office, say("corrected", 110))
    return [corrected, waiting, approved, refused, returned, late, request_id]


async def _listed(office: Office, say: Say) -> Somebody:
    """Somebody whom the staff directory knows under another name and birth date."""
    who, service = await office.person(say("applicant", 110)), office.service
    row = {
        "national_id": who.persona.national_id, "full_name": say("directory", 110), "birth_date": "1970",
        "unit_code": office.other, "subject_type": "vien_chuc", "position": "chuyen_vien",
        "employee_code": say("code", 30), "official_email": f"{who.persona.national_id}{'x' * 38}@hue.example",
    }  # fmt: skip
    async with service.db.write() as tx:
        await staff.bring_in(tx, service.kit, records([row]), by=None, now=service.clock.now())
    return who


async def _wish(office: Office, officer: Somebody, say: Say) -> None:
    """What the officer asks for, returned once with a reason."""
    service, kit = office.service, office.service.kit
    async with service.db.write() as tx:
        role = (await tx.scalars(select(Role.id).where(Role.account_id == officer.account_id))).one()
        draft = Draft(kind="amend", role_id=role, fields={"employee_code": say("my code", 30)})
        now = service.clock.now()
        made = await requests.create(tx, kit, draft, by=officer.account_id, now=now, level=2)
        by = office.chi.account_id
        settle(await review.send_back(tx, kit, made.id, say("why", 480), version=None, by=by, now=now))


async def _batch(lived: Lived, desk: Desk, say: Say) -> str:
    """Many refused at once for one reason."""
    ids = [await lived.office.asks(say(f"bulk {number}", 110)) for number in range(2)]
    lived.more += [f"/workspace/requests/{one}" for one in ids]
    form = {"pick": [f"{one}:1" for one in ids], "decision": "rejected", "reason": say("bulk", 480)}
    answer = await desk.send("/workspace/bulk", form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def _system(office: Office, say: Say) -> str:
    """One that an operator has stopped, with what failed there and was passed over."""
    service, now = office.service, office.service.clock.now()
    row = System(id=new_id(), name=say("system", 80), kind="scim", url=NOBODY, created_at=now)
    row.stopped_until = now + YEARS
    row.unit_codes = msgspec.json.encode([office.unit]).decode()
    async with service.db.write() as tx:
        tx.add(row)
    await office.has_role(say("parked", 110))
    dead = update(Delivery).where(Delivery.system_id == row.id)
    async with service.db.write() as tx:
        await tx.execute(dead.values(state="dead", error="twins", not_before=now))
    return f"/workspace/systems/{quote(row.name, safe='')}"


async def _lent(office: Office, desk: Desk, say: Say) -> Somebody:
    """Chi lends the right to decide to somebody with a role and no wish."""
    deputy = await office.person(say("deputy", 110))
    await office.employ(deputy)
    form = {"to": deputy.persona.national_id, "kinds": ["register", "end"], "units": [office.unit]}
    until = f"{office.service.clock.now() + timedelta(days=9):%d/%m/%Y}"
    answer = await desk.send("/workspace/delegations", form | {"until": until, "from": ""})
    assert answer.status_code == 303, answer.text
    return deputy


async def _operated(office: Office, operator: Desk, say: Say) -> list[str]:
    """A plan of a reorganisation, one that has run, and a file that waits for its yes."""
    day = f"{local_day(office.service.clock.now()):%d/%m/%Y}"
    name = f'"{say("renamed", 150).replace(chr(34), chr(34) * 2)}"'
    head = "action,unit_code,target_code,new_name,effective_on\n"
    plan = await planned(operator, f"{head}rename,{office.other},,{name},{day}\n")
    answer = await operator.send(f"{plan}/run", {"decision_number": say("decision", 60)})
    assert answer.status_code == 303, answer.text
    again = await planned(operator, f"{head}merge,{office.unit},{office.other},{name},{day}\n")
    text = f"code,name,parent_code\nXA-{office.number},{name},{office.root}\n"
    file = await lay(operator, "/workspace/operator/imports/units/plan", file=text)
    assert file.status_code == 303, file.text
    return [again, answer.headers["location"], file.headers["location"], f"{PATH}/{'0' * 8}"]


async def _desk(office: Office, counter: Counter, say: Say) -> list[str]:
    """A case with an answer, one by mail, and two accounts that a clerk holds for one person's."""
    phone = await office.service.sign_in(office.service.person(say("caller", 110)))
    body = {"subject": say("subject", 150), "text": say("text", 480)}
    made = await phone.call("POST", "/v1/support-cases", body)
    assert made.status_code == 201, made.text
    places = re.findall(r'href="(/workspace/support/[0-9a-f-]{36})', await counter.page(HOME))
    for place in places[:1]:
        await counter.post(place, act="answer", text=say("answer", 480))
    await asks(office, phone)
    await proposed(counter, await a_pair(office.service))
    return places
