"""`ngomon reviews`: a unit's roles are confirmed by its manager until a day (rule 642)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import rich_click as click

from backend.errors import FieldsInvalid
from backend.roles import policy
from backend.roles.confirming import listing, starting
from backend.roles.managers import UnitNotFound
from ngomon.commands import by, opened, out, reading, show, writing
from ngomon.commands.importing import day
from ngomon.commands.pages import MOST, more
from ngomon.commands.wrong import Wrong

HEADERS = ("id", "unit", "due", "waiting", "confirmed", "ended", "left", "state")


@click.group(help="Periodic reviews: a unit's roles are confirmed by its manager until a day.")
def reviews() -> None:
    """The group."""


@reviews.command(help="Ask the managers of these units whether everybody still has the role they have.")
@click.option("--unit", "units", multiple=True, required=True, metavar="CODE…", help="The units' codes.")
@click.argument("more", nargs=-1, metavar="[CODE]...")
@click.option("--due", required=True, callback=day, help="The last day for the word, dd/mm/yyyy.")
@by.option
def start(units: tuple[str, ...], more: tuple[str, ...], due: date) -> None:
    """One review for each unit; all of them or none."""
    asked = [*units, *more]
    try:
        begun = opened(writing(lambda tx, kit, now: starting.start(tx, kit, asked, due, by=None, now=now)))
    except UnitNotFound as refusal:
        raise Wrong(f"no unit with the code {refusal.facts['unit']!r}; nothing was started") from refusal
    except policy.UnitClosed as refusal:
        raise Wrong(f"the unit {refusal.facts['unit']} has ended; nothing was started") from refusal
    except starting.ReviewOpen as refusal:
        unit, due_on = refusal.facts["unit"], date.fromisoformat(str(refusal.facts["due_on"]))
        raise Wrong(
            f"{unit} has a review until {due_on:%d/%m/%Y} that is not over; nothing was started"
        ) from refusal
    except FieldsInvalid as refusal:
        raise Wrong("the last day must be after today, and within a year") from refusal
    for one in begun:
        out.print(f"{one.id} {one.unit_code}: {one.roles} roles to confirm until {due:%d/%m/%Y}")


@reviews.command(name="list", help="Reviews with their counts, the newest first, 200 at once.")
@click.option("--after", type=click.UUID, help="Begin behind this review: the next page.")
def list_(after: UUID | None) -> None:
    """Identifier, unit, last day, counts."""
    found = opened(reading(lambda tx, *_: listing.every(tx, after=after, most=MOST + 1)))
    show(HEADERS, map(_cells, found[:MOST]))
    if len(found) > MOST:
        more(found[MOST - 1].id)


def _cells(one: listing.Line) -> tuple[str, ...]:
    counts = (one.waiting, one.confirmed, one.ended, one.left)
    state = "closed" if one.closed_at else "open"
    return (str(one.id), one.unit_code, f"{one.due_on:%d/%m/%Y}", *map(str, counts), state)
