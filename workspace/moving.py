"""The form of somebody's move, where it is begun and where it is corrected."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple
from uuid import UUID

import msgspec

from backend.errors import FieldError, FieldsInvalid, gather
from backend.roles import forms as typed
from backend.roles import movements
from backend.roles.appointments import read_day
from backend.roles.catalogue.entries import Catalogue
from backend.roles.movements import Kind
from backend.roles.wish import Draft
from backend.words import Label
from backend.words import mark as _
from workspace import saying


class MoveForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How somebody goes where, as what, from when to when, on what ground."""

    movement: str = ""
    unit: str = ""
    position: str = ""
    effective_on: str = ""
    until: str = ""
    decision_number: str = ""
    decision_date: str = ""
    signed_by: str = ""
    reason: str = ""
    keeps: list[UUID] = []
    keep: str = ""
    keep_reason: str = ""
    confirmed: str = ""

    def draft(self, kind: Kind, bad: list[FieldError]) -> Draft:
        """What is asked for; what is empty is as it is, and no day means at once. What is unreadable is in `bad`."""
        bad += saying.wrong(self)
        if self.reason.strip():
            gather(bad, lambda: typed.reason(self.reason))
        return Draft(
            kind=kind,
            movement=self.movement or None,
            unit=self.unit or None,
            position=self.position or None,
            effective_on=gather(bad, lambda: day("effective_on", self.effective_on)),
            until=gather(bad, lambda: day("until", self.until)),
            fields=papers(self, bad) or None,
            keeps=self.keeps or None,
        )


PAPERS = tuple(paper.name for paper in movements.PAPERS)


class Offered(NamedTuple):
    """One movement to choose, in the catalogue's words."""

    code: str
    words: Label


def offered(catalogue: Catalogue, kind: str) -> list[Offered]:
    """What a manager may begin for somebody, of one kind."""
    every = movements.MOVEMENTS.values()
    moves = [move.code for move in every if move.by_managers and move.kind == kind]
    return [Offered(code, catalogue.movement_label(code)) for code in moves]


def papers(form: msgspec.Struct, bad: list[FieldError]) -> dict[str, str]:
    """What the movement rests on, as far as it was typed and can be read."""
    said = {name: value for name in PAPERS if (value := getattr(form, name))}
    signed_on = gather(bad, lambda: day("decision_date", said.pop("decision_date", "")))
    return said | ({"decision_date": signed_on.isoformat()} if signed_on else {})


def day(name: str, typed: str) -> date | None:
    """A typed day, `dd/mm/yyyy` or as a browser sends it; nothing where none was typed. Raises FieldsInvalid."""
    try:
        return read_day(typed) if typed.strip() else None
    except ValueError as error:
        raise FieldsInvalid(
            FieldError(name, "not_a_date", _("Ngày theo dạng dd/mm/yyyy, ví dụ 05/03/2027"))
        ) from error


def period(since: str, until: str) -> tuple[date | None, date | None]:
    """The days `from` and `to` between which something is looked for. Raises FieldsInvalid of both."""
    bad: list[FieldError] = []
    first, last = gather(bad, lambda: day("from", since)), gather(bad, lambda: day("to", until))
    if bad:
        raise FieldsInvalid(*bad)
    return first, last
