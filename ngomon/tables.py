"""Every table: importing this fills the metadata that migrations, rotation, sweeping and documents derive from."""

from __future__ import annotations

import backend.account
import backend.accounts.begun
import backend.accounts.identity.called
import backend.accounts.models
import backend.appointment
import backend.devices.models
import backend.figures
import backend.flows
import backend.journal
import backend.outbox.models
import backend.owed.models
import backend.roles.audit_places
import backend.roles.confirming.lived
import backend.roles.confirming.models
import backend.roles.hearing
import backend.roles.mailboxes
import backend.roles.models
import backend.roles.opened
import backend.roles.reorganising.models
import backend.roles.unit_changes
import backend.roles.uploads
import backend.support.models
import backend.tallies
import backend.throttle  # noqa: F401
