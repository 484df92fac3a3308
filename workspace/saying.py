"""What every form that ends or moves somebody's role may say of the appointment that goes with it (R02)."""

from __future__ import annotations

from typing import Protocol

from backend.errors import FieldError, FieldsInvalid
from backend.roles import forms
from backend.roles.carried import How, Keep
from backend.words import mark as _

WHY = _("Vui lòng nêu lý do giữ quyền phụ trách, không quá 500 ký tự")


class OfAppointment(Protocol):
    """The fields of `_at_stake.html`."""

    @property
    def keep(self) -> str:
        """The unit's code, where the appointment is kept."""

    @property
    def keep_reason(self) -> str:
        """Why."""

    @property
    def confirmed(self) -> str:
        """`yes` where the consequence was seen."""


def wrong(form: OfAppointment) -> list[FieldError]:
    """What is wrong with it: whoever keeps an appointment says why."""
    if not form.keep:
        return []
    try:
        forms.reason(form.keep_reason)
    except FieldsInvalid as bad:
        return [FieldError("keep_reason", one.code, WHY) for one in bad.fields]
    return []


def how(form: OfAppointment) -> How:
    """As the use cases want it."""
    keep = Keep(form.keep, form.keep_reason) if form.keep else None
    return How(keep=keep, confirmed=form.confirmed == "yes")
