"""What somebody wishes for, as it was typed (rule 601)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.errors import FieldError
from backend.roles import policy
from backend.roles.movements import Kind, Movement, named

Code = Annotated[str, Meta(max_length=60)]


class Draft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a role request as it was typed; nothing that decides rights is in it (rule 615)."""

    kind: Kind
    movement: Code | None = None
    subject_type: Code | None = None
    unit: Annotated[str, Meta(max_length=200)] | None = None
    position: Code | None = None
    fields: Annotated[dict[str, Any], Meta(max_length=40)] | None = None
    role_id: UUID | None = None
    effective_on: date | None = None
    until: date | None = None
    keeps: Annotated[list[UUID], Meta(max_length=20)] | None = (
        None  # concurrent posts that outlive the home role
    )

    @property
    def entry(self) -> Movement:
        """The entry that says what follows; MovementUnknown where there is none."""
        found = named(self.kind, self.movement)
        if found is None:
            unknown = policy.MovementUnknown
            raise unknown(FieldError("movement", unknown.code, unknown.title))
        return found
