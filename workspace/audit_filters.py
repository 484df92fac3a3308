"""What the journal is narrowed to, as it stands in a form, in an address and in a question (case W14)."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

from backend.roles.audit_wanted import Wanted
from backend.words import mark as _
from workspace import forms
from workspace.moving import period

OUTCOMES = {
    "approved": _("Đã phê duyệt"),
    "rejected": _("Đã từ chối"),
    "returned": _("Đã trả lại để bổ sung"),
    "withdrawn": _("Đã rút"),
    "expired": _("Đã quá hạn"),
}


class Filters(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"since": "from", "until": "to"}
):
    """Which entries; a person by number or name in a form, by account in an address."""

    kind: Literal["", "role", "sync", "access", "manager"] = ""
    person: str = ""
    actor: str = ""
    unit: str = ""
    outcome: Literal["", "approved", "rejected", "returned", "withdrawn", "expired"] = ""
    since: str = ""
    until: str = ""
    cursor: int | None = None

    @property
    def query(self) -> str:
        """The same as the end of an address."""
        return forms.query_of(self)

    @property
    def wanted(self) -> Wanted:
        """The question; raises FieldsInvalid."""
        since, until = period(self.since, self.until)
        return Wanted(
            self.kind, _account(self.person), _account(self.actor), self.unit, self.outcome, since, until
        )


def _account(text: str) -> UUID | None:
    """Nothing where an address names no account."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return UUID(int=0)
