"""What an operator or a desk did because the hotline was asked to."""

from __future__ import annotations

from uuid import UUID

from backend.facts.fact import Fact


class FreezeOrdered(Fact, tag="account.freeze_ordered", frozen=True, kw_only=True):
    """An operator let nobody in any more, as the hotline was asked to; why stands sealed in the notice of it."""

    notice: UUID


class NameProposed(Fact, tag="account.name_proposed", frozen=True, kw_only=True):
    """A clerk of a desk read another name on a paper."""

    proposal: UUID


class NameCorrected(Fact, tag="account.name_corrected", frozen=True, kw_only=True):
    """A second clerk read the same paper, and the account has the name that stands there."""

    proposal: UUID


class NameKept(Fact, tag="account.name_kept", frozen=True, kw_only=True):
    """Nothing came of it: `refused`, `withdrawn`, `denied` by the person, `expired`, `changed`, `proposer_left`."""

    proposal: UUID
    reason: str


class CodeSentAgain(Fact, tag="support.code_sent_again", frozen=True, kw_only=True):
    """A clerk had the code that somebody waits for sent once more, to the same number and on the same budget."""

    flow: UUID


class NoticesPushedAgain(Fact, tag="support.notices_pushed_again", frozen=True, kw_only=True):
    """A clerk had what somebody has not read yet pushed once more."""

    count: int


class CaseMailSentAgain(Fact, tag="support.mail_sent_again", frozen=True, kw_only=True):
    """A clerk had the last mail of a case sent once more, to the same address."""

    case: UUID
