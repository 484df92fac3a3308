"""Who is in the groups of a directory, whoever put them there (rules 703, 710)."""

from __future__ import annotations

import contextlib
from collections.abc import Collection

from bonsai import LDAPSearchScope

from backend.outside.connectors import DeliveryError, Right, Rights
from backend.outside.connectors.ldap.entry import NUMBER
from backend.outside.connectors.ldap.wire import MEMBER, Changed, Exists, Found, Talk, Vanished, Wire, equals
from backend.outside.connectors.ldap.work import leave

ANY, GROUPS = "(objectClass=*)", "(objectClass=groupOfNames)"
NAME = ("cn",)
TOO_LARGE = "reply_too_large"


async def rights(wire: Wire) -> Rights:
    """Everybody in every group directly in our place; each group by itself where all of them are too long."""
    try:
        found, unread = await _listed(wire, (*NAME, MEMBER)), list[str]()
    except DeliveryError as error:
        if error.code != TOO_LARGE:
            raise
        found, unread = await _one_by_one(wire)
    members = [(_name(group), group.dn, one) for group in found for one in group.all(MEMBER)]
    return Rights([Right(*one) for one in members if one[1].lower() != one[2].lower()], 0, unread)


async def whose(wire: Wire, members: Collection[str]) -> dict[str, str | None]:
    """By one conversation for all of them."""
    found: dict[str, str | None] = {}
    if not members:
        return found
    async with wire.talk(most=wire.list_bytes) as talk:
        for member in sorted(members):
            try:
                entries = await talk.find(member, ANY, LDAPSearchScope.BASE, wanted=(NUMBER,))
            except Vanished:
                found[member] = None
            except DeliveryError as error:
                if error.of_system:
                    raise
            else:
                found[member] = entries[0].one(NUMBER) if entries else None
    return found


async def take(wire: Wire, right: Right) -> bool:
    """Out of the group; whether a reading does not find them there any more."""
    async with wire.talk() as talk:
        with contextlib.suppress(Changed, Exists, Vanished):  # somebody was quicker
            await leave(talk, right.group_id, right.member_id)
        return not await _is_in(talk, right)


async def _is_in(talk: Talk, right: Right) -> bool:
    held = equals(MEMBER, right.member_id)
    try:
        return bool(await talk.find(right.group_id, held, LDAPSearchScope.BASE, wanted=NAME))
    except Vanished:
        return False


async def _listed(wire: Wire, wanted: Collection[str]) -> list[Found]:
    async with wire.talk(most=wire.list_bytes) as talk:
        try:
            place = wire.options.groups_dn
            return await talk.find(place, GROUPS, LDAPSearchScope.ONE, wanted=tuple(wanted))
        except Vanished:
            return []


async def _one_by_one(wire: Wire) -> tuple[list[Found], list[str]]:
    """What was read, and the names of those that are too long by themselves."""
    found, unread = list[Found](), list[str]()
    for group in await _listed(wire, NAME):
        try:
            async with wire.talk(most=wire.list_bytes) as talk:
                found += await talk.find(group.dn, ANY, LDAPSearchScope.BASE, wanted=(*NAME, MEMBER))
        except Vanished:
            continue
        except DeliveryError as error:
            if error.code != TOO_LARGE:
                raise
            unread.append(_name(group))
    return found, unread


def _name(group: Found) -> str:
    return group.one("cn") or group.dn
