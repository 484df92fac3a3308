"""What becomes of a code that a page showed and a phone scanned."""

from __future__ import annotations

from uuid import UUID

from backend.facts.fact import Fact


class WorkspaceCodeApproved(Fact, tag="login.qr_approved", frozen=True, kw_only=True):
    """The person let a browser into the workspace from the phone of `by_session`, by the number that it showed."""

    login: UUID
    by_session: UUID


class WorkspaceCodeEnded(Fact, tag="login.qr_ended", frozen=True, kw_only=True):
    """The person picked another number on the phone than the page showed: nobody gets in by that code any more."""

    login: UUID
    reason: str
