"""Whether a connector keeps the contract of `Connector`, tried on a real system (rule 715).

For whoever writes one (docs/connectors.md) and whoever runs a system (`ngomon connectors prove`). Everybody in it is
invented, and is switched off when a check is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Literal

import msgspec

from backend.outside.connectors import DeliveryError
from backend.outside.connectors.conformance.bench import Bench, ContractBroken, NotProved, Trial
from backend.outside.connectors.conformance.people import CHECKS as OF_PEOPLE
from backend.outside.connectors.conformance.people import Check
from backend.outside.connectors.conformance.rights import CHECKS as OF_RIGHTS
from backend.outside.connectors.conformance.trouble import CHECKS as OF_TROUBLE

CHECKS: tuple[Check, ...] = (*OF_PEOPLE, *OF_RIGHTS, *OF_TROUBLE)
PATIENCE = 120.0  # seconds for one check: a system may be slow, and must not hang


class Outcome(msgspec.Struct, frozen=True):
    """What came of one check: it held, it broke, or nobody could see whether it holds."""

    check: str
    said: str
    state: Literal["held", "broken", "not_proved"]
    why: str = ""


async def prove(check: Check, bench: Bench, *, patience: float = PATIENCE) -> Outcome:
    """One check on one system; whatever happens in it is its outcome."""
    name, said = check.__name__, (check.__doc__ or "").strip().splitlines()[0]
    trial = Trial(bench)
    try:
        async with asyncio.timeout(patience):
            await check(trial)
            await trial.tidy()
    except NotProved as error:
        return Outcome(name, said, "not_proved", str(error))
    except ContractBroken as error:
        return Outcome(name, said, "broken", str(error))
    except DeliveryError as error:
        return Outcome(name, said, "broken", f"the connector says {error.code}")
    except TimeoutError:
        return Outcome(name, said, "broken", f"not over within {patience:g} seconds")
    except Exception as error:  # noqa: BLE001 (a stranger's code: whatever it raises is what is wrong with it)
        return Outcome(name, said, "broken", f"{type(error).__name__}: {error}")
    finally:
        await trial.close()
    return Outcome(name, said, "held")


async def prove_all(bench: Bench, *, patience: float = PATIENCE) -> AsyncIterator[Outcome]:
    """Every check, one after the other."""
    for check in CHECKS:
        yield await prove(check, bench, patience=patience)
