"""LDAP on the wire (RFC 4511) over bonsai; turns every failure into one word of ours."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import msgspec
from bonsai import LDAPDN, LDAPClient, LDAPEntry, LDAPModOp, LDAPSearchScope
from bonsai.errors import LDAPError
from bonsai.ldapconnection import BaseLDAPConnection
from bonsai.utils import escape_attribute_value, escape_filter_exp

from backend.outside.addresses import AddressRefused, HttpTrouble, Unreachable
from backend.outside.connectors import DeliveryError, Target, Unanswered
from backend.outside.connectors.ldap import pages
from backend.outside.connectors.ldap.passage import MOST_BYTES, Passage
from backend.outside.http import Guarded

LONGEST_PAUSE = 0.1  # between two looks at an answer, should the socket not ring
LOST = {-1, -5, -11, -101, 0x51, 0x55}  # no connection, or no answer in time
MEMBER = "member"
READ = (
    "employeeNumber", "cn", "displayName", "sn", "mail", "title", "ou", "departmentNumber", "entryUUID",
)  # fmt: skip
BUSY = {51, 52}  # RFC 4511 A.2: what a directory says of itself
OUR_RIGHTS = {7, 8, 13, 48, 49, 50}  # who we are, or what we may
TOO_MANY = {4, 11}
VIOLATION = "rejected_65"  # of the object class: a group wants a member, for one
REFERRAL, NO_SUCH_OBJECT, EXISTS, NO_SUCH_VALUE, VALUE_EXISTS = 10, 32, 68, 16, 20
NO_WORD = {"unreachable", "reply_too_large"}  # neither yes nor no
PASSING = {1, 2, 3, 53, 80}  # said when something is wrong there for a while


class Vanished(Exception):
    """It was there a moment ago, or we thought so."""


class Exists(Exception):
    """Something is there under that name already."""


class Changed(Exception):
    """Somebody wrote between our reading and our writing."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a system of this kind is told beside its address (systems.options)."""

    bind_dn: str
    base_dn: str
    people: str = "ou=people"
    groups: str = "ou=groups"

    @property
    def people_dn(self) -> str:
        """Where people are."""
        return f"{self.people},{self.base_dn}"

    @property
    def groups_dn(self) -> str:
        """Where units' groups are."""
        return f"{self.groups},{self.base_dn}"


def options_of(text: str) -> Options:
    """Read and check what was kept; ValueError says in words what is wrong."""
    found = msgspec.json.decode(text, type=Options)
    for dn in (found.bind_dn, found.base_dn, found.people_dn, found.groups_dn):
        try:
            LDAPDN(dn)
        except LDAPError as error:
            raise ValueError(f"not a distinguished name: {dn!r}") from error
        if not dn.strip():
            raise ValueError("a distinguished name is missing")
    return found


def named(attribute: str, value: str, parent: str) -> str:
    """The DN of a child, whatever characters its name has (RFC 4514; rule 712)."""
    return f"{attribute}={escape_attribute_value(_clean(value))},{parent}"


def first_part(dn: str) -> tuple[str, str]:
    """Attribute, in lower case, and value of what a DN begins with."""
    kind, value = LDAPDN(dn).rdns[0][0]
    return kind.lower(), value


def equals(attribute: str, value: str) -> str:
    """A filter for one value, whatever characters it has (RFC 4515; rule 712)."""
    return f"({attribute}={escape_filter_exp(_clean(value))})"


def _clean(value: str) -> str:
    """The library spells NUL in a way of its own, and would end a text there."""
    if not value or "\0" in value:
        raise DeliveryError("rejected", permanent=True)
    return value


class Waiting(BaseLDAPConnection):
    """The library's connection as the event loop needs it: its own spins while it waits."""

    def __init__(self, client: LDAPClient) -> None:
        super().__init__(client, is_async=True)

    async def _evaluate(self, msg_id: int, timeout: float | None = None) -> Any:
        loop, pause = asyncio.get_running_loop(), 0.001
        async with asyncio.timeout(timeout):
            while (answer := self.get_result(msg_id)) is None:
                rung = asyncio.Event()
                place = self.fileno()
                loop.add_reader(place, rung.set)
                try:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(rung.wait(), pause)
                finally:
                    loop.remove_reader(place)
                pause = min(pause * 2, LONGEST_PAUSE)
        return answer

    async def answer_to(self, msg_id: int, patience: float) -> Any:
        """What comes to a question that the library has asked."""
        return await self._evaluate(msg_id, patience)


class Found(msgspec.Struct, frozen=True):
    """An entry as it was read."""

    dn: str
    values: dict[str, list[str]]  # by lower-case name

    def all(self, name: str) -> list[str]:
        """Its values; none when the attribute is not there."""
        return self.values.get(name.lower(), [])

    def in_name(self, attribute: str) -> list[str]:
        """The values of an attribute that the entry's own name is made of; they have to stay."""
        return [value for kind, value in LDAPDN(self.dn).rdns[0] if kind.lower() == attribute.lower()]

    def one(self, name: str) -> str | None:
        """The first, where there is one at most by contract."""
        return next(iter(self.all(name)), None)


class Change(msgspec.Struct, frozen=True):
    """One attribute's change."""

    name: str
    how: LDAPModOp
    values: tuple[str, ...] = ()


class Wire:
    """Opens conversations with one directory."""

    def __init__(self, target: Target, http: Guarded) -> None:
        self._target, self._http, self.list_bytes = target, http, http.list_bytes
        self.options = options_of(target.options)

    @asynccontextmanager
    async def talk(self, *, most: int = MOST_BYTES) -> AsyncIterator[Talk]:
        """One bound connection that brings `most` bytes; made for each delivery, so that a directory may restart."""
        if not self._target.token:  # without a password a directory lets us in as nobody (RFC 4513 §5.1.2)
            raise DeliveryError("credentials_refused", permanent=False, of_system=True)
        patience = self._target.reply_timeout
        try:
            async with Passage(self._target.url, self._http.allowed, patience, most) as passage:
                client = LDAPClient(passage.url)
                client.set_async_connection_class(Waiting)
                client.set_ignore_referrals(False)
                client.set_raw_attributes(
                    [*READ, MEMBER]
                )  # the library would make numbers of what looks like some
                client.set_credentials("SIMPLE", self.options.bind_dn, self._target.token)
                with _translated(passage):
                    connection = await client.connect(is_async=True, timeout=patience)
                try:
                    yield Talk(connection, passage, patience)
                finally:
                    connection.close()
        except HttpTrouble as error:
            of_system = isinstance(error, Unreachable | AddressRefused)
            raise DeliveryError(error.code, permanent=False, of_system=of_system) from error


class Talk:
    """The operations that the connector needs, and no other.

    Any may raise DeliveryError, Vanished, Exists or Changed.
    """

    def __init__(self, connection: Any, passage: Passage, patience: float) -> None:
        self._connection, self._passage, self._patience = connection, passage, patience

    async def find(
        self,
        base: str,
        filter_: str,
        scope: LDAPSearchScope = LDAPSearchScope.SUB,
        *,
        wanted: Sequence[str] = READ,
    ) -> list[Found]:
        """Every entry that fits. Only a referral to elsewhere counts as one when nothing is here."""
        with _translated(self._passage):
            entries, more = await pages.search(self._connection, base, scope, filter_, wanted, self._patience)
        if more and not entries:
            raise DeliveryError("referral", permanent=True)
        return [Found(str(one.dn), _texts(one)) for one in entries]

    async def add(self, dn: str, attributes: Mapping[str, Sequence[str]]) -> None:
        """Make an entry."""
        with _translated(self._passage):
            entry = LDAPEntry(dn)
            for name, values in attributes.items():
                entry[name] = [_clean(value) for value in values]
            await self._connection.add(entry, timeout=self._patience)

    async def change(self, dn: str, *changes: Change) -> None:
        """Write changes as one."""
        with _translated(self._passage):
            entry = LDAPEntry(dn, self._connection)
            for change in changes:
                values: Any = map(_clean, change.values)  # the library's types say tuples, and mean texts
                entry.change_attribute(change.name, change.how, *values)
            await entry.modify(timeout=self._patience)

    async def set_password(self, dn: str, password: str) -> None:
        """RFC 3062; the directory keeps it as it keeps passwords. Raises Unanswered where it may have taken it."""
        try:
            with _translated(self._passage):
                await self._connection.modify_password(dn, _clean(password), timeout=self._patience)
        except DeliveryError as error:
            if error.code in NO_WORD:
                raise Unanswered from error
            raise


def _texts(entry: LDAPEntry) -> dict[str, list[str]]:
    """Values by lower-case name, those that are no text left out."""
    found: dict[str, list[str]] = {}
    for name, values in entry.items(exclude_dn=True):
        with contextlib.suppress(UnicodeDecodeError):
            found[name.lower()] = [bytes(value).decode() for value in values]
    return found


@contextmanager
def _translated(passage: Passage) -> Iterator[None]:
    """The directory's words stay here: they may name people."""
    try:
        yield
    except TimeoutError as error:
        raise DeliveryError("unreachable", permanent=False, of_system=True) from error
    except LDAPError as error:
        if passage.overflowed:
            raise DeliveryError("reply_too_large", permanent=False) from None
        raise _word_for(int(error.code)) from None


def _word_for(code: int) -> Exception:
    known = {NO_SUCH_OBJECT: Vanished, EXISTS: Exists, NO_SUCH_VALUE: Changed, VALUE_EXISTS: Changed}
    if code in known:
        return known[code]()
    if code in LOST:
        return DeliveryError("unreachable", permanent=False, of_system=True)
    if code in OUR_RIGHTS:
        return DeliveryError("credentials_refused", permanent=False, of_system=True)
    if code in BUSY or code in PASSING:
        return DeliveryError(f"ldap_{code}", permanent=False, of_system=code in BUSY)
    if code == REFERRAL:
        return DeliveryError("referral", permanent=True)
    if code in TOO_MANY:
        return DeliveryError("size_limit", permanent=True)
    return DeliveryError(f"rejected_{code}", permanent=True)
