"""To whom a list of people is narrowed: each part of it has an index of its own."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, TextClause, text

from backend.roles.models import HELD, Role


class Narrowed(NamedTuple):
    """Which people: of a unit and those below it, in a position, in a state; those who have left only if asked for."""

    unit: str = ""
    position: str = ""
    state: str = ""

    @property
    def where(self) -> list[ColumnElement[bool] | TextClause]:
        """The same of `Role`."""
        post = [Role.position == self.position] if self.position else []
        return [Role.state == self.state if self.state else text(HELD), *post]


EVERYBODY = Narrowed()
