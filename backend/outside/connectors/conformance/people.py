"""What becomes of people: they arrive, change, leave and come back, whoever tells of them and however often."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from backend.outside.connectors import Connector, DeliveryError, Desired, LostTurn, Receipt
from backend.outside.connectors.conformance.bench import (
    HOME,
    OTHER,
    RIGHT,
    ContractBroken,
    NotProved,
    Trial,
    left,
    with_,
)

Check = Callable[[Trial], Awaitable[None]]
ODD_NAME = "Đặng Thị «Ánh» O'Brien-Ỷ (thử) \\*=+<b>&amp;\", #1; Ặ"
AT_ONCE = 8  # as many as the worker has under way at one system
SEVERAL = 12
TRIES = 5


async def arrives(trial: Trial) -> None:
    """A new person arrives whole, and is found by a connector that remembers nothing."""
    wanted = trial.person()
    receipt = await trial.bring(await trial.connector(), wanted)
    await trial.is_held(wanted, receipt.remote_id)
    await trial.is_held(wanted, None)


async def twice_is_once(trial: Trial) -> None:
    """The same state told again writes nothing, with the system's identifier or without."""
    if not trial.bench.can_be_read:
        raise NotProved("what cannot be read back is told again")
    wanted = trial.person()
    first = await trial.bring(await trial.connector(), wanted)
    for remote_id in (first.remote_id, None):
        again = await trial.bring(await trial.connector(), wanted, remote_id)
        if again.changed:
            raise ContractBroken("the same state was written again")
        if again.remote_id != first.remote_id:
            raise ContractBroken("the same person was found under another identifier")


async def changes(trial: Trial) -> None:
    """What changed is there afterwards, and what is empty now is empty there."""
    wanted = trial.person()
    receipt = await trial.bring(await trial.connector(), wanted)
    for changed in (
        with_(wanted, title="Trưởng phòng", full_name="Nguyễn Thị Thử Nghiệm Khác"),
        with_(wanted, title=None, employee_number=None),
    ):
        receipt = await trial.bring(await trial.connector(), changed, receipt.remote_id)
        await trial.is_held(changed, receipt.remote_id)


async def moves(trial: Trial) -> None:
    """A transfer leaves the old unit's group and joins the new one's, also when both units have one name."""
    wanted = trial.person()
    receipt = await trial.bring(await trial.connector(), wanted)
    moved = with_(wanted, groups=[OTHER], unit_code=OTHER.external_id)
    receipt = await trial.bring(await trial.connector(), moved, receipt.remote_id)
    await trial.is_held(moved, receipt.remote_id)


async def leaves_and_returns(trial: Trial) -> None:
    """Who has no role is switched off and in no group; who comes back is the same person, in force again."""
    wanted = trial.person()
    receipt = await trial.bring(await trial.connector(), wanted)
    for state in (left(wanted), left(wanted), wanted):
        receipt = await trial.bring(await trial.connector(), state, receipt.remote_id)
        await trial.is_held(state, receipt.remote_id)


async def nobody_leaves(trial: Trial) -> None:
    """Somebody whom the system never knew and who has no role is no trouble, and is not made."""
    gone = left(trial.person())
    await trial.bring(await trial.connector(), gone)
    await trial.is_unknown(gone)


async def spells(trial: Trial) -> None:
    """A name arrives in every letter, whatever the letters mean to the system."""
    wanted = trial.person(full_name=ODD_NAME, title="=HYPERLINK(1)|Chuyên viên;\"chính\", 'ạ'")
    receipt = await trial.bring(await trial.connector(), wanted)
    await trial.is_held(wanted, receipt.remote_id)
    if trial.bench.can_be_read and (await trial.bring(await trial.connector(), wanted)).changed:
        raise ContractBroken("the name is written again at every delivery")


async def many_at_once(trial: Trial) -> None:
    """Several people at once in one group are all in it, though their deliveries cross."""
    connector = await trial.connector()
    people = [trial.person() for _ in range(SEVERAL)]
    room = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> Receipt:
        async with room:
            return await _patiently(lambda: trial.bring(connector, people[number]))

    receipts = await asyncio.gather(*(one(number) for number in range(SEVERAL)))
    for wanted, receipt in zip(people, receipts, strict=True):
        await trial.is_held(wanted, receipt.remote_id)


async def two_at_once(trial: Trial) -> None:
    """Two who bring the same new person at once make one, as when a frozen worker thaws."""
    wanted = trial.person()
    connectors = [await trial.connector(), await trial.connector()]

    async def one(connector: Connector) -> None:
        await _patiently(lambda: trial.bring(connector, wanted))

    await asyncio.gather(*map(one, connectors))
    receipt = await trial.bring(await trial.connector(), wanted)
    await trial.is_held(wanted, receipt.remote_id)
    await trial.bring(await trial.connector(), left(wanted), receipt.remote_id)
    await trial.is_held(left(wanted), receipt.remote_id)
    await trial.is_held(left(wanted), None)


async def lost_turn(trial: Trial) -> None:
    """Whoever has lost the turn raises LostTurn before anything is written."""
    wanted = trial.person()
    await _loses(trial, wanted, after=0)
    await trial.is_unknown(wanted)


async def lost_on_the_way(trial: Trial) -> None:
    """A turn that is lost between two writes stops there, and whoever has it now brings the rest."""
    for writes in (1, 2, 3):
        wanted = trial.person(groups=[HOME, OTHER, RIGHT])
        await _loses(trial, wanted, after=writes)
        receipt = await trial.bring(await trial.connector(), wanted)
        await trial.is_held(wanted, receipt.remote_id)


async def _loses(trial: Trial, wanted: Desired, *, after: int) -> None:
    """Deliver with a turn that is lost after some writes; who needs no more of them may end well."""
    asked = 0

    async def still_mine() -> bool:
        nonlocal asked
        asked += 1
        return asked <= after

    try:
        await trial.bring(await trial.connector(), wanted, still_mine=still_mine)
    except LostTurn:
        return
    if asked == 0:
        raise ContractBroken("`errand.still_mine` is not asked before a write")
    if asked > after:
        raise ContractBroken("a no of `errand.still_mine` is not raised as LostTurn")


async def _patiently(what: Callable[[], Awaitable[Receipt]]) -> Receipt:
    """As the outbox would: what is no refusal is tried again."""
    for _ in range(TRIES):
        try:
            return await what()
        except DeliveryError as error:
            if error.permanent:
                raise
    return await what()


CHECKS: tuple[Check, ...] = (
    arrives,
    twice_is_once,
    changes,
    moves,
    leaves_and_returns,
    nobody_leaves,
    spells,
    many_at_once,
    two_at_once,
    lost_turn,
    lost_on_the_way,
)
