"""Where a connector is tried: how one is opened, who sees what became of it, and the invented people of one trial."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec

from backend.outside.connectors import (
    Connector,
    DeliveryError,
    Desired,
    Errand,
    GroupRef,
    Receipt,
    StillMine,
)

HOME, OTHER = GroupRef("KIT.01", "Văn phòng"), GroupRef("KIT.02", "Văn phòng")  # two units of one name
RIGHT = GroupRef("role:kit", "Văn thư (thử)")
CODE = re.compile(r"[a-z][A-Za-z0-9_]{0,59}")


@dataclass(frozen=True)
class Bench:
    """One test system. `opened` gives a new connector to it, as another process would have."""

    opened: Callable[[], Awaitable[Connector]]
    seen: Callable[[str], Awaitable[Desired | None]] | None = (
        None  # what it holds of an account, read past the connector
    )
    shown: tuple[str, ...] = ()  # the fields that `seen` tells; none: those that the connector says it holds
    lost: Callable[[], Awaitable[Connector]] | None = None  # a connector to a system that is out of reach
    refused: Callable[[], Awaitable[None]] | None = None  # `check` of an address that is none
    can_be_read: bool = True  # as the kind says (`no_read_back`)


class View(NamedTuple):
    """What somebody sees of a person, and what they should see where the system keeps it."""

    who: str
    held: Desired | None
    kept: Desired | None
    fields: tuple[str, ...]


class ContractBroken(AssertionError):
    """The contract is not kept; the text says what was expected."""


class NotProved(Exception):
    """Nobody can see whether it is kept."""


async def _mine() -> bool:
    return True


class Trial:
    """One check under way: its people, and the connectors that it has opened."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._people: dict[str, tuple[Desired, str | None]] = {}
        self._open: list[Connector] = []
        self._version = 0

    def person(self, **changes: Any) -> Desired:
        """Somebody with one post: nobody whom there is."""
        account = str(uuid4())
        whole: dict[str, Any] = {
            "external_id": account,
            "user_name": f"kit-{account[:8]}@ngomon.example",
            "email": f"kit-{account[:8]}@ngomon.example",
            "full_name": "Nguyễn Thị Thử Nghiệm",
            "title": "Chuyên viên",
            "employee_number": f"KIT-{account[:8]}",
            "organization": "Sở Thử nghiệm",
            "department": HOME.display_name,
            "unit_code": HOME.external_id,
            "groups": [HOME, RIGHT],
            "address_proved": True,
        }
        return Desired(**(whole | changes))

    async def connector(self) -> Connector:
        """A new one, which remembers nothing."""
        fresh = await self.bench.opened()
        self._open.append(fresh)
        return fresh

    async def bring(
        self,
        connector: Connector,
        wanted: Desired,
        remote_id: str | None = None,
        *,
        still_mine: StillMine = _mine,
    ) -> Receipt:
        """One delivery, with a version above all before it."""
        self._version += 1
        self._people.setdefault(wanted.external_id, (wanted, remote_id))
        try:
            receipt = await connector.apply(wanted, remote_id, Errand(uuid4(), self._version, still_mine))
        except DeliveryError as error:
            if not CODE.fullmatch(error.code):
                raise ContractBroken(
                    "the code of a DeliveryError is one word without anybody's data"
                ) from error
            raise
        self._people[wanted.external_id] = (wanted, receipt.remote_id)
        return receipt

    async def is_held(self, wanted: Desired, remote_id: str | None) -> None:
        """ContractBroken unless everybody who can see it sees `wanted`."""
        for view in await self._views(wanted, remote_id):
            held, kept = view.held, view.kept
            if not wanted.active:
                if held is not None and (held.active or held.groups):
                    raise ContractBroken(
                        f"{view.who} still sees somebody who has left as active, or in a group"
                    )
                continue
            if held is None or kept is None:
                raise ContractBroken(f"{view.who} sees nobody")
            wrong = [field for field in view.fields if held.compared(field) != kept.compared(field)]
            if wrong:
                raise ContractBroken(f"{view.who} sees something else in: {', '.join(wrong)}")

    async def is_unknown(self, wanted: Desired) -> None:
        """ContractBroken when somebody sees a person of whom nothing was to be written."""
        for view in await self._views(wanted, None):
            if view.held is not None and (view.held.active or view.held.groups):
                raise ContractBroken(f"{view.who} sees a person of whom nothing was to be written")

    async def _views(self, wanted: Desired, remote_id: str | None) -> list[View]:
        """By a connector that remembers nothing, and by somebody who looks past it."""
        fresh = await self.connector()
        views = list[View]()
        if self.bench.can_be_read:
            held = await fresh.read(wanted.external_id, remote_id)
            views.append(View("a new connector", held, _kept(fresh, wanted, held), fresh.holds))
        if self.bench.seen is not None:
            held = await self.bench.seen(wanted.external_id)
            fields = self.bench.shown or fresh.holds
            views.append(View("whoever looks at the system", held, _kept(fresh, wanted, held), fields))
        if not views:
            raise NotProved("this kind cannot be read back, and nobody else looks at the system")
        return views

    async def tidy(self) -> None:
        """Switch off whom this trial has brought there."""
        for wanted, remote_id in self._people.values():
            if wanted.active:
                fresh = await self.connector()
                await self.bring(fresh, left(wanted), remote_id)

    def forget(self) -> None:
        """Nobody of this trial was brought anywhere."""
        self._people.clear()

    async def close(self) -> None:
        """Give every connection back; what a check has broken must not leave people behind either."""
        with contextlib.suppress(Exception):
            await self.tidy()
        for connector in self._open:
            with contextlib.suppress(Exception):
                await connector.close()


def left(wanted: Desired) -> Desired:
    """The same person without any role."""
    return Desired(
        external_id=wanted.external_id,
        user_name=wanted.external_id,
        full_name=wanted.full_name,
        active=False,
    )


def with_(wanted: Desired, **changes: Any) -> Desired:
    """The same person after a decision."""
    return msgspec.structs.replace(wanted, **changes)


def _kept(connector: Connector, wanted: Desired, held: Desired | None) -> Desired | None:
    """What this system is to be compared with."""
    return connector.kept(wanted, held) if held is not None else None
