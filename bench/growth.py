"""What pages, lists and searches cost in a small and in a large province, side by side: CPU of this process and of the
database, and who waits meanwhile. Both provinces fill a page: fewer lines than a page has are no smaller province.

One half of the province is the root's, the other one unit's; somebody in the unit has a long life.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics as figures_of
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from typing import Any, NamedTuple

import httpx2
import msgspec

from bench.cpu import run_seconds
from bench.province import HISTORY, Size, fill, grow_old
from bench.results import record
from ngomon.server import keep_loaded
from tests.parts.postgres import Postgres
from tests.parts.processes import scratch
from tests.phone import Phone
from tests.service import Service, running
from tests.workspace.office import Desk, Office, Somebody

ROUNDS, BESIDE = 9, 5
LINES = 50  # of the longest page
FOUND = "/workspace/people"  # what is typed stands in no address: it is posted first
TYPED = {"people_found": "anh", "people_middle": "uye"}  # a beginning of words, and what only stands within
PAGES = {
    "inbox": "/workspace",
    "inbox_found": "/workspace?q=khanh",
    "inbox_middle": "/workspace?q=uye",
    "inbox_long": f"/workspace?q={'x' * 500}",
    "people": FOUND,
    "journal": "/workspace/audit",
    "journal_kind": "/workspace/audit?kind=manager",
    "journal_outcome": "/workspace/audit?outcome=approved",
    "systems": "/workspace/systems",
    "system": "/workspace/systems/%C4%90o",
    "reviews": "/workspace/reviews",
    "decisions": "/workspace/decisions",
    "decisions_export": "/workspace/decisions/export.csv",
    "journal_export": "/workspace/audit/export.csv",
    "reports": "/workspace/reports",
    "differences": "/workspace/differences",
    "delegations": "/workspace/delegations",
    "units": "/workspace/units",
    "unit": "/workspace/units/{unit}",
}
OF_ROOT = {
    "operator": "/workspace/operator",
    "reorganisations": "/workspace/reorganisations",
    "unit_root": "/workspace/units/{root}",
}
ON_PHONES = {
    "phone_requests": "/v1/role-requests",
    "phone_roles": "/v1/roles",
    "phone_units": "/v1/units?q=noi+vu",
}
Ask = Callable[[], Awaitable[Any]]
Spent = Callable[[], float]  # seconds of CPU until now


async def costs(asks: Sequence[tuple[Service, Ask]], spent_so_far: Spent) -> list[dict[str, float]]:
    """Of one page in each province: milliseconds of CPU, its longest step in the loop, in which everybody waits, and
    the longest that `/health/live` took beside it, which other work on the machine makes longer.

    The provinces are asked in turn in each round: what the machine does meanwhile makes both dearer.
    """
    for _, ask in asks:
        await ask()
    spent: list[list[float]] = [[] for _ in asks]
    for _ in range(ROUNDS):
        for found, (_, ask) in zip(spent, asks, strict=True):
            began = spent_so_far()
            await ask()
            found.append((spent_so_far() - began) * 1000)
    return [
        {"cpu_ms": round(figures_of.median(found), 1), **await _waits(service, ask)}
        for found, (service, ask) in zip(spent, asks, strict=True)
    ]


async def _waits(service: Service, ask: Ask) -> dict[str, float]:
    """For how long others are not served while a page is made."""
    late, longest = 0.0, []
    for _ in range(BESIDE):  # what else this process does in between is not in all of them
        with steps() as made:
            await ask()
        longest.append(max(made))
    async with httpx2.AsyncClient(base_url=service.url) as other:
        for _ in range(BESIDE):
            page = asyncio.ensure_future(ask())
            while not page.done():
                asked = time.perf_counter()
                await other.get("/health/live")
                late = max(late, (time.perf_counter() - asked) * 1000)
            await page
    return {"step_ms": round(min(longest), 1), "live_ms": round(late, 1)}


@contextmanager
def steps() -> Iterator[list[float]]:
    """Milliseconds of CPU of each step that the loop makes meanwhile."""
    found, plain = [0.0], asyncio.Handle._run

    def run(handle: asyncio.Handle) -> None:
        began = time.thread_time()
        plain(handle)
        found.append((time.thread_time() - began) * 1000)

    asyncio.Handle._run = run  # type: ignore[method-assign,assignment]
    try:
        yield found
    finally:
        asyncio.Handle._run = plain  # type: ignore[method-assign]


class Province(NamedTuple):
    """A service that runs over it, and what is asked there: by the root's manager, one unit's, and a phone."""

    service: Service
    asks: dict[str, Ask]


async def measure(
    provinces: Sequence[tuple[str, Size]], only: list[str] | None, spent: Spent = time.process_time
) -> list[dict[str, Any]]:
    """Each page in every province, one right after the other: what else the machine does then concerns them alike."""
    async with AsyncExitStack() as stack:
        there = [await _province(stack, url, size) for url, size in provinces]
        keep_loaded()  # as a server that has started does
        found: list[dict[str, Any]] = [{} for _ in there]
        for name in there[0].asks:
            if only is None or name.rpartition("_")[0] in only or name in only:
                seen = await costs([(one.service, one.asks[name]) for one in there], spent)
                for figures, one in zip(found, seen, strict=True):
                    figures[name] = one
    return found


async def _province(stack: AsyncExitStack, url: str, size: Size) -> Province:
    service = await stack.enter_async_context(running(url))
    office = Office(service)
    await office.open()
    old = await office.person("Nguyễn Thị Lâu Năm")
    await fill(office, size)
    await grow_old(office, old, max(LINES, size.people * HISTORY // 10_000))
    asks: dict[str, Ask] = {}
    for name, who in (("root", office.ha), ("unit", office.chi)):
        desk = await office.desk(who)
        stack.push_async_callback(desk.http.aclose)
        for what, ask in (await _asks(desk, office, name, str(old.account_id))).items():
            asks[f"{what}_{name}"] = ask
    phone = service.phone()
    asks |= {what: partial(_on_phone, service, phone, old, path) for what, path in ON_PHONES.items()}
    return Province(service, asks)


async def _on_phone(service: Service, phone: Phone, who: Somebody, path: str) -> None:
    """Whoever has been away for so long that the session is over signs in again, before anything is measured."""
    answer = await phone.call("GET", path)
    if answer.status_code == 401:
        await service.sign_in(who.persona, phone)
        answer = await phone.call("GET", path)
    assert answer.status_code == 200, answer.text


async def _asks(desk: Desk, office: Office, name: str, old: str) -> dict[str, Ask]:
    pages = PAGES | (OF_ROOT if name == "root" else {"person": f"/workspace/people/{old}"})
    for what, typed in TYPED.items():
        pages[what] = (await desk.send(FOUND, {"q": typed})).headers["location"]

    places = {"{unit}": office.unit, "{root}": office.root}
    for place, code in places.items():
        pages = {what: path.replace(place, code) for what, path in pages.items()}
    return {what: partial(desk.page, path) for what, path in pages.items()}


def _with(pid: int) -> float:
    """This process, and a database that is one of its own."""
    return time.process_time() + run_seconds(pid)


def _sizes(chosen: argparse.Namespace) -> Iterator[Size]:
    for number, waiting in enumerate(chosen.open):
        rest = (chosen.others, chosen.people, chosen.journal, chosen.wards)
        others, people, journal, wards = (given[min(number, len(given) - 1)] for given in rest)
        yield Size(waiting, others, people, journal, wards, chosen.directory)


def main(words: list[str]) -> None:
    """Command line: of each number one for every province; last, what the last one costs by what the first one does."""
    parser = argparse.ArgumentParser(prog="python -m bench growth", description=__doc__)
    parser.add_argument("--open", type=int, nargs="+", default=[100, 50_000], metavar="N")
    parser.add_argument("--others", type=int, nargs="+", default=[800, 200_000], metavar="N")
    parser.add_argument("--people", type=int, nargs="+", default=[200, 10_000], metavar="N")
    parser.add_argument("--journal", type=int, nargs="+", default=[5_000, 500_000], metavar="N")
    parser.add_argument(
        "--wards", type=int, nargs="+", default=[30, 300], metavar="N", help="of ten units each"
    )
    parser.add_argument(
        "--directory",
        action="store_true",
        help="a staff directory that says of everybody what their roles say",
    )
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--only", nargs="+", metavar="PAGE")
    chosen = parser.parse_args(words)
    sizes = list(_sizes(chosen))
    if chosen.database == "sqlite":
        urls = [f"sqlite+aiosqlite:///{scratch('bench-growth') / 'bench.db'}" for _ in sizes]
        seen = asyncio.run(measure(list(zip(urls, sizes, strict=True)), chosen.only))
    else:
        cluster = Postgres()
        cluster.start()
        try:
            urls = [cluster.new_database(f"growth_{at}") for at in range(len(sizes))]
            spent = partial(_with, cluster.pid)
            seen = asyncio.run(measure(list(zip(urls, sizes, strict=True)), chosen.only, spent))
        finally:
            cluster.stop()
    for size, figures in zip(sizes, seen, strict=True):
        record("growth", database=chosen.database, **msgspec.structs.asdict(size), **figures)
    for page in seen[0]:
        few, many = seen[0][page]["cpu_ms"], seen[-1][page]["cpu_ms"]
        step, waits = seen[-1][page]["step_ms"], seen[-1][page]["live_ms"]
        print(
            f"{page:<22} {few:>8.1f} ms {many:>8.1f} ms  × {many / few:.2f}   "
            f"step {step:>6.1f} ms  live {waits:>6.1f} ms"
        )
    print(f"load {os.getloadavg()[0]:.1f}")
