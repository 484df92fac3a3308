"""One delivery to a directory: read, take rights, correct, give rights, and read again (rule 710).

An entry that is there already under the person's address is somebody. It becomes the person's own only where the staff
directory gives that address to this very number (case A08); another account's stays theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bonsai import LDAPModOp, LDAPSearchScope

from backend.outside.connectors import DeliveryError, Desired, LostTurn, Receipt, StillMine
from backend.outside.connectors.ldap.entry import (
    FIELDS,
    NUMBER,
    OF_A_ROLE,
    OURS,
    PERSON,
    difference,
    is_account,
    wanted_of,
)
from backend.outside.connectors.ldap.wire import (
    VIOLATION,
    Change,
    Exists,
    Found,
    Options,
    Talk,
    Vanished,
    equals,
    first_part,
    named,
)
from backend.outside.connectors.learnt import Learnt

ENOUGH = 2  # writes of one attribute that had no effect, before the directory is known not to keep it
ROLE_GROUP = "role:"  # groups of granted system roles; a directory has those of units only


class Work:
    """One delivery on one connection."""

    def __init__(self, talk: Talk, options: Options, learnt: Learnt, still_mine: StillMine) -> None:
        self._talk, self._options, self._learnt, self._still_mine = talk, options, learnt, still_mine
        self._changed = False
        self._tried: Counter[str] = Counter()

    async def is_done(self, desired: Desired) -> Receipt | None:
        """One round: find or make, leave, correct, join. A receipt when a reading found nothing to do."""
        person = await known(self._talk, self._options, desired.external_id)
        if person is None and desired.active:
            person = await self._to_take_over(desired)
        if person is None and not desired.active:
            return Receipt(None, self._changed)
        if person is None:
            await self._create(desired)
            return None  # the next round finds it, with the identifier that the directory gave it
        held = await groups_of(self._talk, self._options, person.dn, everywhere=not desired.active)
        wrote = await self._leave_all(person.dn, desired, held)
        wrote = await self._correct(person, desired) or wrote
        wrote = await self._join_all(person.dn, desired, held) or wrote
        return None if wrote else Receipt(person.one("entryUUID") or desired.external_id, self._changed)

    async def _to_take_over(self, desired: Desired) -> Found | None:
        """The entry with the person's mail address, where the staff directory proves the address (A08).

        One that belongs to a leaver of ours gives the address back; another account's stays theirs.
        """
        if desired.email is None:
            return None
        found = await self._talk.find(self._options.people_dn, equals("mail", desired.email))
        if len(found) > 1:
            raise DeliveryError("twins", permanent=True)
        if not found:
            return None
        ours = any(is_account(number) for number in found[0].all(NUMBER))
        if not desired.address_proved:
            raise DeliveryError("user_name_taken" if ours else "belongs_to_somebody", permanent=True)
        if not ours:
            return found[0]
        if any(found[0].all(name) for name in OF_A_ROLE):
            raise DeliveryError("user_name_taken", permanent=True)
        theirs = tuple(one for one in found[0].all("mail") if one.lower() == desired.email.lower())
        await self._claim()
        await self._talk.change(found[0].dn, Change("mail", LDAPModOp.DELETE, theirs))
        return None

    async def _create(self, desired: Desired) -> None:
        """Under the local part of the address; where another bears that name, under the identifier (B21)."""
        name = (desired.email or "").partition("@")[0]
        if not name or "#" in name:  # which the library could not read back
            name = desired.external_id
        for uid in dict.fromkeys((name, desired.external_id)):
            entry: dict[str, Sequence[str]] = {"objectClass": PERSON, "uid": (uid,), **wanted_of(desired)}
            await self._claim()
            try:
                await self._add(named("uid", uid, self._options.people_dn), entry, self._options.people_dn)
            except Exists:
                # Made by another worker since we looked: the next round finds it. Anybody else's stays theirs.
                if await known(self._talk, self._options, desired.external_id) is not None:
                    return
            else:
                return
        raise DeliveryError("user_name_taken", permanent=True)

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

    async def _correct(self, person: Found, desired: Desired) -> bool:
        if not desired.active:
            changes = [Change(name, LDAPModOp.DELETE) for name in OF_A_ROLE if person.all(name)]
        else:
            wanted = wanted_of(desired)
            found = [difference(person, name, wanted.get(name, ())) for name in OURS]
            changes = [change for change in found if change and self._is_kept(change.name)]
        if changes:
            await self._claim()
            await self._talk.change(person.dn, *changes)
        return bool(changes)

    def _is_kept(self, name: str) -> bool:
        """Whether the directory is worth telling: what it took twice and did not have it does not keep."""
        self._tried[name] += 1
        if self._tried[name] > ENOUGH and name in FIELDS:
            self._learnt.does_not_keep(FIELDS[name])
        return self._tried[name] <= ENOUGH

    async def _leave_all(self, dn: str, desired: Desired, held: dict[str, str]) -> bool:
        """Out of every group that is not wanted, before anything else is tried."""
        wanted = {code.lower() for code in _codes(desired)}
        leaving = [group for code, group in held.items() if code.lower() not in wanted]
        for group in leaving:
            await self._claim()
            await leave(self._talk, group, dn)
        return bool(leaving)

    async def _join_all(self, dn: str, desired: Desired, held: dict[str, str]) -> bool:
        there = {code.lower() for code in held}
        missing = [code for code in _codes(desired) if code.lower() not in there]
        for code in missing:
            await self._claim()
            await self._join(code, dn)
        return bool(missing)

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


def _codes(desired: Desired) -> list[str]:
    """The units whose groups the person should be in."""
    refs = desired.groups if desired.active else []
    return sorted(ref.external_id for ref in refs if not ref.external_id.startswith(ROLE_GROUP))


async def leave(talk: Talk, group: str, dn: str) -> None:
    """Take an entry out of a group, which holds itself where nobody is left."""
    leaving = Change("member", LDAPModOp.DELETE, (dn,))
    try:
        await talk.change(group, leaving)
    except DeliveryError as error:
        if error.code != VIOLATION:
            raise
        await talk.change(group, Change("member", LDAPModOp.ADD, (group,)), leaving)


async def known(talk: Talk, options: Options, external_id: str) -> Found | None:
    """The entry of an account, wherever it was moved to."""
    found = await talk.find(options.base_dn, equals(NUMBER, external_id))
    if len(found) > 1:
        raise DeliveryError("twins", permanent=True)
    return found[0] if found else None


async def groups_of(talk: Talk, options: Options, dn: str, *, everywhere: bool) -> dict[str, str]:
    """Code -> DN of the units' groups that hold an entry, or of every group below them."""
    scope = LDAPSearchScope.SUB if everywhere else LDAPSearchScope.ONE
    asked = f"(&(objectClass=groupOfNames){equals('member', dn)})"
    try:
        found = await talk.find(options.groups_dn, asked, scope)
    except Vanished:
        return {}  # no group has been made yet
    return {group.one("cn") or group.dn: group.dn for group in found}
