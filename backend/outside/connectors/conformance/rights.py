"""What a comparison needs: who is in a group, whoever put them there, and that they can be taken out."""

from __future__ import annotations

from backend.outside.connectors import Connector, Desired, Right
from backend.outside.connectors.conformance.bench import (
    HOME,
    OTHER,
    ContractBroken,
    NotProved,
    Trial,
    left,
    with_,
)
from backend.outside.connectors.conformance.people import Check
from backend.outside.connectors.learnt import LEARNT_WORDS, read_learnt, written

NOBODY = "00000000-0000-4000-8000-000000000000"


async def rights_are_listed(trial: Trial) -> None:
    """Whoever is in a group of ours is listed with the group, and known by the account."""
    if not trial.bench.can_be_read:
        raise NotProved("this kind cannot be asked")
    wanted, other = trial.person(), trial.person(groups=[OTHER])
    await trial.bring(await trial.connector(), wanted)
    await trial.bring(await trial.connector(), other)
    fresh = await trial.connector()
    found = await _rights_of(fresh, wanted.external_id)
    if HOME.external_id not in {right.group for right in found}:
        raise ContractBroken(
            "somebody who is in a unit's group is not among `rights`, or `whose` does not know them"
        )
    if any(right.group == HOME.external_id for right in await _rights_of(fresh, other.external_id)):
        raise ContractBroken("`rights` lists somebody in a group where they are not")


async def rights_are_taken(trial: Trial) -> None:
    """A right is taken away and is gone at the next reading; the next delivery gives it again."""
    if not trial.bench.can_be_read:
        raise NotProved("this kind cannot be asked")
    wanted = trial.person(groups=[HOME, OTHER])
    receipt = await trial.bring(await trial.connector(), wanted)
    fresh = await trial.connector()
    for right in await _rights_of(fresh, wanted.external_id):
        if right.group == HOME.external_id and not await fresh.take_right(right):
            raise ContractBroken("`take_right` says that the right is still there")
    if HOME.external_id in {right.group for right in await _rights_of(fresh, wanted.external_id)}:
        raise ContractBroken("a right that was taken away is there at the next reading")
    await trial.is_held(with_(wanted, groups=[OTHER]), receipt.remote_id)
    await trial.bring(await trial.connector(), wanted, receipt.remote_id)
    await trial.is_held(wanted, receipt.remote_id)


async def leavers_have_no_rights(trial: Trial) -> None:
    """Who has left is in no group at all, also by the list of all rights."""
    if not trial.bench.can_be_read:
        raise NotProved("this kind cannot be asked")
    wanted = trial.person()
    receipt = await trial.bring(await trial.connector(), wanted)
    await trial.bring(await trial.connector(), left(wanted), receipt.remote_id)
    if await _rights_of(await trial.connector(), wanted.external_id):
        raise ContractBroken("somebody who has left is still among `rights`")


async def nobody_is_nobody(trial: Trial) -> None:
    """Nobody is read where nobody is."""
    if not trial.bench.can_be_read:
        raise NotProved("this kind cannot be asked")
    if await (await trial.connector()).read(NOBODY, None) is not None:
        raise ContractBroken("`read` finds somebody whom nobody has brought")


async def learnt_is_kept(trial: Trial) -> None:
    """What is learnt of a system can be written down and read again, and `holds` names fields that there are."""
    connector = await trial.connector()
    await trial.bring(connector, trial.person())
    again = read_learnt(written(connector.learnt))
    if again != connector.learnt or not all(word in LEARNT_WORDS or ":" in word for word in again.words):
        raise ContractBroken("`learnt` is not the same after it was written and read")
    fields = set(trial.person().__struct_fields__) - {"address_proved"}
    if unknown := sorted(set(connector.holds) - fields):
        raise ContractBroken(f"`holds` names what no state has: {', '.join(unknown)}")
    if trial.bench.can_be_read and "active" not in connector.holds and "groups" not in connector.holds:
        raise ContractBroken(
            "`holds` names neither `active` nor `groups`: who may come in would never be compared"
        )


async def everything_is_compared(trial: Trial) -> None:
    """What is compared is what was wanted, but for what the system is known not to keep."""
    if not trial.bench.can_be_read:
        raise NotProved("this kind cannot be asked")
    connector, wanted = await trial.connector(), trial.person()
    await trial.bring(connector, wanted)
    blank = Desired(external_id=wanted.external_id, user_name="", full_name="", active=False)
    kept = connector.kept(wanted, blank)
    for field in set(connector.holds) - set(connector.learnt.loses) - {"groups"}:
        if getattr(kept, field) != getattr(wanted, field):
            raise ContractBroken(f"`kept` gives up {field}, which `learnt` does not say")
    if HOME not in kept.groups and not connector.learnt.no_groups:
        raise ContractBroken("`kept` gives up units' groups, which `learnt.no_groups` does not say")


async def _rights_of(connector: Connector, external_id: str) -> list[Right]:
    if connector.learnt.no_groups:
        raise NotProved("this system has no groups")
    ours = (await connector.rights()).ours
    whose = await connector.whose({right.member_id for right in ours})
    return [right for right in ours if whose.get(right.member_id) == external_id]


CHECKS: tuple[Check, ...] = (
    rights_are_listed,
    rights_are_taken,
    leavers_have_no_rights,
    nobody_is_nobody,
    learnt_is_kept,
    everything_is_compared,
)
