"""What goes wrong: said in one word of the system, so that nobody is given up for it."""

from __future__ import annotations

from backend.outside.addresses import HttpTrouble
from backend.outside.connectors import DeliveryError
from backend.outside.connectors.conformance.bench import CODE, ContractBroken, NotProved, Trial
from backend.outside.connectors.conformance.people import Check


async def away_is_of_the_system(trial: Trial) -> None:
    """A system out of reach is the system's trouble: said so, to be tried again, of nobody in particular."""
    if trial.bench.lost is None:
        raise NotProved("no system out of reach was given")
    connector = await trial.bench.lost()
    try:
        await trial.bring(connector, trial.person())
    except DeliveryError as error:
        if error.permanent or not error.of_system:
            raise ContractBroken(f"{error.code}: wants `permanent=False, of_system=True`") from error
    else:
        raise ContractBroken("a delivery to a system out of reach was acknowledged")
    finally:
        trial.forget()
        await connector.close()


async def away_is_not_nobody(trial: Trial) -> None:
    """Of a system out of reach nobody says that it holds nobody."""
    if trial.bench.lost is None or not trial.bench.can_be_read:
        raise NotProved("no system out of reach was given, or this kind cannot be asked")
    connector = await trial.bench.lost()
    try:
        for ask in (lambda: connector.read(trial.person().external_id, None), connector.rights):
            try:
                await ask()
            except DeliveryError as error:
                if not error.of_system or not CODE.fullmatch(error.code):
                    raise ContractBroken(f"{error.code}: wants one word, and `of_system=True`") from error
            else:
                raise ContractBroken("a system out of reach was read")
    finally:
        await connector.close()


async def bad_address_is_said(trial: Trial) -> None:
    """An address that is none is refused when it is saved, as an HttpTrouble or a ValueError with a sentence."""
    if trial.bench.refused is None:
        raise NotProved("no address that is none was given")
    try:
        await trial.bench.refused()
    except (HttpTrouble, ValueError):
        return
    raise ContractBroken("`check` takes an address that is none")


async def closes(trial: Trial) -> None:
    """A connector is closed after use, unused, and twice."""
    await (await trial.connector()).close()
    used = await trial.connector()
    await trial.bring(used, trial.person())
    await used.close()
    await used.close()


CHECKS: tuple[Check, ...] = (away_is_of_the_system, away_is_not_nobody, bad_address_is_said, closes)
