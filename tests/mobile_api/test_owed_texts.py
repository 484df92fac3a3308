"""A text message that is owed is taken on by one process, and handed over at most once, whoever dies (rule 720)."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from backend.accounts.codes.messages import Texts, Words
from backend.kit import Kit
from backend.outside.messages.sms import Sms
from backend.owed.line import Line
from backend.roles import review, texting
from tests.mobile_api.test_decision_texts import PAST_PAUSE, PAST_UNDO, Applicant
from tests.service import Service


@pytest.mark.parametrize("begun", [False, True], ids=["before", "while it was handed over"])
async def test_a_process_that_died_on_the_way_costs_a_minute_and_no_second_message(
    service: Service, monkeypatch: pytest.MonkeyPatch, begun: bool
) -> None:
    """What it had taken on is due again; what may have left is not, because nobody can say."""
    asks = await Applicant.new(service)
    monkeypatch.setattr(service.app.texts, "begin", _nothing)  # the service's own look would be first
    await asks.decided(review.approve, version=1)
    service.pass_time(seconds=PAST_UNDO)
    dying = line(service, Dying(), words=None if begun else _die)
    await dying.round()
    assert asks.texts() == [] and await asks.due()
    monkeypatch.undo()
    await asks.later(PAST_PAUSE)
    assert len(asks.texts()) == (0 if begun else 1) and not await asks.due()


async def _nothing() -> None:
    """For a while nobody looks."""


async def _die(*_: object) -> None:
    raise asyncio.CancelledError


def line(service: Service, sms: Sms, kit: Kit | None = None, words: Words | None = None) -> Line:
    """Another process with a centre of its own."""
    kinds = {texting.DECISION: words or texting.words}
    return Line(
        service.db, service.clock, service.app.bell, Texts(service.db, kit or service.kit, sms, kinds)
    )


async def test_processes_beside_each_other_send_one_message(service: Service) -> None:
    asks, counted = await Applicant.new(service), Counting()
    await asks.decided(review.approve, version=1)
    beside = [line(service, counted) for _ in range(4)]
    service.pass_time(seconds=PAST_UNDO)
    await asyncio.gather(*(one.round() for one in beside))
    await asks.later(PAST_PAUSE)
    assert len(counted.names) + len(asks.texts()) == 1


class Counting:
    """A centre that takes everything and remembers under which name."""

    def __init__(self) -> None:
        self.names: list[str] = []

    async def send(self, to: str, text: str, *, message_id: str) -> None:
        """Take it, after a moment."""
        await asyncio.sleep(0.05)
        assert to and text
        self.names.append(message_id)


class Dying:
    """The process ends while the message is handed over."""

    async def send(self, to: str, text: str, *, message_id: str) -> None:
        """Never comes back."""
        raise asyncio.CancelledError(to, text, message_id)


async def test_to13_however_patient_one_process_is_no_other_sends_the_same_meanwhile(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks = await Applicant.new(service)
    monkeypatch.setattr(service.app.texts, "begin", _nothing)  # the service's own look would be first
    await asks.decided(review.approve, version=1)
    patient = service.kit._replace(limits=msgspec.structs.replace(service.kit.limits, sms_timeout=300.0))
    service.pass_time(seconds=PAST_UNDO)
    first = line(service, Slow(asks, monkeypatch), patient)
    await first.round()
    assert asks.texts() == [] and not await asks.due(), "the second one has found nothing to do"


class Slow:
    """Takes a message, and says so after nearly all of the time that it has; others look for work meanwhile."""

    def __init__(self, asks: Applicant, held: pytest.MonkeyPatch) -> None:
        self._asks, self._held = asks, held

    async def send(self, to: str, text: str, *, message_id: str) -> None:  # noqa: ARG002
        """In five minutes."""
        self._held.undo()
        await self._asks.later(290)
