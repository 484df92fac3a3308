"""How far a call travels: product files that it touches, the deepest call of product code, SQL statements.

Everything runs in this process, where a profile hook sees it. What the worker does meanwhile is not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import Any

from sqlalchemy import Engine, event

from backend.transaction import PostgresWire, SqliteWire
from bench.results import record
from tests.parts.postgres import Postgres
from tests.parts.processes import scratch
from tests.service import Service, running
from tests.workspace.office import TOKEN, Office

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = tuple(str(ROOT / name) + "/" for name in ("backend", "workspace", "mobile_api", "ngomon"))
Asked = Callable[[Any, str, Sequence[Any]], Awaitable[Any]]
WIRES = (SqliteWire, PostgresWire)
CALL = "/uvicorn/protocols/"  # at the bottom of the stack of everything that answers a call


class Trip:
    """What one call touched."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.deepest: list[str] = []
        self.statements: list[str] = []
        self.by_driver = 0

    def hear(self, frame: FrameType, happened: str, _: Any) -> None:
        """A function begins, or goes on after a wait."""
        if happened == "call" and frame.f_code.co_filename.startswith(PRODUCT):
            way, answers = list[str](), False
            here: FrameType | None = frame
            while here is not None:
                name = here.f_code.co_filename
                if name.startswith(PRODUCT):
                    way.append(f"{name.removeprefix(str(ROOT) + '/')}:{here.f_code.co_name}")
                answers = answers or CALL in name
                here = here.f_back
            if answers:
                self.files.add(frame.f_code.co_filename.removeprefix(str(ROOT) + "/"))
                self.deepest = max(self.deepest, way[::-1], key=len)

    def figures(self, *, verbose: bool) -> dict[str, Any]:
        """For the record."""
        found = {"files": len(self.files), "depth": len(self.deepest), "sql": len(self.statements)}
        found["by_the_orm"] = len(self.statements) - self.by_driver
        if verbose:
            print("\n".join([*sorted(self.files), "-", *self.deepest, "-"]))
            print("\n".join(" ".join(one.split())[:150] for one in self.statements))
        return found


@contextmanager
def followed(service: Service) -> Iterator[Trip]:
    """Whatever is asked of the service inside the block, and nothing that runs beside it."""
    trip = Trip()

    def hear(_: Any, __: Any, statement: str, *___: Any) -> None:
        if asyncio.current_task() in service.under_way and not statement.startswith("BEGIN"):
            trip.statements.append(statement)

    def by_driver(method: Asked) -> Asked:
        async def asked(wire: Any, sql: str, values: Sequence[Any]) -> Any:
            if asyncio.current_task() in service.under_way:
                trip.statements.append(sql)
                trip.by_driver += 1
            return await method(wire, sql, values)

        return asked

    plain = [(wire, name, getattr(wire, name)) for wire in WIRES for name in ("rows", "touched")]
    for wire, name, method in plain:
        setattr(wire, name, by_driver(method))
    event.listen(Engine, "before_cursor_execute", hear)
    sys.setprofile(trip.hear)
    try:
        yield trip
    finally:
        sys.setprofile(None)
        event.remove(Engine, "before_cursor_execute", hear)
        for wire, name, method in plain:
            setattr(wire, name, method)


async def measure(url: str, *, verbose: bool) -> dict[str, Any]:
    """Each trip once, after one of its kind that nobody counts: what is loaded or compiled then is not of the trip."""
    async with running(url) as service:
        office = Office(service)
        await office.open()
        desk = await office.desk(office.chi)
        found = TOKEN.search(await desk.page("/workspace"))
        assert found is not None
        token = found.group(1)

        async def page() -> None:
            await desk.page(f"/workspace/requests/{waiting}")

        async def approve() -> None:
            word = {"decision": "approved", "version": 1, "reason": ""}
            answer = await desk.send(f"/workspace/requests/{waiting}/decision", word, token=token)
            assert answer.status_code == 303, answer.text

        async def inbox() -> None:
            await desk.page("/workspace")

        trips: dict[str, Callable[[], Awaitable[None]]] = {"page": page, "approve": approve, "inbox": inbox}
        figures = {}
        for name, go in trips.items():
            waiting = await office.asks("Nguyễn Thị Định")
            await go()
            waiting = await office.asks("Nguyễn Thị Định")
            with followed(service) as trip:
                await go()
            print(f"# {name}")
            figures[name] = trip.figures(verbose=verbose)
        await desk.http.aclose()
        await of_a_phone(service, office, warm=True)
        for name, trip in (await of_a_phone(service, office)).items():
            print(f"# {name}")
            figures[name] = trip.figures(verbose=verbose)
    return figures


async def of_a_phone(service: Service, office: Office, *, warm: bool = False) -> dict[str, Trip]:
    """Signing in as a new person, coming again, and asking for a role."""
    phone, who, number = service.phone(), service.person(), service.mobile_number()
    found: dict[str, Trip] = {}

    @contextmanager
    def counted(name: str) -> Iterator[None]:
        with nullcontext(Trip()) if warm else followed(service) as found[name]:
            yield

    for name in ("new at VNeID", "known at VNeID"):
        phone.session = {}
        with counted(f"{name}: begin"):
            started = await phone.begin()
        back = await service.consent(started["authorization_url"], who)
        with counted(f"{name}: back"):
            answer = await phone.bring(started["id"], back)
        if answer.json()["step"] == "phone":
            with counted("the number"):
                await phone.open(f"/v1/logins/{started['id']}/phone", {"phone": number})
            with counted("the code"):
                answer = await phone.open(
                    f"/v1/logins/{started['id']}/otp", {"code": service.code_for(number)}
                )
        phone.keep(answer.json())
    wish = {"kind": "register", "subject_type": "cong_chuc", "unit": office.unit, "position": "chuyen_vien"}
    with counted("ask for a role"):
        answer = await phone.call("POST", "/v1/role-requests", wish | {"fields": {}})
    assert answer.status_code == 201, answer.text
    return found


def main(words: list[str]) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench trips", description=__doc__)
    parser.add_argument("--verbose", action="store_true", help="every file and every statement")
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own, not on SQLite")
    chosen = parser.parse_args(words)
    if not chosen.postgres:
        url = f"sqlite+aiosqlite:///{scratch('bench-trips') / 'bench.db'}"
        record("trips", database="sqlite", **asyncio.run(measure(url, verbose=chosen.verbose)))
        return
    cluster = Postgres()
    cluster.start()
    try:
        url = cluster.new_database("trips")
        record("trips", database="postgresql", **asyncio.run(measure(url, verbose=chosen.verbose)))
    finally:
        cluster.stop()
