"""`ngomon systems pause`, `resume`, `show`, `deliveries`, `replay`, `skip`, `remove`: care of one system by hand."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import rich_click as click
from rich.progress import Progress

from backend.db import Database, new_id
from backend.kit import Kit
from backend.outbox import listing, queue, states, steering
from backend.outbox import systems as registry
from backend.outbox.delivery import target_of
from backend.outbox.models import System
from backend.outbox.states import Count, SystemOverview
from backend.outside.clock import LOCAL, Clock
from backend.outside.connectors import Connector, DeliveryError, Errand, connect
from backend.outside.connectors.kinds import ConnectorMissing
from backend.outside.connectors.learnt import read_learnt
from backend.roles import desired
from backend.settings import Settings
from backend.words import ENGLISH
from ngomon.commands import by, opened, out, writing
from ngomon.commands.wrong import Wrong
from ngomon.tasks import outgoing

if TYPE_CHECKING:
    from ngomon.commands import Job

Result = TypeVar("Result")
MOST, AT_ONCE = 200, 50


def said(job: Job[Result]) -> Result:
    """Run a job; what it refuses is one line for the operator."""
    try:
        return opened(job)
    except (registry.SystemTrouble, ConnectorMissing) as trouble:
        raise Wrong(str(trouble)) from trouble
    except DeliveryError as error:
        raise Wrong(f"the system does not answer as it should: {error.code}") from error


def _moment(_context: click.Context, parameter: click.Parameter, text: str | None) -> datetime | None:
    """RFC 3339, with its offset: nobody has to guess whose clock is meant."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise click.BadParameter(f"{parameter.opts[0]} wants a moment like 2026-12-01T05:00:00+07:00")
    return moment


@click.command(help="Send a system nothing for a while; what is decided meanwhile waits for it.")
@click.argument("name")
@click.option("--until", callback=_moment, help="A moment (RFC 3339); without it until `resume`.")
@by.option
def pause(name: str, until: datetime | None) -> None:
    """What is under way ends by itself."""
    said(writing(lambda tx, kit, now: steering.pause(tx, kit, name, until=until, by=None, now=now)))
    out.print(f"{name} paused{f' until {until.astimezone(LOCAL):%d/%m/%Y %H:%M}' if until else ''}")


@click.command(help="Go on with a paused system at once.")
@click.argument("name")
@by.option
def resume(name: str) -> None:
    """Whoever had paused it: an operator, or the trouble that it was in."""
    said(writing(lambda tx, kit, now: steering.resume(tx, kit, name, by=None, now=now)))
    out.print(f"{name} resumed")


@click.command(name="show", help="What a system keeps and what not, what waits for it, and how it answers.")
@click.argument("name")
def show_(name: str) -> None:
    """One line for each thing; the token is not shown."""

    async def look(db: Database, _kit: Kit, _settings: Settings) -> tuple[SystemOverview, System, int]:
        async with db.read() as tx:
            system = await registry.named(tx, name)
            now = Clock().now()
            rate = await queue.delivered_lately(tx, system.id, now)
            found = await states.overview(tx, now, only=system.id)
            return found[0], system, rate

    overview, system, rate = said(look)
    for word, value in _lines(overview, system, rate):
        out.print(f"{word}: {value}", soft_wrap=True)


def _lines(one: SystemOverview, system: System, rate: int) -> list[tuple[str, str]]:
    waiting = sum(one.counts.get(word, 0) for word in ("held", "pending", "delivering", "paused", "retrying"))
    return [
        ("system", f"{one.name} ({one.kind}) {one.url}"),
        ("units", ", ".join(one.unit_codes) or "all"),
        ("circuit", _circuit(system)),
        ("backlog", Count(waiting).said(ENGLISH)),
        ("dead", Count(one.counts.get("dead", 0)).said(ENGLISH)),
        ("oldest", _at(one.oldest_waiting_at)),
        ("rate", f"{rate} delivered in the last hour"),
        ("synced", Count(one.counts.get("synced", 0)).said(ENGLISH)),
        ("drift", Count(one.counts.get("drift", 0)).said(ENGLISH)),
        ("last error", one.error or "-"),
        ("last delivered", _at(one.last_delivered_at)),
        ("last reconciled", _at(system.reconciled_at)),
        ("does not keep", ", ".join(one.learnt) or "nothing is known that it does not keep"),
    ]


def _circuit(system: System) -> str:
    now = Clock().now()
    if system.disabled_at is not None:
        return "disabled"
    if system.stopped_until is not None and system.stopped_until > now:
        for_ever = system.stopped_until >= steering.FOR_EVER
        return (
            f"paused by an operator {'until `resume`' if for_ever else f'until {_at(system.stopped_until)}'}"
        )
    if system.paused_until is not None and system.paused_until > now:
        return f"open after {system.failures} failures, tries again at {_at(system.paused_until)}"
    return f"closed, {system.failures} failures in a row" if system.failures else "closed"


def _at(moment: datetime | None) -> str:
    return f"{moment.astimezone(LOCAL):%d/%m/%Y %H:%M:%S}" if moment is not None else "-"


@click.command(help="The deliveries that are open at a system, or all in one state, oldest first.")
@click.argument("name")
@click.option("--state", type=click.Choice(list(listing.WORDS)), help="Only these; without it all open ones.")
@click.option("--after", type=click.UUID, help="Begin behind this delivery: the next page.")
def deliveries(name: str, state: str | None, after: UUID | None) -> None:
    """A line for each, which begins with its identifier."""

    async def look(db: Database, kit: Kit, _: Settings) -> list[listing.Listed]:
        async with db.read() as tx:
            system = await registry.named(tx, name)
            found = listing.deliveries(
                tx, kit, system, state=state, after=after, most=MOST + 1, now=Clock().now()
            )
            return await found

    found = said(look)
    for one in found[:MOST]:
        words = (
            one.id,
            one.state,
            f"person {one.account_id}",
            f"version {one.version}",
            f"tries {one.attempts}",
        )
        more = (one.error, _at(one.changed_at), one.reason)
        out.print("  ".join(str(word) for word in (*words, *more) if word is not None), soft_wrap=True)
    if len(found) > MOST:
        out.print(f"more: --after {found[MOST - 1].id}")


@click.command(help="Try again what failed there.")
@click.argument("name")
@click.option("--person", type=click.UUID, help="Of one person only: the account's identifier.")
@by.option
def replay(name: str, person: UUID | None) -> None:
    """Parked deliveries, and those that wait for their next try; what was passed over stays so."""

    async def again(db: Database, kit: Kit, _: Settings) -> tuple[int, bool]:
        async with db.write() as tx:
            system = await registry.named(tx, name)
            count = await queue.replay(tx, kit, system.id, account_id=person, by=None, now=Clock().now())
            return count, system.disabled_at is not None

    count, is_disabled = said(again)
    when = "once it is connected again: it is disabled" if is_disabled else "now"
    out.print(f"{name}: {count} deliveries to be tried again {when}")


@click.command(help="Pass one delivery over for good; `reconcile` and `replay` leave it alone.")
@click.argument("name")
@click.argument("delivery", type=click.UUID)
@click.option("--reason", required=True, help="Kept encrypted with the delivery.")
@by.option
def skip(name: str, delivery: UUID, reason: str) -> None:
    """The next decision about the person is sent all the same."""
    if by.name_given() is None:
        raise Wrong("skip wants --by NAME: whoever passes a delivery over is named in the journal")
    said(
        writing(lambda tx, kit, now: steering.skip(tx, kit, name, delivery, reason=reason, by=None, now=now))
    )
    out.print(f"{name}: delivery {delivery} skipped")


@click.command(help="Forget a disabled system; first its people are taken out of it.")
@click.argument("name")
@click.option("--leave-people", is_flag=True, help="Leave its people in it as they are.")
@by.option
def remove(name: str, leave_people: bool) -> None:
    """May be started again: whoever is out already is not asked about again."""

    async def forget(db: Database, kit: Kit, settings: Settings) -> tuple[int, int]:
        taken = 0 if leave_people else await _take_out(db, kit, settings, name)
        async with db.write() as tx:
            return taken, await steering.remove(tx, kit, name, by=None, now=Clock().now())

    taken, left = said(forget)
    out.print(f"{name} removed; {taken} people taken out, {left} left in it")


async def _take_out(db: Database, kit: Kit, settings: Settings, name: str) -> int:
    async with db.read() as tx:
        system = await registry.named(tx, name)
        if not await steering.known_people(tx, system, 1, now=Clock().now()):
            return 0  # nobody has to be asked about
    http = outgoing(settings)
    out_of_it = TakingOut(db, kit, system)
    try:
        connector = await connect(system.kind, target_of(kit, system), http, read_learnt(system.learnt))
        try:
            await out_of_it.run(connector)
        finally:
            await connector.close()
    except (DeliveryError, ConnectorMissing) as error:
        why = error.code if isinstance(error, DeliveryError) else str(error)
        about_one = isinstance(error, DeliveryError) and not error.of_system
        does_not = "let somebody go" if about_one else "answer as it should"
        raise Wrong(
            f"{name} does not {does_not} ({why}); {out_of_it.taken} people are out, nothing is removed: "
            "try again, or leave the others in it with --leave-people"
        ) from error
    finally:
        await http.close()
    return out_of_it.taken


class TakingOut:
    """Takes everybody out whom a system holds, or may hold; who is out is noted, whatever becomes of the rest."""

    def __init__(self, db: Database, kit: Kit, system: System) -> None:
        self._db, self._kit, self._system = db, kit, system
        self.taken = 0
        self._last: UUID | None = None

    async def run(self, connector: Connector) -> None:
        """Raises DeliveryError at the first who is not let go."""
        with Progress(console=out, transient=True, disable=not out.is_terminal) as progress:
            bar = progress.add_task(f"{self._system.name}: taking people out", total=None)
            while await self._some(connector):
                progress.update(bar, completed=self.taken)

    async def _some(self, connector: Connector) -> bool:
        async with self._db.read() as tx:
            some = await steering.known_people(tx, self._system, AT_ONCE, after=self._last, now=Clock().now())
            gone = await desired.leaving(tx, self._kit, [one.account_id for one in some])
        let_go = list[UUID]()
        try:
            for one in some:
                errand = Errand(new_id(), one.version, _yes)
                done = await connector.apply(gone[one.account_id], one.remote_id, errand)
                self.taken += one.is_sure or done.changed
                let_go.append(one.account_id)
        finally:
            async with self._db.write() as tx:
                await steering.let_go(tx, self._system, let_go, now=Clock().now())
        self._last = let_go[-1] if let_go else None
        return bool(some)


async def _yes() -> bool:
    return True


COMMANDS = (pause, resume, show_, deliveries, replay, skip, remove)
