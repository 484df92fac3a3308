"""What each word of a failed delivery means: docs/problems.md has it from here (cases O14, O24)."""

from __future__ import annotations

from typing import NamedTuple


class Cause(NamedTuple):
    """Words of one kind: whom they concern, when they are said, what somebody is to do. `…` stands for any ending."""

    words: tuple[str, ...]
    concerns: str
    when: str
    remedy: str


CAUSES = (
    Cause(
        ("unreachable",),
        "the system",
        "no whole answer in time",
        "wait; it is tried with growing pauses",
    ),
    Cause(
        (
            "status_429",
            "status_502",
            "status_503",
            "status_504",
        ),
        "the system",
        "busy for longer than a call waits (a few seconds)",
        "wait",
    ),
    Cause(
        ("status_5…",),
        "the person",
        "it failed over this record",
        "replay after it was mended there; parked after `NGOMON_LIMIT_DELIVERY_ATTEMPTS`",
    ),
    Cause(
        ("credentials_refused",),
        "the system",
        "401 or 403; LDAP: the bind or its rights",
        "a new token: disable, add again",
    ),
    Cause(
        (
            "redirected",
            "address_refused",
            "endpoint_missing",
        ),
        "the system",
        "the address is another one, is not allowed, or has no SCIM under it",
        "add it with the right address",
    ),
    Cause(
        ("gone",),
        "the system",
        "webhook: it answered 410 and is disabled",
        "add it again when it wants messages again; what waited goes out then",
    ),
    Cause(
        ("refused",),
        "the system",
        "webhook: an answer that is neither a yes, nor about this message (400, 413, 422)",
        "whoever runs it, or the right address",
    ),
    Cause(
        ("connector_missing",),
        "the system",
        "a library is not installed, or the token cannot be opened",
        "see [operations.md](operations.md)",
    ),
    Cause(
        ("unreadable_reply",),
        "the system",
        "not JSON, or no list where one was asked for (a proxy's page, a sign-in page), or a list of less than it says",
        "whoever runs it",
    ),
    Cause(
        ("unreadable_user",),
        "the person",
        "a user without identifier, with one that is too long to be kept, or another one than was asked for",
        "whoever runs it",
    ),
    Cause(
        ("reply_too_large",),
        "the person, or the system for lists",
        "more than `NGOMON_LIMIT_REPLY_BYTES`, of groups `NGOMON_LIMIT_LIST_BYTES`",
        "whoever runs it, or raise the limit",
    ),
    Cause(
        (
            "patch_unsupported",
            "write_unsupported",
        ),
        "the system",
        "takes neither PATCH nor PUT, or lets nobody make users",
        "whoever runs it",
    ),
    Cause(
        (
            "active_not_kept",
            "membership_not_kept",
            "group_not_kept",
        ),
        "the system",
        "said yes, and reading back shows that nothing was done",
        "whoever runs it: rights cannot be taken there",
    ),
    Cause(
        ("changed_meanwhile",),
        "the person",
        "somebody else kept writing at the same time",
        "wait",
    ),
    Cause(
        ("belongs_to_somebody",),
        "the person",
        "a user is there under the official address, and the staff directory does not give that "
        "address to this number",
        "is it the same person: import the staff file with the address, the delivery then leaves "
        "by itself; is it not: correct the address in the role",
    ),
    Cause(
        ("user_name_taken",),
        "the person",
        "another person's user has the name or address",
        "give that user another name there, then replay",
    ),
    Cause(
        ("group_name_taken",),
        "the person",
        "a group that is not ours has the unit's name, with and without its code",
        "rename it there, then replay",
    ),
    Cause(
        ("twins",),
        "the person",
        "two users or entries of one person",
        "join them there, then replay",
    ),
    Cause(
        (
            "rejected",
            "rejected_…",
        ),
        "the person",
        "the system refuses the values; the rest of the word is its SCIM `scimType` or its LDAP result code",
        "correct what it refuses, then replay; groups that were to be left are left already",
    ),
    Cause(
        ("no_such_place",),
        "the system",
        "LDAP: the base, or a place below it that cannot be made",
        "create it",
    ),
    Cause(
        (
            "referral",
            "size_limit",
        ),
        "the person",
        "LDAP: the entry is elsewhere, or the limit is too low",
        "whoever runs it",
    ),
    Cause(
        ("ldap_…",),
        "the person; 51 and 52 the system",
        "LDAP result code",
        "wait",
    ),
    Cause(
        ("internal_error",),
        "the person",
        "a mistake of ours; the log has it",
        "tell us",
    ),
)


def cause_of(word: str) -> Cause | None:
    """What is said of a word: by its own name before one of its beginning."""
    for exact in (True, False):
        for cause in CAUSES:
            for name in cause.words:
                if name == word if exact else name.endswith("…") and word.startswith(name[:-1]):
                    return cause
    return None
