"""What operators did about the mailboxes of organisations."""

from __future__ import annotations

from uuid import UUID

from backend.facts.fact import Fact


class MailboxAdded(Fact, tag="mailbox.added", frozen=True, kw_only=True):
    """A unit has an official mailbox, and somebody keeps it."""

    mailbox: UUID
    unit: UUID


class MailboxKeeperNamed(Fact, tag="mailbox.keeper_named", frozen=True, kw_only=True):
    """Somebody else keeps a unit's mailbox."""

    mailbox: UUID


class MailboxRemoved(Fact, tag="mailbox.removed", frozen=True, kw_only=True):
    """A unit's mailbox is nobody's to reset any more."""

    mailbox: UUID
