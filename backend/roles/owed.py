"""What the journal must have said of roles and decisions as they stand now (case A07).

Somebody with the database in hand may take entries away, or write a role that nobody decided: then a role or a
decided request stands there of which no entry speaks, or of which the last entry says otherwise.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.facts import (
    AccountJoined,
    DecisionUndone,
    RequestDecided,
    RoleBegun,
    RoleEnded,
    RoleReorganised,
    RoleRevived,
    RoleScheduled,
)
from backend.roles import policy
from backend.roles.models import Role, RoleRequest

DECIDED = (policy.APPROVED, policy.REJECTED, policy.RETURNED)
BEGUN = "role.begun"
STANDING = (policy.ACTIVE, policy.SUSPENDED)


class Said(msgspec.Struct):
    """What the facts about roles and requests have in common."""

    role: UUID | None = None
    old: UUID | None = None  # the role that one stands in for
    instead: UUID | None = None
    request: UUID | None = None
    outcome: str | None = None
    absorbed: UUID | None = None  # an account whose roles the subject has taken over


class Owed:
    """A witness for `Journal.verify`: hears the entries about roles, then says what none has spoken for."""

    tags = frozenset(
        str(fact.__struct_config__.tag)
        for fact in (
            RoleBegun,
            RoleScheduled,
            RoleEnded,
            RoleReorganised,
            RoleRevived,
            RequestDecided,
            DecisionUndone,
            AccountJoined,
        )
    )

    def __init__(self, roles: dict[UUID, str], requests: dict[UUID, str]) -> None:
        self._roles, self._requests = roles, requests
        self._held: dict[UUID, str] = {}  # of each role: the last word
        self._ended_of: dict[str, set[UUID]] = {}  # by account: ended roles, which an undo brings back
        self._outcomes: dict[UUID, str] = {}

    def hear(self, entry: Any) -> None:
        """Remember the last word of each role and request that stands."""
        try:
            said = msgspec.json.decode(entry.fact, type=Said)
        except msgspec.DecodeError:
            return  # altered within a closed range, which is proved at its end, or it has spoken for nothing
        match entry.tag:
            case "role.begun" | "role.scheduled" if said.role in self._roles:
                self._held[said.role] = entry.tag
            case "role.ended" if said.role in self._roles:
                self._ended_of.setdefault(str(entry.subject), set()).add(said.role)
            case "role.reorganised" | "role.revived":
                self._replaced(str(entry.subject), said)
            case "account.joined":  # what happens to these roles next is told of the other account
                theirs = self._ended_of.pop(str(said.absorbed), set())
                self._ended_of.setdefault(str(entry.subject), set()).update(theirs)
            case "role.request_decided":
                if said.request in self._requests:
                    self._outcomes[said.request] = said.outcome or ""
            case "role.decision_undone":
                self._ended_of.pop(str(entry.subject), None)
                if said.request in self._outcomes:
                    del self._outcomes[said.request]

    def _replaced(self, subject: str, said: Said) -> None:
        """One role of somebody stands, and another no longer: with their unit, or back again."""
        ended = self._ended_of.setdefault(subject, set())
        if said.role in self._roles:
            self._held[said.role] = BEGUN
            ended.discard(said.role)
        over = said.old or said.instead
        if over is not None and over in self._roles:
            ended.add(over)

    def trouble(self) -> str | None:
        """The first thing that stands without its entry."""
        ended = {role for roles in self._ended_of.values() for role in roles}
        for role, state in self._roles.items():
            said = self._held.get(role)
            if role in ended or said is None or (state in STANDING and said != BEGUN):
                return f"role without entry: {role} is {state}, and the journal does not say so"
        for request, status in self._requests.items():
            if self._outcomes.get(request) != status:
                return (
                    f"decision without entry: request {request} is {status}, and the journal does not say so"
                )
        return None


async def owed(tx: AsyncSession) -> Owed:
    """What stands in this moment; the walk has to read in the same transaction."""
    roles = await tx.execute(select(Role.id, Role.state).where(Role.state.in_((*STANDING, policy.SCHEDULED))))
    requests = await tx.execute(
        select(RoleRequest.id, RoleRequest.status).where(RoleRequest.status.in_(DECIDED))
    )
    return Owed({role: state for role, state in roles}, {request: status for request, status in requests})  # noqa: C416
