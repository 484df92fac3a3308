"""Downstream systems, and what is on its way to them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from backend.facts.fact import Fact


class SystemConnected(Fact, tag="system.connected", frozen=True, kw_only=True):
    """A downstream system is to be kept in step."""

    system: UUID


class SystemSecretRotated(Fact, tag="system.secret_rotated", frozen=True, kw_only=True):
    """What a downstream system is told is signed with a new secret from now on, beside the old one for a while."""

    system: UUID


class SystemDisabled(Fact, tag="system.disabled", frozen=True, kw_only=True):
    """A downstream system gets nothing more."""

    system: UUID


class SystemPaused(Fact, tag="system.paused", frozen=True, kw_only=True):
    """An operator stops a downstream system, until a moment or until it is resumed."""

    system: UUID
    until: datetime | None = None


class SystemResumed(Fact, tag="system.resumed", frozen=True, kw_only=True):
    """A downstream system goes on."""

    system: UUID


class ComparisonAsked(Fact, tag="system.comparison_asked", frozen=True, kw_only=True):
    """An operator wants a downstream system compared now, and not in its night."""

    system: UUID


class SystemReconciled(Fact, tag="system.reconciled", frozen=True, kw_only=True):
    """What a downstream system holds was compared: of so many people, so many differed and are healed.

    `unread` people or groups could not be read.
    """

    system: UUID
    compared: int
    drift: int
    unread: int = 0


class SystemRemoved(Fact, tag="system.removed", frozen=True, kw_only=True):
    """A downstream system is forgotten; `left` people were not taken out of it."""

    system: UUID
    left: int


class Delivered(Fact, tag="sync.delivered", frozen=True, kw_only=True):
    """A downstream system confirmed a version."""

    system: UUID
    version: int


class DeliveryParked(Fact, tag="sync.parked", frozen=True, kw_only=True):
    """A delivery needs a person: a permanent error, or too many tries."""

    system: UUID
    error: str


class DeliveryReplayed(Fact, tag="sync.replayed", frozen=True, kw_only=True):
    """Somebody asked to send again."""

    system: UUID


class DeliverySkipped(Fact, tag="sync.skipped", frozen=True, kw_only=True):
    """Somebody passed a delivery over for good."""

    system: UUID
    delivery: UUID


class DataRestored(Fact, tag="data.restored", frozen=True, kw_only=True):
    """A backup of that moment was restored: every session ended, every system is compared or told anew."""

    made_at: datetime
