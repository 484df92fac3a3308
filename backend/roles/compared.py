"""What stands side by side on a decider's page (rule 650)."""

from __future__ import annotations

import msgspec

from backend.words import Label


class Holder(msgspec.Struct, frozen=True):
    """Somebody who holds a post."""

    name: str
    digits: str


class Compared(msgspec.Struct, frozen=True):
    """One thing as the staff directory, the account and the wish say it; nothing where one of them says nothing."""

    label: str
    directory: str | None
    account: str | None
    wish: str | None
    differs: bool


class Post(msgspec.Struct, frozen=True):
    """A post in words, and in which state somebody holds it."""

    position: Label
    unit: str
    state: str


class Comparison(msgspec.Struct, frozen=True):
    """What stands beside what before a word is said, and what makes it worth a second look (`risks`: codes)."""

    has_directory: bool  # somebody has brought one in for the agency; if not, its silence says nothing
    is_listed: bool
    is_vouched: bool
    lines: list[Compared]
    held: list[Post]  # what the person holds
    holders: list[Holder]  # who holds the leading post that is asked for
    risks: list[str]
