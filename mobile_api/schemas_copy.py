"""What the copy of everything holds (rule 145): the words of the document for `GET /v1/me/export`.

The copy is put together by those who keep the data; what is described here is compared with a real one by
tests/mobile_api/test_openapi.py.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from backend.accounts.self.consents import Standing
from backend.accounts.self.identity_page import Shown
from backend.accounts.self.methods import Method
from backend.roles.staff_rows import StaffPerson
from backend.roles.views import OwnRequest, RoleView
from mobile_api.schemas import DeviceOut
from mobile_api.schemas_self import AccessOut
from mobile_api.schemas_support import MessageOut


class IdentifierCopy(msgspec.Struct):
    """One number of the person, in full; `until` when it was replaced."""

    type: str
    value: str
    since: datetime
    until: datetime | None


class PhoneCopy(msgspec.Struct):
    """One phone for codes, in full; `until` when it was replaced."""

    value: str
    since: datetime
    until: datetime | None


class AccountCopy(msgspec.Struct):
    """The account itself; who vouched for it, and when."""

    id: UUID
    kind: str
    full_name: str
    identifiers: list[IdentifierCopy]
    phones: list[PhoneCopy]
    assurance_level: int
    assurance_scheme: str
    created_at: datetime
    vouched_by: str
    vouched_at: datetime | None
    vneid_at: datetime | None
    certificate_at: datetime | None
    phone_changed_at: datetime | None
    recovered_at: datetime | None


class SessionCopy(msgspec.Struct):
    """One session, live or ended."""

    id: UUID
    kind: str
    method: str
    device: DeviceOut
    created_at: datetime
    last_seen_at: datetime
    ended_at: datetime | None
    end_reason: str | None


class ProofOut(msgspec.Struct):
    """A consent that was given, and when it was taken back."""

    given_at: datetime
    withdrawn_at: datetime | None


class ConsentCopy(Standing, kw_only=True, frozen=True):
    """One purpose with every consent that was ever given for it."""

    proofs: list[ProofOut]


class CaseCopy(msgspec.Struct):
    """One request for help with everything written in it."""

    code: str
    subject: str
    status: str
    origin: str
    opened_at: datetime
    closed_at: datetime | None
    messages: list[MessageOut]


class JoinProposalCopy(msgspec.Struct):
    """A desk's proposal that this account and another one are one person's, while it waits, and on what grounds."""

    proposed_at: datetime
    expires_at: datetime
    grounds: str


class NoticeCopy(msgspec.Struct):
    """One notice; `details` fill the places of its sentences."""

    id: UUID
    kind: str
    at: datetime
    read_at: datetime | None
    denied: bool
    details: dict[str, str]


class RoleCopy(RoleView, frozen=True, kw_only=True):
    """One role with what was filled in for it."""

    fields: dict[str, str]


class FactOut(msgspec.Struct):
    """A heading of the journal that is about the person."""

    at: datetime
    fact: str


class FurtherCopy(msgspec.Struct):
    """What else is kept sealed: where it stands, and what it says there, by column."""

    what: str
    id: UUID
    texts: dict[str, str]


class ExportOut(msgspec.Struct):
    """Everything that is held about the person, unmasked, from one moment."""

    account: AccountCopy
    identity: list[Shown]
    auth_methods: list[Method]
    sessions: list[SessionCopy]
    access_history: list[AccessOut]
    consents: list[ConsentCopy]
    support_cases: list[CaseCopy]
    join_proposals: list[JoinProposalCopy]
    notices: list[NoticeCopy]
    further: list[FurtherCopy]
    roles: list[RoleCopy]
    role_requests: list[OwnRequest]
    staff_directory: list[StaffPerson]
    journal: list[FactOut]
