"""What a downstream system is to the outbox: something that takes a desired state, or says why not.

A kind of system is a module with `KIND`, `check` and `connect`, ours beside `webhook.py` or in a package of its own
(`kinds.py`, docs/connectors.md; rule 715).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import TYPE_CHECKING, ClassVar, Protocol
from uuid import UUID

import msgspec

from backend.outside.connectors.kinds import load_in_thread
from backend.outside.connectors.learnt import Learnt

if TYPE_CHECKING:  # most who name a delivery make none
    from backend.outside.http import Guarded

StillMine = Callable[[], Awaitable[bool]]


class GroupRef(msgspec.Struct, frozen=True, order=True):
    """A group at the system: a unit's, or that of a role the system grants."""

    external_id: str
    display_name: str


class Desired(msgspec.Struct, frozen=True, kw_only=True):
    """What a system should hold of one person: a pure function of the person's roles (rule 701)."""

    external_id: str
    user_name: str
    full_name: str
    title: str | None = None
    employee_number: str | None = None
    email: str | None = None
    organization: str | None = None
    department: str | None = None
    unit_code: str | None = None
    groups: list[GroupRef] = []
    active: bool = True
    address_proved: bool = (
        False  # the staff directory gives `email` to this very number; never sent, never compared
    )

    def compared(self, field: str) -> object:
        """A field as two states are compared in it: groups by their identifiers, in no order."""
        if field == "groups":
            return {group.external_id for group in self.groups}
        return getattr(self, field)


class Errand(msgspec.Struct, frozen=True):
    """One delivery under way: its identifier, which it keeps when it is tried again, and the version that it brings.

    `still_mine` is asked before every write to the system: no means that somebody else has taken it over.
    """

    id: UUID
    version: int
    still_mine: StillMine


class Right(msgspec.Struct, frozen=True):
    """Somebody in a group of the system: by the group's external identifier and by the system's own names."""

    group: str
    group_id: str
    member_id: str


class Rights(msgspec.Struct, frozen=True):
    """Who is in which group that has an identifier like ours, and how many groups have none.

    `unread` names the groups that say more than is read: who is in them is not known.
    """

    ours: list[Right]
    foreign: int
    unread: list[str] = []


class Receipt(msgspec.Struct, frozen=True):
    """The system holds the desired state now; `changed` says whether it had to be told."""

    remote_id: str | None
    changed: bool


class Target(msgspec.Struct, frozen=True):
    """One system as a connector needs to know it."""

    url: str
    token: str | None = None
    reply_timeout: float = 15.0
    options: str = "{}"  # JSON, for the kinds that need more than an address
    since: str = ""  # when it was connected: another address behind the same name is another system


class Unanswered(Exception):
    """What was to be set may be set, or not: the system was asked, and its answer has not come."""


class DeliveryError(Exception):
    """Not delivered. `of_system` means that it is about the whole system, not about this person; `for_good` that the
    system wants nothing more.
    """

    def __init__(
        self,
        code: str,
        *,
        permanent: bool,
        retry_after: int | None = None,
        of_system: bool = False,
        for_good: bool = False,
    ) -> None:
        super().__init__(code)
        self.code, self.permanent, self.retry_after, self.of_system = code, permanent, retry_after, of_system
        self.for_good = for_good


class LostTurn(Exception):
    """Somebody else has taken this delivery over: stop without another write."""


class Connector(Protocol):
    """Brings one person's state to one system. Any method may raise DeliveryError."""

    holds: ClassVar[tuple[str, ...]]  # the fields of Desired that this kind of system keeps

    @property
    def learnt(self) -> Learnt:
        """What this very system has turned out not to do; whoever calls keeps it with the system."""
        ...

    async def apply(self, desired: Desired, remote_id: str | None, errand: Errand) -> Receipt:
        """Make the system hold `desired`, whatever it holds now; raises LostTurn when the errand is another's."""
        ...

    async def read(self, external_id: str, remote_id: str | None) -> Desired | None:
        """What the system holds of that person now, in the same terms; nothing when it knows nobody."""
        ...

    async def rights(self) -> Rights:
        """Everybody in every group, whoever put them there."""
        ...

    async def whose(self, members: Collection[str]) -> dict[str, str | None]:
        """The external identifier of each member, where the system has one; who could not be read is left out."""
        ...

    async def take_right(self, right: Right) -> bool:
        """Take a member out of a group; whether a reading afterwards did not find them there."""
        ...

    def kept(self, wanted: Desired, held: Desired) -> Desired:
        """The part of `wanted` that this kind of system keeps: what is compared with what it holds."""
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...


async def check(kind: str, url: str, options: str, http: Guarded) -> None:
    """Refuse what a system is reached by when it is saved; connecting checks the address again.

    Raises HttpTrouble about the address, and ValueError about the options.
    """
    module = await load_in_thread(kind)
    await module.check(url, options, http)


async def connect(kind: str, target: Target, http: Guarded, learnt: Learnt | None = None) -> Connector:
    """The connector of a kind for one system, with what is known of it."""
    module = await load_in_thread(kind)
    connector: Connector = module.connect(target, http, learnt if learnt is not None else Learnt())
    return connector


def without_options(kind: str, options: str) -> None:
    """ValueError where a kind that has none was given some."""
    if msgspec.json.decode(options, type=dict):
        raise ValueError(f"{kind} has no options")
