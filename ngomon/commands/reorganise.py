"""`ngomon reorganise`: units merged, split, renamed, moved and ended, with everybody in them (rule 640)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec
import rich_click as click
from rich.progress import Progress

from backend import statistics
from backend.db import Database, new_id
from backend.imports import files
from backend.imports.plan import Progress as Told
from backend.imports.plan import Stake, massive
from backend.imports.rows import ImportRefused
from backend.kit import Kit
from backend.outside.clock import LOCAL, Clock, local_day
from backend.roles import unit_tree
from backend.roles.reorganising import acts, listing, reversing, running, shares, told
from backend.roles.reorganising import plan as planning
from backend.roles.reorganising.carrying import STAGES
from backend.roles.reorganising.plan import Plan, PlanOutdated, Wanted
from backend.settings import Settings
from ngomon.commands import SHOWN, bad_rows, by, opened, out, reading, show
from ngomon.commands.importing import asked_on_screen, is_screen
from ngomon.commands.pages import MOST, more, placed
from ngomon.commands.staff import number_of
from ngomon.commands.wrong import Wrong


@click.group(help="Merge, split, rename, move and end units in one operation.")
def reorganise() -> None:
    """The group."""


@reorganise.command(help="Say who would go where, and write the plan.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--people", type=click.Path(path_type=Path), help="Of a split: national_id, target_code.")
@click.option("--out", "target", type=click.Path(path_type=Path), help="Where to write the plan for `run`.")
def plan(file: Path, people: Path | None, target: Path | None) -> None:
    """Columns: action, unit_code, target_code, new_name, new_parent_code, effective_on."""

    async def go(db: Database, kit: Kit, _: Settings) -> None:
        rows = files.read(file, acts.COLUMNS, required=acts.REQUIRED)
        named = files.read(people, shares.COLUMNS, required=shares.REQUIRED) if people else []
        now = Clock().now()
        async with db.read() as tx:
            made = await planning.make(tx, kit, rows, named, now=now)
            await _show(tx, kit, made, now)
        if target is not None:
            _write(target, made.wanted)

    try:
        opened(go)
    except ImportRefused as refused:
        raise bad_rows(file, refused) from refused


@reorganise.command(help="Do what a plan says; the first line is the identifier for resume and reverse.")
@click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path))
@click.option(
    "--decision", required=True, metavar="NUMBER", callback=number_of, help="The decision's number."
)
@click.option("--yes", is_flag=True, help="Without asking.")
@click.option("--brake-off", is_flag=True, help="Even if it moves a large part of the people.")
@by.option
def run(plan_file: Path, decision: str, yes: bool, brake_off: bool) -> None:
    """In stages; what was stopped goes on with `resume`."""
    if by.name_given() is None:
        raise click.UsageError("run wants --by NAME: the journal keeps who moved them")
    wanted, run_id = _read(plan_file), new_id()

    async def go(db: Database, kit: Kit, _: Settings) -> None:
        now = Clock().now()
        if wanted.on > local_day(now):
            raise Wrong(f"this takes effect on {wanted.on:%d/%m/%Y}: run it on that day; nothing was done")
        async with db.read() as tx:
            known = await unit_tree.snapshot(tx)
            await planning.ensure_current(tx, wanted, known)
            made = await planning.outlook(tx, wanted, known, now=now)
        _allow([Stake(made.people, made.existing), *made.roots], kit, yes=yes, brake_off=brake_off)
        out.print(str(run_id))
        out.file.flush()  # whoever kills us knows what to resume
        async with db.write() as tx:
            await running.begin(tx, kit, made, run_id, decision=decision, by=None, now=now)
        await _with_bar(lambda bar: running.go_on(db, kit, run_id, by=None, now=now, progress=bar))
        await statistics.refresh(db, imported=True)
        out.print(f"done: {made.people} people moved")

    with _said():
        opened(go)


@reorganise.command(help="Take a reorganisation back: units and roles are as they were.")
@click.argument("id_", metavar="ID", type=click.UUID)
@click.option("--leave-changed", is_flag=True, help="Leave whose roles have changed since as they are.")
@click.option("--yes", is_flag=True, help="Without asking.")
@click.option("--brake-off", is_flag=True, help="Even if it moves a large part of the people.")
@by.option
def reverse(id_: UUID, leave_changed: bool, yes: bool, brake_off: bool) -> None:
    """Refused, by name, while anybody's role has changed since."""

    async def go(db: Database, kit: Kit, _: Settings) -> None:
        now = Clock().now()
        async with db.read() as tx:
            found = await listing.one(tx, id_)
            stakes = await planning.stakes_back(tx, id_, found.people, found.acts)
        _allow(stakes, kit, yes=yes, brake_off=brake_off)
        try:
            async with db.write() as tx:
                people = await reversing.begin(tx, kit, id_, leave_changed=leave_changed, now=now)
        except reversing.ChangedSince as refusal:
            async with db.read() as tx:
                names = await listing.names(tx, kit, refusal.people)
            raise Wrong(_changed(refusal.units, names)) from refusal
        await _with_bar(lambda bar: reversing.go_on(db, kit, id_, by=None, now=now, progress=bar))
        out.print(f"reversed: {people} people are where they were")

    with _said():
        opened(go)


@reorganise.command(help="Go on with a run, or its reversal, that was stopped.")
@click.argument("id_", metavar="ID", type=click.UUID)
@click.option("--yes", is_flag=True, help="Without asking.")
@click.option("--brake-off", is_flag=True, help="Taken; the brake was answered when it began.")
@by.option
def resume(id_: UUID, yes: bool, brake_off: bool) -> None:
    """Safe to repeat."""
    del brake_off

    async def go(db: Database, kit: Kit, _: Settings) -> None:
        async with db.read() as tx:
            found = await listing.one(tx, id_)
        if found.state not in STAGES:
            raise Wrong(f"{id_} is {found.state}: there is nothing to go on with")
        if not yes:
            asked_on_screen()
        now, go_on = Clock().now(), STAGES[found.state]
        await _with_bar(lambda bar: go_on(db, kit, id_, by=None, now=now, progress=bar))
        out.print(f"done: {found.people} people moved")

    with _said():
        opened(go)


@reorganise.command(name="list", help="Reorganisations, the newest first, 200 at once.")
@click.option("--after", metavar="ID", type=click.UUID, help="Begin behind this one: the next page.")
def list_(after: UUID | None) -> None:
    """Identifier, decision, state."""
    with placed():
        found = opened(reading(lambda tx, *_: listing.page(tx, after=after, most=MOST + 1)))
    show(("id", "decision", "state", "people", "begun"), [_cells(one) for one in found[:MOST]])
    if len(found) > MOST:
        more(found[MOST - 1].id)


@reorganise.command(name="show", help="One reorganisation: what it did, and how far it is.")
@click.argument("id_", metavar="ID", type=click.UUID)
def show_(id_: UUID) -> None:
    """Identifier, decision, state, and the rows of its file."""

    async def read(db: Database, _: Kit, __: Settings) -> listing.Line:
        async with db.read() as tx:
            return await listing.one(tx, id_)

    with _said():
        found = opened(read)
    show(("id", "decision", "state", "people", "begun"), [_cells(found)])
    show(
        ("action", "unit", "target", "new name", "new parent"),
        [(act.action, act.unit, act.target or "-", act.name or "-", act.parent or "-") for act in found.acts],
    )


async def _show(tx: object, kit: Kit, made: Plan, now: datetime) -> None:
    """The plan: a line for each unit, then the systems, then who comes and goes there."""
    for code, gains, loses in made.counts():
        out.print(f"{code} gains {gains} loses {loses}")
    out.print(f"{made.people} people move, {made.records} rows of the staff directory go along")
    for one in await told.at_systems(tx, made):  # type: ignore[arg-type]
        out.print(
            f"system {one.system}: {len(one.gains)} people gain access, {len(one.loses)} lose it, "
            f"{one.changes} are told otherwise"
        )
        for word, people in (("gains", one.gains), ("loses", one.loses)):
            for number, masked in enumerate(await told.named(tx, kit, people)):  # type: ignore[arg-type]
                if out.is_terminal and number == SHOWN:
                    out.print("  … (more: write the plan to a file with > FILE)")
                    break
                out.print(f"  {masked} {word} {one.system}")
    if made.wanted.on < local_day(now):
        out.print(
            f"warning: {made.wanted.on:%d/%m/%Y} has passed: it stays the day of the decision, "
            "but roles and systems change on the day of the run"
        )
    found = await told.concerns(tx, made)  # type: ignore[arg-type]
    for code in found.vacant:
        out.print(f"warning: {code} has nobody in charge of its own")
    if found.undecided:
        out.print(f"warning: {found.undecided} open requests would have nobody to decide them")


def _allow(stakes: Sequence[Stake], kit: Kit, *, yes: bool, brake_off: bool) -> None:
    """The brake, over everybody and over each organisation, and a yes."""
    percent, everybody = kit.limits.mass_change_percent, stakes[0]
    if (stake := massive(stakes, percent)) is not None and not brake_off:
        where = "" if stake.existing == everybody.existing else " of one root unit"
        raise Wrong(
            f"brake: {stake.touched} of {stake.existing} people{where} would move, more than {percent} %: "
            "if that is meant, say --brake-off; nothing was done"
        )
    if yes:
        return
    if not is_screen():
        raise Wrong("this moves people and units: read the plan and say --yes; nothing was done")
    out.print(f"{everybody.touched} of {everybody.existing} people would move")
    asked_on_screen()


async def _with_bar(job: Callable[[Told], Awaitable[object]]) -> None:
    with Progress(console=out, transient=True, disable=not out.is_terminal) as bar:
        task = bar.add_task("people", total=None)
        await job(lambda done, every: bar.update(task, completed=done, total=every))


@contextmanager
def _said() -> Iterator[None]:
    """What is refused is one line for the operator."""
    try:
        yield
    except PlanOutdated as refusal:
        changed = ", ".join(refusal.names)
        raise Wrong(
            f"plan_stale: changed since the plan was made: {changed}; nothing was done, plan again"
        ) from refusal
    except reversing.NotDone as refusal:
        raise Wrong(f"it is {refusal.facts['state']}: only what is done is taken back") from refusal
    except running.ReorganisationNotFound as refusal:
        raise Wrong("no reorganisation of that identifier: `ngomon reorganise list`") from refusal


def _changed(units: list[str], names: list[str]) -> str:
    """What has changed since, by name, on lines of their own."""
    for name in names:
        out.print(f"changed since: {name}")
    for code in units:
        out.print(f"changed since: unit {code}")
    if units:
        return f"{len(units)} units have changed since: put them back first; nothing was done"
    return (
        f"the roles of {len(names)} people have changed since: say --leave-changed to leave them as they are; "
        "nothing was done"
    )


def _write(target: Path, wanted: Wanted) -> None:
    """Never over a file that is no plan."""
    if target.exists():
        _read(target)
    try:
        target.write_bytes(msgspec.json.format(msgspec.json.encode(wanted)))
    except OSError as error:
        raise Wrong(f"{target} cannot be written: {error.strerror}") from error
    out.print(f"plan written to {target}")


def _read(file: Path) -> Wanted:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Wanted)
    except OSError as error:
        raise Wrong(f"{file} cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise Wrong(f"{file} is no plan: make one with `ngomon reorganise plan FILE --out PLAN`") from error


def _cells(one: listing.Line | listing.Heading) -> tuple[str, str, str, str, str]:
    return str(one.id), one.decision, one.state, str(one.people), _moment(one.started_at)


def _moment(at: datetime) -> str:
    return f"{at.astimezone(LOCAL):%d/%m/%Y %H:%M}"
