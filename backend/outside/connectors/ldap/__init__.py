"""Keeps one LDAP directory in step (rule 710; case TF16).

Entries are found by the account's identifier wherever they were moved to, or taken over by their mail
address; only attributes that are ours are changed, and none is ever deleted: who has no role leaves the
groups and loses title and unit. A group that nobody is left in holds itself, for it must hold somebody.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from typing import ClassVar

import msgspec

from backend.outside.connectors import (
    DeliveryError,
    Desired,
    Errand,
    GroupRef,
    Receipt,
    Right,
    Rights,
    Target,
)
from backend.outside.connectors.ldap import memberships, passage
from backend.outside.connectors.ldap.entry import OF_A_ROLE
from backend.outside.connectors.ldap.wire import Changed, Exists, Vanished, Wire, equals, options_of
from backend.outside.connectors.ldap.work import ROLE_GROUP, Work, groups_of, known
from backend.outside.connectors.learnt import Learnt
from backend.outside.http import Guarded

__all__ = ["check", "connect", "options_of", "set_mail_password"]

ROUNDS = 6  # of reading and writing, should others write meanwhile


async def check(url: str, options: str, http: Guarded) -> None:
    """Refuse an address that we do not call, and options that are none."""
    options_of(options)
    await passage.check(url, http.allowed)


def connect(target: Target, http: Guarded, learnt: Learnt) -> LdapConnector:
    """The connector for one directory."""
    return LdapConnector(Wire(target, http), learnt)


async def set_mail_password(target: Target, http: Guarded, address: str, password: str) -> None:
    """Give the one person with that mail address a new password (RFC 3062).

    DeliveryError when it is not set, Unanswered when nobody can say whether it is.
    """
    wire = Wire(target, http)
    async with wire.talk() as talk:
        try:
            found = await talk.find(wire.options.people_dn, equals("mail", address))
            if len(found) != 1:
                raise DeliveryError("twins" if found else "no_such_mail", permanent=True)
            await talk.set_password(found[0].dn, password)
        except (Vanished, Exists, Changed) as error:
            raise DeliveryError("changed_meanwhile", permanent=False) from error


class LdapConnector:
    """See backend.outside.connectors.Connector."""

    holds: ClassVar[tuple[str, ...]] = (
        "external_id",
        "active",
        "full_name",
        "title",
        "email",
        "department",
        "unit_code",
        "groups",
    )

    def __init__(self, wire: Wire, learnt: Learnt | None = None) -> None:
        self._wire = wire
        self.learnt = learnt if learnt is not None else Learnt()

    async def apply(
        self,
        desired: Desired,
        remote_id: str | None,  # noqa: ARG002 (the account's identifier stands in the entry itself)
        errand: Errand,
    ) -> Receipt:
        """Bring the entry and the memberships to `desired`; reads again when somebody wrote meanwhile."""
        async with self._wire.talk() as talk:
            work = Work(talk, self._wire.options, self.learnt, errand.still_mine)
            for _ in range(ROUNDS):
                with contextlib.suppress(Vanished, Exists, Changed):
                    if receipt := await work.is_done(desired):
                        return receipt
        raise DeliveryError("changed_meanwhile", permanent=False)

    async def read(
        self,
        external_id: str,
        remote_id: str | None,  # noqa: ARG002 (as above)
    ) -> Desired | None:
        """What is there: found by identifier only, never by address."""
        options = self._wire.options
        async with self._wire.talk() as talk:
            try:
                person = await known(talk, options, external_id)
                if person is None:
                    return None
                at_work = any(person.all(name) for name in OF_A_ROLE)
                groups = await groups_of(talk, options, person.dn, everywhere=not at_work)
            except (Vanished, Exists, Changed) as error:
                raise DeliveryError("changed_meanwhile", permanent=False) from error
        refs = [GroupRef(code, code) for code in sorted(groups)]
        return Desired(
            external_id=external_id,
            user_name=external_id,
            full_name=person.one("displayName") or "",
            title=person.one("title"),
            email=" ".join(person.all("mail")) or None,
            department=person.one("ou"),
            unit_code=person.one("departmentNumber"),
            groups=refs,
            active=at_work or bool(refs),
        )

    async def rights(self) -> Rights:
        """Of every group directly in our place; one that holds only itself holds nobody."""
        return await memberships.rights(self._wire)

    async def whose(self, members: Collection[str]) -> dict[str, str | None]:
        """The account's identifier in the entry."""
        return await memberships.whose(self._wire, members)

    async def take_right(self, right: Right) -> bool:
        """A group that nobody is left in holds itself."""
        return await memberships.take(self._wire, right)

    def kept(self, wanted: Desired, held: Desired) -> Desired:
        """Groups of units only; further addresses that the entry has are nobody's fault."""
        theirs = (held.email or "").lower().split()
        email = held.email if wanted.email is None or wanted.email.lower() in theirs else wanted.email
        units = [group for group in wanted.groups if not group.external_id.startswith(ROLE_GROUP)]
        given = {field: getattr(held, field) for field in self.learnt.loses}
        return msgspec.structs.replace(wanted, **{"email": email, "groups": units} | given)

    async def close(self) -> None:
        """Nothing is kept open between deliveries."""
