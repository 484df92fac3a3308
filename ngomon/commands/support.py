"""`ngomon support`: the desks that help, and who works there."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import rich_click as click

from backend.errors import FieldsInvalid
from backend.outside.clock import local_day
from backend.support import desks as registry
from ngomon.commands import by, opened, out, reading, show, writing
from ngomon.commands.pages import MOST, more, placed
from ngomon.commands.wrong import Wrong

if TYPE_CHECKING:
    from ngomon.commands import Job

Result = TypeVar("Result")


@click.group(help="The desks that help, and who works there.")
def support() -> None:
    """The group."""


@support.group(help="Desks: their names, mailboxes and telephone numbers are public.")
def desks() -> None:
    """The group of desks."""


@support.group(help="Who works at a desk; they sign in at /workspace by VNeID.")
def staff() -> None:
    """The group of people."""


@desks.command(help="Set a desk up; the first one takes every case that names none.")
@click.argument("code")
@click.option("--name", required=True, help="As people read it.")
@click.option("--mailbox", required=True, help="The only address that its mails come from.")
@click.option("--phone", required=True, help="The only number that it calls from.")
@by.option
def add(code: str, name: str, mailbox: str, phone: str) -> None:
    """Fails when the code is taken."""
    told = {"name": name, "mailbox": mailbox, "phone": phone}
    _said(writing(lambda tx, kit, now: registry.add(tx, kit, code, **told, now=now)), code)
    out.print(f"desk {code} added")


@desks.command(name="list", help="Desks, the first one first, 200 at once.")
@click.option("--after", metavar="CODE", default="", help="Begin behind this desk: the next page.")
def list_desks(after: str) -> None:
    """One line each."""
    with placed():
        found = opened(reading(lambda tx, *_: registry.listed(tx, after=after, most=MOST + 1)))
    rows = [(desk.code, desk.name, desk.mailbox, desk.phone) for desk in found[:MOST]]
    show(("code", "name", "mailbox", "phone"), rows)
    if len(found) > MOST:
        more(found[MOST - 1].code)


@desks.command(help="Close a desk: none of its codes is genuine from now on.")
@click.argument("code")
@by.option
def remove(code: str) -> None:
    """Its cases are kept."""
    _said(writing(lambda tx, kit, now: registry.remove(tx, kit, code, now=now)), code)
    out.print(f"desk {code} removed")


@staff.command(name="add", help="Let somebody work at a desk; the person need not have an account yet.")
@click.option("--desk", required=True, help="The desk's code.")
@click.option("--national-id", required=True, help="The personal number, 12 digits.")
@by.option
def hire(desk: str, national_id: str) -> None:
    """Safe to repeat."""
    fresh = _said(writing(lambda tx, kit, now: registry.hire(tx, kit, desk, national_id, now=now)), desk)
    out.print(f"staff of {desk} added" if fresh else f"works at {desk} already")


@staff.command(name="list", help="Who works where, 200 at once; personal numbers are masked.")
@click.option("--desk", default=None, help="Only this desk's.")
@click.option("--after", metavar="ID", type=click.UUID, help="The next page.")
def list_staff(desk: str | None, after: UUID | None) -> None:
    """One line each."""
    with placed():
        job = reading(lambda tx, kit, _: registry.staff(tx, kit, desk, after=after, most=MOST + 1))
        found = _said(job, desk or "")
    rows = [(one.desk, one.national_id, f"{local_day(one.since):%d/%m/%Y}") for one in found[:MOST]]
    show(("desk", "personal number", "since"), rows)
    if len(found) > MOST:
        more(found[MOST - 1].id)


@staff.command(name="remove", help="Take the pages away, from the very next request on.")
@click.option("--desk", required=True, help="The desk's code.")
@click.option("--national-id", required=True, help="The personal number, 12 digits.")
@by.option
def dismiss(desk: str, national_id: str) -> None:
    """Fails when that person does not work there."""
    _said(writing(lambda tx, kit, now: registry.dismiss(tx, kit, desk, national_id, now=now)), desk)
    out.print(f"staff of {desk} removed")


def _said(job: Job[Result], code: str) -> Result:
    """Run a job; what it refuses is one line for the operator."""
    try:
        return opened(job)
    except registry.DeskNotFound as refusal:
        raise Wrong(f"no desk with the code {code!r}") from refusal
    except registry.DeskExists as refusal:
        raise Wrong(f"there is a desk with the code {code!r} already") from refusal
    except registry.DeskStaffNotFound as refusal:
        raise Wrong(f"that person does not work at {code}") from refusal
    except FieldsInvalid as refusal:
        raise Wrong("not acceptable: " + ", ".join(one.field for one in refusal.fields)) from refusal
