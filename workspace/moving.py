"""The form of somebody's move, where it is begun and where it is corrected."""

from __future__ import annotations

from datetime import date

import msgspec

from backend.errors import FieldError, FieldsInvalid
from backend.words import mark as _


class TransferForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where somebody goes, as what, from when."""

    to_unit: str = ""
    position: str = ""
    effective_on: str = ""
    note: str = ""
    keep: str = ""
    keep_reason: str = ""
    confirmed: str = ""

    def day(self) -> date | None:
        """From when; nothing means at once. Raises FieldsInvalid."""
        try:
            return date.fromisoformat(self.effective_on) if self.effective_on else None
        except ValueError as error:
            raise FieldsInvalid(FieldError("effective_on", "not_a_date", _("Ngày không hợp lệ"))) from error
