"""The form of somebody's move, where it is begun and where it is corrected."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import msgspec

from backend.errors import FieldError, FieldsInvalid
from backend.roles import movements
from backend.roles.appointments import read_day
from backend.roles.catalogue.entries import Catalogue
from backend.roles.movements import Kind
from backend.roles.wish import Draft
from backend.words import Label
from backend.words import mark as _


class MoveForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How somebody goes where, as what, from when to when, on what ground."""

    movement: str = ""
    unit: str = ""
    position: str = ""
    effective_on: str = ""
    until: str = ""
    reason: str = ""
    decision_number: str = ""
    decision_date: str = ""
    signed_by: str = ""
    keep: str = ""
    keep_reason: str = ""
    confirmed: str = ""

    def draft(self, kind: Kind) -> Draft:
        """What is asked for; what is empty is as it is, and no day means at once. Raises FieldsInvalid."""
        return Draft(
            kind=kind,
            movement=self.movement or None,
            unit=self.unit or None,
            position=self.position or None,
            effective_on=day("effective_on", self.effective_on),
            until=day("until", self.until),
            fields=papers(self) or None,
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


def papers(form: msgspec.Struct) -> dict[str, str]:
    """What the movement rests on, as far as it was typed. Raises FieldsInvalid."""
    typed = {name: value for name in PAPERS if (value := getattr(form, name))}
    if signed_on := day("decision_date", typed.get("decision_date", "")):
        typed["decision_date"] = signed_on.isoformat()
    return typed


def day(name: str, typed: str) -> date | None:
    """A typed day, `dd/mm/yyyy` or as a browser sends it; nothing where none was typed. Raises FieldsInvalid."""
    try:
        return read_day(typed) if typed.strip() else None
    except ValueError as error:
        raise FieldsInvalid(
            FieldError(name, "not_a_date", _("Ngày theo dạng dd/mm/yyyy, ví dụ 05/03/2027"))
        ) from error
