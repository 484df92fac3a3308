"""A connector of somebody else's keeps the contract, and what breaks the contract is named (rule 715)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from backend.outside.connectors import (
    Connector,
    DeliveryError,
    Desired,
    Errand,
    GroupRef,
    Receipt,
    Right,
    Rights,
    Target,
    connect,
)
from backend.outside.connectors.conformance import CHECKS, prove
from backend.outside.connectors.conformance.bench import Bench
from backend.outside.connectors.conformance.people import Check
from tests.backend.outside.benches import HTTP, WHOLE, Opened, bench, holds, named
from tests.parts.strangers import KEY, drop, installed, present


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Somebody else's package is installed, for this module's tests alone."""
    with present(installed(tmp_path_factory.mktemp("strangers"))):
        yield


@pytest.mark.parametrize("check_", CHECKS, ids=named)
async def test_somebody_elses_connector_keeps_the_contract(
    strangers: None, tmp_path: Path, check_: Check
) -> None:
    folder = drop(tmp_path)

    async def seen(external_id: str) -> Desired | None:
        file = folder / f"{external_id}.csv"
        return _as_file(file) if file.exists() else None

    away = Target(f"file://{tmp_path}/not-mounted", KEY)
    await holds(check_, bench("csv-drop", Target(f"file://{folder}", KEY), away, seen=seen))


def _as_file(file: Path) -> Desired:
    with file.open(encoding="utf-8", newline="") as lines:
        (row,) = csv.DictReader(lines)
    texts: dict[str, Any] = {name: row[name] or None for name in WHOLE if name not in {"groups", "active"}}
    more = {"email": row["email"] or None, "unit_code": row["unit_code"] or None}
    groups = [GroupRef(code, code) for code in row["groups"].split()]
    return Desired(groups=groups, active=row["active"] == "yes", **(texts | more))


class Wrapped:
    """A connector that does everything right; each fault below does one thing wrong."""

    holds: ClassVar[tuple[str, ...]] = (*WHOLE, "email", "unit_code")

    def __init__(self, right: Connector) -> None:
        self._right, self.learnt = right, right.learnt

    async def apply(self, desired: Desired, remote_id: str | None, errand: Errand) -> Receipt:
        return await self._right.apply(desired, remote_id, errand)

    async def read(self, external_id: str, remote_id: str | None) -> Desired | None:
        return await self._right.read(external_id, remote_id)

    async def rights(self) -> Rights:
        return await self._right.rights()

    async def whose(self, members: Any) -> dict[str, str | None]:
        return await self._right.whose(members)

    async def take_right(self, right: Right) -> bool:
        return await self._right.take_right(right)

    def kept(self, wanted: Desired, held: Desired) -> Desired:
        return self._right.kept(wanted, held)

    async def close(self) -> None:
        await self._right.close()


class Deaf(Wrapped):
    async def apply(self, desired: Desired, remote_id: str | None, errand: Errand) -> Receipt:
        return Receipt(remote_id or desired.external_id, changed=await errand.still_mine())


class WritesAgain(Wrapped):
    async def apply(self, desired: Desired, remote_id: str | None, errand: Errand) -> Receipt:
        receipt = await super().apply(desired, remote_id, errand)
        return Receipt(receipt.remote_id, changed=True)


class NeverAsks(Wrapped):
    async def apply(self, desired: Desired, remote_id: str | None, errand: Errand) -> Receipt:
        async def yes() -> bool:
            return True

        return await super().apply(desired, remote_id, Errand(errand.id, errand.version, yes))


class KeepsLeavers(Wrapped):
    async def apply(self, desired: Desired, remote_id: str | None, errand: Errand) -> Receipt:
        if not desired.active:
            return Receipt(remote_id, changed=False)
        return await super().apply(desired, remote_id, errand)


class CutsNames(Wrapped):
    async def apply(self, desired: Desired, remote_id: str | None, errand: Errand) -> Receipt:
        plain = desired.full_name.encode("ascii", "replace").decode()
        cut = Desired(
            **{name: getattr(desired, name) for name in desired.__struct_fields__} | {"full_name": plain}
        )
        return await super().apply(cut, remote_id, errand)


class GivesUp(Wrapped):
    def kept(self, wanted: Desired, held: Desired) -> Desired:
        return msgspec.structs.replace(held) if wanted != held else held


class SeesNoRights(Wrapped):
    async def rights(self) -> Rights:
        return Rights([], 0)


class TakesNothing(Wrapped):
    async def take_right(self, right: Right) -> bool:
        return right is not None


class Shouts(Wrapped):
    async def apply(self, desired: Desired, remote_id: str | None, errand: Errand) -> Receipt:
        try:
            return await super().apply(desired, remote_id, errand)
        except DeliveryError as error:
            raise DeliveryError(f"{desired.full_name}?", permanent=True) from error

    async def read(self, external_id: str, remote_id: str | None) -> Desired | None:
        try:
            return await super().read(external_id, remote_id)
        except DeliveryError:
            return None


class HoldsNothing(Wrapped):
    holds: ClassVar[tuple[str, ...]] = ("title", "shoe_size")


class ClosesOnce(Wrapped):
    closed = False

    async def close(self) -> None:
        assert not self.closed
        self.closed = True


FAULTS: list[tuple[type[Wrapped], set[str]]] = [
    (Deaf, {"arrives", "changes", "moves", "leaves_and_returns", "many_at_once", "two_at_once", "lost_turn"}),
    (WritesAgain, {"twice_is_once", "spells"}),
    (NeverAsks, {"lost_turn", "lost_on_the_way"}),
    (KeepsLeavers, {"leaves_and_returns", "leavers_have_no_rights", "two_at_once"}),
    (CutsNames, {"arrives", "spells", "changes"}),
    (GivesUp, {"everything_is_compared"}),
    (SeesNoRights, {"rights_are_listed"}),
    (TakesNothing, {"rights_are_taken"}),
    (Shouts, {"away_is_of_the_system", "away_is_not_nobody"}),
    (HoldsNothing, {"learnt_is_kept"}),
    (ClosesOnce, {"closes"}),
]


@pytest.mark.parametrize(("fault", "found"), FAULTS, ids=lambda value: getattr(value, "__name__", ""))
async def test_what_breaks_the_contract_is_named(
    strangers: None, tmp_path: Path, fault: type[Wrapped], found: set[str]
) -> None:
    aim, away = Target(f"file://{drop(tmp_path)}", KEY), Target(f"file://{tmp_path}/not-mounted", KEY)

    def to(target: Target) -> Opened:
        async def opened() -> Connector:
            return fault(await connect("csv-drop", target, HTTP))

        return opened

    at = Bench(to(aim), lost=to(away))
    broken = {check_.__name__ for check_ in CHECKS if (await prove(check_, at)).state == "broken"}
    assert found <= broken
