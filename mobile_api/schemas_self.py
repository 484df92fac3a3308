"""What crosses the wire when people look after their own account (rule 140)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.accounts.self.consents import Standing
from backend.accounts.self.methods import Method
from backend.roles.views import RoleView
from backend.words import say
from mobile_api.schemas import AccountOut
from mobile_api.schemas_ways_in import Certificate, Secret

Text = Annotated[str, Meta(max_length=1000)]
Name = Annotated[str, Meta(max_length=40)]


class MeOut(AccountOut, kw_only=True):
    """Who one is, with the roles of `GET /v1/roles`."""

    roles: list[RoleView]


class AttributesIn(msgspec.Struct, forbid_unknown_fields=True):
    """What shall stand on the identity page; null or blank takes an attribute away."""

    attributes: Annotated[dict[Name, Text | None], Meta(min_length=1, max_length=20)]


class AccessOut(msgspec.Struct):
    """One try to get in; `place` is a province or null."""

    at: datetime
    method: str
    result: str
    device: str | None
    place: str | None
    session_id: UUID | None


class AccessList(msgspec.Struct):
    """One's own tries to get in, newest first."""

    items: list[AccessOut]
    next_cursor: str | None = None


class ConsentIn(msgspec.Struct, forbid_unknown_fields=True):
    """Yes or no."""

    given: bool


class ConsentList(msgspec.Struct):
    """Every purpose; there are never many."""

    items: list[Standing]
    next_cursor: str | None = None


class MethodIn(msgspec.Struct, forbid_unknown_fields=True):
    """Begin to add a way in; `phone` or `certificate` (PEM) goes with its type."""

    type: Literal["phone", "certificate", "vneid"]
    phone: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    certificate: Certificate | None = None


class MethodOut(msgspec.Struct):
    """One way in; `removable` says whether it may go now. `unconfirmed` is shut until its owner confirms it."""

    id: UUID
    type: str
    label: str
    added_at: datetime
    last_used_at: datetime | None
    removable: bool
    state: str

    @classmethod
    def of(cls, method: Method, lang: str) -> MethodOut:
        """The way in with its words in the caller's language."""
        return cls(
            method.id,
            method.type,
            say(method.label, lang),
            method.added_at,
            method.last_used_at,
            method.removable,
            method.state,
        )


class MethodList(msgspec.Struct):
    """Every way into one's own account; there are never many."""

    items: list[MethodOut]
    next_cursor: str | None = None


class MethodDoneOut(msgspec.Struct):
    """The way in that was added."""

    id: UUID
    step: Literal["done"]
    method: MethodOut


class JoinOut(msgspec.Struct):
    """An account that may be the same person's: the kind of its number and the number masked, nothing else."""

    type: Literal["old_id_number"]
    value: str


class JoinList(msgspec.Struct):
    """Accounts that may be joined with one's own; there are never many."""

    items: list[JoinOut]
    next_cursor: str | None = None


class JoinIn(msgspec.Struct, forbid_unknown_fields=True):
    """Number and password of the other account, with a solved captcha."""

    national_id: Annotated[str, Meta(min_length=1, max_length=40)]
    password: Secret
    captcha: Annotated[str, Meta(max_length=4000)]


class JoinDoneOut(msgspec.Struct):
    """The two accounts are one."""

    id: UUID
    step: Literal["done"]
    account: AccountOut


class PasswordChangeIn(msgspec.Struct, forbid_unknown_fields=True):
    """The password that one has, and the one that shall be."""

    current: Secret
    new: Secret
