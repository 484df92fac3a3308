"""The hooks that allauth's documentation names for phones."""
# mypy: ignore-errors

from __future__ import annotations

import os
import socket

from allauth.account.adapter import DefaultAccountAdapter

POST, CODES = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), ("127.0.0.1", int(os.environ["CODES"]))


class Adapter(DefaultAccountAdapter):
    """Phones in a table of the site; a code leaves as one datagram."""

    def send_verification_code_sms(self, user, phone, code, **_):  # noqa: ARG002 - allauth's
        """To the bench."""
        POST.sendto(f"{phone} {code}".encode(), CODES)

    def get_phone(self, user):
        """The user's, and whether it is proved."""
        found = _phones().filter(user=user).first()
        return (found.phone, found.verified) if found else None

    def set_phone(self, user, phone, verified):
        """The user's from now."""
        _phones().update_or_create(user=user, defaults={"phone": phone, "verified": verified})

    def set_phone_verified(self, user, phone):
        """It is proved."""
        _phones().filter(user=user, phone=phone).update(verified=True)

    def get_user_by_phone(self, phone):
        """Whose it is."""
        found = _phones().select_related("user").filter(phone=phone).first()
        return found.user if found else None


def _phones():
    from allauth_site.models import Phone

    return Phone.objects
