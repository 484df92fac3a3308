"""Keeps one LDAP directory in step (contract-accounts, 27; security TF16).

Entries are found by the account's identifier wherever they were moved to, or taken over by their mail
address; only attributes that are ours are changed, and none is ever deleted: who has no role leaves the
groups and loses title and unit. A group that nobody is left in holds itself, for it must hold somebody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from bonsai import LDAPModOp, LDAPSearchScope

from backend.outside.connectors import DeliveryError, Desired, GroupRef, LostTurn, Receipt, StillMine, Target
from backend.outside.connectors.ldap_entry import (
    NUMBER,
    OF_A_ROLE,
    OURS,
    PERSON,
    difference,
    is_account,
    wanted_of,
)
from backend.outside.connectors.ldap_wire import (
    VIOLATION,
    Change,
    Changed,
    Exists,
    Found,
    Options,
    Talk,
    Vanished,
    Wire,
    equals,
    first_part,
    named,
    options_of,
)
from backend.outside.connectors.learnt import Learnt
from backend.outside.http import Guarded

__all__ = ["connect", "options_of", "set_mail_password"]

TRIES = 4  # times that somebody else may write between our reading and our writing
ROLE_GROUP = "role:"  # groups of granted system roles; a directory has those of units only


def connect(target: Target, http: Guarded, learnt: Learnt) -> LdapConnector:
    """The connector for one directory."""
    return LdapConnector(Wire(target, http), learnt)


async def set_mail_password(target: Target, http: Guarded, address: str, password: str) -> None:
    """Give the one person with that mail address a new password (RFC 3062); DeliveryError when it is not set."""
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
        still_mine: StillMine,
    ) -> Receipt:
        """Bring the entry and the memberships to `desired`; reads again when somebody wrote meanwhile."""
        async with self._wire.talk() as talk:
            work = _Work(talk, self._wire.options, still_mine)
            for _ in range(TRIES):
                try:
                    return await work.bring(desired)
                except (Vanished, Exists, Changed):
                    continue
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
                person = await _known(talk, options, external_id)
                if person is None:
                    return None
                at_work = any(person.all(name) for name in OF_A_ROLE)
                groups = await _groups_of(talk, options, person.dn, everywhere=not at_work)
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

    def kept(self, wanted: Desired, held: Desired) -> Desired:
        """Groups of units only; further addresses that the entry has are nobody's fault."""
        theirs = (held.email or "").lower().split()
        email = held.email if wanted.email is None or wanted.email.lower() in theirs else wanted.email
        units = [group for group in wanted.groups if not group.external_id.startswith(ROLE_GROUP)]
        return msgspec.structs.replace(wanted, email=email, groups=units)

    async def close(self) -> None:
        """Nothing is kept open between deliveries."""


class _Work:
    """One delivery on one connection."""

    def __init__(self, talk: Talk, options: Options, still_mine: StillMine) -> None:
        self._talk, self._options, self._still_mine = talk, options, still_mine
        self._changed = False

    async def bring(self, desired: Desired) -> Receipt:
        """Find or make, correct, join and leave."""
        person = await _known(self._talk, self._options, desired.external_id)
        if person is None:
            person = await self._to_take_over(desired)
        if person is None and not desired.active:
            return Receipt(None, self._changed)
        if person is None:
            await self._create(desired)
            raise Changed  # the next round finds it, with the identifier that the directory gave it
        await self._correct(person, desired)
        await self._join_and_leave(person.dn, desired)
        return Receipt(person.one("entryUUID") or desired.external_id, self._changed)

    async def _to_take_over(self, desired: Desired) -> Found | None:
        """The entry with the person's mail address, unless it is another account's."""
        if desired.email is None:
            return None
        found = await self._talk.find(self._options.people_dn, equals("mail", desired.email))
        if len(found) > 1:
            raise DeliveryError("twins", permanent=True)
        if found and any(is_account(number) for number in found[0].all(NUMBER)):
            raise DeliveryError("user_name_taken", permanent=True)
        return found[0] if found else None

    async def _create(self, desired: Desired) -> None:
        name = (desired.email or "").partition("@")[0]
        if not name or "#" in name:  # which the library could not read back
            name = desired.external_id
        entry: dict[str, Sequence[str]] = {"objectClass": PERSON, "uid": (name,), **wanted_of(desired)}
        await self._claim()
        try:
            await self._add(named("uid", name, self._options.people_dn), entry, self._options.people_dn)
        except Exists as error:
            # Made by another worker since we looked: the next round finds it. Anybody else's stays theirs.
            if await _known(self._talk, self._options, desired.external_id) is None:
                raise DeliveryError("user_name_taken", permanent=True) from error
            raise

    async def _add(self, dn: str, entry: dict[str, Sequence[str]], place: str) -> None:
        """Make an entry, and first the organizational unit for it where there is none."""
        try:
            await self._talk.add(dn, entry)
        except Vanished:
            kind, name = first_part(place)
            if kind != "ou":
                raise DeliveryError("no_such_place", permanent=False, of_system=True) from None
            try:
                await self._talk.add(place, {"objectClass": ("top", "organizationalUnit"), "ou": (name,)})
            except Vanished:
                raise DeliveryError("no_such_place", permanent=False, of_system=True) from None
            except Exists:
                pass  # somebody else needed it too
            await self._talk.add(dn, entry)

    async def _correct(self, person: Found, desired: Desired) -> None:
        changes = []
        if not desired.active:
            changes = [Change(name, LDAPModOp.DELETE) for name in OF_A_ROLE if person.all(name)]
        else:
            wanted = wanted_of(desired)
            for name in OURS:
                if change := difference(person, name, wanted.get(name, ())):
                    changes.append(change)
        if changes:
            await self._claim()
            await self._talk.change(person.dn, *changes)

    async def _join_and_leave(self, dn: str, desired: Desired) -> None:
        refs = desired.groups if desired.active else []
        wanted = {
            ref.external_id.lower(): ref.external_id
            for ref in refs
            if not ref.external_id.startswith(ROLE_GROUP)
        }
        held = await _groups_of(self._talk, self._options, dn, everywhere=not desired.active)
        for code, group in held.items():
            if code.lower() not in wanted:
                await self._claim()
                await self._leave(group, dn)
        missing = wanted.keys() - {code.lower() for code in held}
        for code in sorted(missing):
            await self._claim()
            await self._join(wanted[code], dn)

    async def _leave(self, group: str, dn: str) -> None:
        leaving = Change("member", LDAPModOp.DELETE, (dn,))
        try:
            await self._talk.change(group, leaving)
        except DeliveryError as error:
            if error.code != VIOLATION:
                raise
            await self._talk.change(group, Change("member", LDAPModOp.ADD, (group,)), leaving)

    async def _join(self, code: str, dn: str) -> None:
        group = named("cn", code, self._options.groups_dn)
        try:
            await self._talk.change(group, Change("member", LDAPModOp.ADD, (dn,)))
        except Vanished:
            entry: dict[str, Sequence[str]] = {
                "objectClass": ("top", "groupOfNames"),
                "cn": (code,),
                "member": (dn,),
            }
            await self._add(group, entry, self._options.groups_dn)
            return
        if await self._talk.find(group, equals("member", group), LDAPSearchScope.BASE):
            await self._talk.change(group, Change("member", LDAPModOp.DELETE, (group,)))

    async def _claim(self) -> None:
        if not await self._still_mine():
            raise LostTurn
        self._changed = True


async def _known(talk: Talk, options: Options, external_id: str) -> Found | None:
    found = await talk.find(options.base_dn, equals(NUMBER, external_id))
    if len(found) > 1:
        raise DeliveryError("twins", permanent=True)
    return found[0] if found else None


async def _groups_of(talk: Talk, options: Options, dn: str, *, everywhere: bool) -> dict[str, str]:
    """Code -> DN of the units' groups that hold an entry, or of every group below them."""
    scope = LDAPSearchScope.SUB if everywhere else LDAPSearchScope.ONE
    asked = f"(&(objectClass=groupOfNames){equals('member', dn)})"
    try:
        found = await talk.find(options.groups_dn, asked, scope)
    except Vanished:
        return {}  # no group has been made yet
    return {group.one("cn") or group.dn: group.dn for group in found}
