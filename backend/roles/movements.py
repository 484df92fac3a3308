"""Every way in which a role comes, changes and goes, one entry each (rule 617).

An entry says who has to speak, where the post is, what becomes of the role that it is about and what begins. Everything
that happens to a request follows from that: nothing asks which movement it is.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal, NamedTuple

import msgspec

from backend.outbox.queue import DECISION, REVOCATION
from backend.roles import forms
from backend.roles.catalogue.entries import FieldType, FormField, SubjectType
from backend.roles.models import RoleRequest
from backend.roles.policy import APPROVE, RECEIVE, RELEASE

Kind = Literal["register", "amend", "transfer", "end"]  # what a person may ask for
END_REASON = FormField(
    name="reason", label="Lý do", label_en="Reason", type=FieldType.TEXT, longest=forms.REASON_LONGEST
)
END_FORM = SubjectType(code="end", label="Kết thúc vai trò", label_en="End of a role", fields=(END_REASON,))


class Fate(Enum):
    """What becomes of the role that a movement is about (fates.py does it and takes it back)."""

    NONE = "none"  # there is none: somebody gets a first role
    CORRECTED = "corrected"  # it goes on, and says something else
    REPLACED = "replaced"  # it ends in the moment in which the new one begins
    OVER = "over"  # it ends for good


class Where(Enum):
    """Where the post is that is asked for."""

    ANYWHERE = "anywhere"
    HERE = "here"  # in the unit of the role
    ELSEWHERE = "elsewhere"


class Word(NamedTuple):
    """Who has to speak: the unit of the role as it is (`ours`), or of the post that is asked for."""

    duty: str
    ours: bool = False


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """One way. `form`: what is asked in place of a post; such a movement gives nothing to anybody."""

    code: str
    fate: Fate
    where: Where
    words: tuple[Word, ...] = (Word(APPROVE),)
    begins: bool = False
    form: SubjectType | None = None
    lane: int = DECISION

    @property
    def gives(self) -> bool:
        """Whether somebody gets or keeps a post by it: a floor is asked for, and a vouching word."""
        return self.form is None

    @property
    def leaves(self) -> bool:
        """Whether somebody leaves the post: what it carries goes with it (rule 605)."""
        return self.fate in {Fate.REPLACED, Fate.OVER}

    @property
    def by_managers(self) -> bool:
        """Whether a manager may wish it for somebody, and correct that wish: the unit that releases speaks too."""
        return any(word.duty == RELEASE for word in self.words)


REGISTER = Movement(code="register", fate=Fate.NONE, where=Where.ANYWHERE, begins=True)
AMEND = Movement(code="amend", fate=Fate.CORRECTED, where=Where.HERE)
TRANSFER = Movement(
    code="transfer",
    fate=Fate.REPLACED,
    where=Where.ELSEWHERE,
    words=(Word(RELEASE, ours=True), Word(RECEIVE)),
    begins=True,
)
END = Movement(code="end", fate=Fate.OVER, where=Where.HERE, form=END_FORM, lane=REVOCATION)

MOVEMENTS = {one.code: one for one in (REGISTER, AMEND, TRANSFER, END)}
GIVES_NOTHING = tuple(one.code for one in MOVEMENTS.values() if not one.gives)


def of(found: RoleRequest) -> Movement:
    """The movement that a request is."""
    return MOVEMENTS[found.kind]
