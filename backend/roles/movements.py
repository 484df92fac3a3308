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

Kind = Literal["register", "amend", "transfer", "concurrent", "end"]  # what a person may ask for
END_REASON = FormField(
    name="reason", label="Lý do", label_en="Reason", type=FieldType.TEXT, longest=forms.REASON_LONGEST
)
PAPERS = (  # what a movement rests on; may stand in every form
    FormField(name="decision_number", label="Số quyết định", label_en="Decision number", type=FieldType.TEXT),
    FormField(
        name="decision_date", label="Ngày quyết định", label_en="Date of the decision", type=FieldType.DATE
    ),
    FormField(name="signed_by", label="Người ký", label_en="Signed by", type=FieldType.TEXT),
)
END_FORM = SubjectType(code="end", label="Kết thúc vai trò", label_en="End role", fields=(END_REASON,))


class Fate(Enum):
    """What becomes of the role that a movement is about (fates.py does it and takes it back)."""

    NONE = "none"  # there is none: somebody gets a first role
    BESIDE = "beside"  # it goes on, and the new one beside it
    CORRECTED = "corrected"  # it goes on, and says something else
    REPLACED = "replaced"  # it ends in the moment in which the new one begins
    LENT = "lent"  # it is suspended while the new one lasts, and comes back by itself
    OVER = "over"  # it ends for good
    HALTED = "halted"  # everything that the person holds is suspended until somebody lifts it
    GONE = "gone"  # everything that the person holds ends, and what the person has asked for


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
    kind: str  # what the request is called; `code` then is its movement
    fate: Fate
    where: Where
    words: tuple[Word, ...] = (Word(APPROVE),)
    begins: bool = False
    leaves: bool = False  # somebody leaves the post: what it carries goes with it (rule 605)
    wants_until: bool = False
    wants_position: bool = False  # another one than now
    by_managers: bool = False  # a manager may wish it for somebody, and correct that wish
    form: SubjectType | None = None
    lane: int = DECISION
    is_held: bool = True  # systems hear of it after the seconds in which it can be taken back

    @property
    def gives(self) -> bool:
        """Whether somebody gets or keeps a post by it: a floor is asked for, and a vouching word."""
        return self.form is None

    @property
    def stands(self) -> bool:
        """Whether the new role stands on the one that it is about: it ends with it, and bears no other movement."""
        return self.begins and self.fate in {Fate.LENT, Fate.BESIDE}

    @property
    def is_home(self) -> bool:
        """Whether what begins is the person's home role."""
        return self.fate is not Fate.BESIDE

    @property
    def ends_beside(self) -> bool:
        """Whether the posts beside the role end with it, but for what is kept; in the same unit they all stay."""
        stays = self.begins and self.where is Where.HERE
        return self.fate in {Fate.REPLACED, Fate.OVER, Fate.GONE} and not stays

    @property
    def of_person(self) -> bool:
        """Whether it is about everything that the person holds: the home unit's to say."""
        return self.fate in {Fate.HALTED, Fate.GONE}

    @property
    def moves(self) -> bool:
        """Whether it wants a post that stands by itself."""
        return self.begins and self.fate is not Fate.NONE


BOTH = (Word(RELEASE, ours=True), Word(RECEIVE))
REGISTER = Movement(code="register", kind="register", fate=Fate.NONE, where=Where.ANYWHERE, begins=True)
AMEND = Movement(code="amend", kind="amend", fate=Fate.CORRECTED, where=Where.HERE)
TRANSFER = Movement(
    code="transfer",
    kind="transfer",
    fate=Fate.REPLACED,
    where=Where.ELSEWHERE,
    words=BOTH,
    begins=True,
    leaves=True,
    by_managers=True,
)
ROTATION = msgspec.structs.replace(TRANSFER, code="rotation", wants_until=True)
SECONDMENT = msgspec.structs.replace(ROTATION, code="secondment", fate=Fate.LENT)
DISMISSAL = msgspec.structs.replace(
    TRANSFER, code="dismissal", where=Where.HERE, words=(Word(APPROVE),), wants_position=True
)
APPOINTMENT = msgspec.structs.replace(DISMISSAL, code="appointment", leaves=False)
CONCURRENT = Movement(
    code="concurrent",
    kind="concurrent",
    fate=Fate.BESIDE,
    where=Where.ANYWHERE,
    words=(Word(RELEASE, ours=True), Word(APPROVE)),
    begins=True,
    by_managers=True,
)
END = Movement(
    code="end", kind="end", fate=Fate.OVER, where=Where.HERE, leaves=True, form=END_FORM, lane=REVOCATION
)
SUSPENSION = msgspec.structs.replace(
    END, code="suspension", kind="suspension", fate=Fate.HALTED, is_held=False
)
SEPARATION = msgspec.structs.replace(END, code="separation", kind="separation", fate=Fate.GONE, is_held=False)

WISHED = (REGISTER, AMEND, TRANSFER, ROTATION, SECONDMENT, APPOINTMENT, DISMISSAL, CONCURRENT, END)
ACTED = (SUSPENSION, SEPARATION)  # by managers alone
MOVEMENTS = {one.code: one for one in (*WISHED, *ACTED)}
GIVES_NOTHING = tuple({one.kind for one in MOVEMENTS.values() if not one.gives})
HALTS = tuple({one.kind for one in MOVEMENTS.values() if one.fate is Fate.HALTED})


def of(found: RoleRequest) -> Movement:
    """The movement that a request is; before there was more than one of a kind, the kind said it."""
    return MOVEMENTS[found.movement or found.kind]


def with_papers(form: SubjectType) -> SubjectType:
    """A form that also takes what the movement rests on."""
    own = (paper for paper in PAPERS if form.field(paper.name) is None)
    return msgspec.structs.replace(form, fields=(*form.fields, *own))


def named(kind: str, movement: str | None) -> Movement | None:
    """The movement that somebody asks for, if there is such a one."""
    found = MOVEMENTS.get(movement or kind)
    return found if found is not None and found.kind == kind else None
