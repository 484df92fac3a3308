"""What every form that ends or moves somebody's role may say of the appointment that goes with it (R02)."""

from __future__ import annotations

from typing import Protocol

from backend.roles.carried import How, Keep


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


def how(form: OfAppointment) -> How:
    """As the use cases want it."""
    keep = Keep(form.keep, form.keep_reason) if form.keep else None
    return How(keep=keep, confirmed=form.confirmed == "yes")
