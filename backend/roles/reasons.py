"""The reasons that a unit usually gives, from its own words of late (rules 632 and 820; ecosystem: one press away)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.kit import Kit
from backend.roles import forms
from backend.roles.models import RequestStep, Unit
from backend.statements import Question, given
from backend.words import ENGLISH, say
from backend.words import mark as _

# Kept as the Vietnamese sentence whatever the manager's page speaks; each reader gets it in their own language.
FIRST = (
    _("Thiếu số quyết định"),
    _("Chức vụ chưa đúng với quyết định"),
    _("Người này không thuộc đơn vị"),
    _("Thông tin liên hệ công vụ chưa đúng"),
)
LATELY, UNITS_MOST, MOST, LONGEST = 40, 10, 5, 90


class Said(NamedTuple):
    """A reason that was given."""

    id: UUID
    reason: bytes


SAID = Question(  # by a unit, of late
    Said,
    select(RequestStep.id, RequestStep.reason)
    .where(
        RequestStep.unit_id == given("unit", Unit.id),
        RequestStep.at.is_not(None),
        RequestStep.reason.is_not(None),
    )
    .order_by(RequestStep.at.desc())
    .limit(LATELY),
)


def for_a_no(typed: str) -> str:
    """What is kept: one of ours under its Vietnamese sentence, else what was typed; FieldsInvalid without either."""
    text = forms.reason(typed)
    return _by_english().get(text, text)


def spoken(text: str, lang: str) -> str:
    """A kept reason for whoever reads it: one of ours in `lang`, what somebody typed as it is."""
    return say(text, lang) if text in FIRST else text


@cache
def _by_english() -> dict[str, str]:
    return {say(text, ENGLISH): text for text in FIRST}


async def usual(tx: AsyncSession, kit: Kit, units: Sequence[UUID]) -> list[str]:
    """What these units have said more than once, most often first, then what everybody says."""
    said = [row for unit in list(units)[:UNITS_MOST] for row in await SAID.all(tx, unit=unit)]
    words = [kit.keys.open("request_steps.reason", row.id, row.reason) for row in said]
    again = [text for text, times in Counter(words).most_common() if times > 1 and len(text) <= LONGEST]
    return list(dict.fromkeys([*again, *FIRST]))[:MOST]
