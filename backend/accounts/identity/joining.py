"""Who may become whom: one pure rule for every way in, and its table is docs/joining.md (case TL10; rule 102).

It reads no database and opens nothing. `finding` says which account the evidence leads to, this says what
follows, and the way in does it.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from backend.accounts.identity.evidence import CERTIFICATE, POST_OFFICE, SURE, VNEID, vouches


class Verdict(Enum):
    """What a way in may do now."""

    JOIN = "join"  # the person's own account: in, or added to it
    NEW = "new"  # nobody's yet: an account may be opened
    ASK = "ask"  # sign in with what the account has, then add this (409 link_required)
    REFUSE = "refuse"  # nothing follows from it


class Standing(Enum):
    """How the very identity or certificate stands in the account."""

    UNKNOWN = "unknown"
    OPEN = "open"
    SHUT = "shut"  # kept when the owner came, not confirmed yet
    REMOVED = "removed"  # its owner took it away


class Found(NamedTuple):
    """The account that the evidence leads to, as far as the rule asks; what nobody states is None."""

    vouched_by: str
    level: int
    is_owned: bool  # VNeID of level 2 or a certificate has come to it before
    standing: Standing
    by_sure_number: bool  # named by a number that only one person ever gets, not by nine digits alone
    same_name: bool
    same_birth_date: bool | None
    has_certificate: bool = False


class Answer(NamedTuple):
    """The verdict, and whether everything that the evidence does not vouch for ends with it."""

    verdict: Verdict
    ends: bool = False


def decide(by: str, level: int, found: Found | None, *, signed_in: bool = False, sure: bool = True) -> Answer:
    """What follows from a provider's word of this level.

    `signed_in`: the account itself asks, and only the number has to be its own. `sure`: the evidence has a
    number of the person's own beside the old nine digits, so that an account can be opened under it.
    """
    if found is None:
        return Answer(Verdict.NEW)
    comes_first = vouches(by, level) and not found.is_owned
    joined = Answer(Verdict.JOIN, comes_first)
    if found.standing is Standing.OPEN:
        return Answer(Verdict.JOIN, comes_first and not _grew(by, found))
    if not signed_in and found.standing is not Standing.UNKNOWN:
        return Answer(Verdict.REFUSE)
    if not found.by_sure_number and (other := _of_nine_digits(found, signed_in=signed_in, sure=sure)):
        return other
    if signed_in:
        return joined
    if by == CERTIFICATE:
        return joined if _signs(found) else Answer(Verdict.ASK)
    if by == VNEID:
        strong = level >= SURE and level >= found.level
        return joined if strong else Answer(Verdict.ASK)
    return Answer(Verdict.ASK if by == POST_OFFICE else Verdict.REFUSE)


def _grew(by: str, found: Found) -> bool:
    """The person's own VNeID account, which opened this one at level 1, has reached level 2."""
    return by == VNEID and found.vouched_by == VNEID and found.level < SURE


def _of_nine_digits(found: Found, *, signed_in: bool, sure: bool) -> Answer | None:
    """Each province gave the old nine digits out, and the same ones to two people now and then.

    Alone they name nobody: name and birth date have to agree, and what is not stated does not. Nothing where they do.
    """
    if not found.same_name or found.same_birth_date is False:
        return Answer(Verdict.NEW if sure and not signed_in else Verdict.REFUSE)
    if found.same_birth_date is None and not signed_in:
        return Answer(Verdict.ASK)
    return None


def _signs(found: Found) -> bool:
    """An unknown certificate: renewed for a holder who has one here, or the first to come to an account of its name."""
    if not found.by_sure_number:
        return False
    return found.has_certificate or (not found.is_owned and found.same_name)
