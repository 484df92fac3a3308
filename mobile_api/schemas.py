"""What crosses the wire when people sign in and look after their devices."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

Token = Annotated[str, Meta(min_length=20, max_length=200)]
Word = Annotated[str, Meta(min_length=1, max_length=80)]


class DeviceIn(msgspec.Struct, forbid_unknown_fields=True):
    """The phone, as the app describes it."""

    platform: Annotated[str, Meta(min_length=1, max_length=20)]
    name: Word
    model: Word
    push_token: Annotated[str, Meta(min_length=1, max_length=4096)] | None = None


class LoginIn(msgspec.Struct, forbid_unknown_fields=True):
    """Begin a sign-in; number, password and captcha belong to the method `password`.

    `step_up` strengthens the session that makes the call; then no device is named. `max_age` 0 has the person show up
    at VNeID anew, which lifts the freeze of the own account (`account_frozen`).
    """

    method: Literal["vneid", "post_office", "password", "certificate"]
    device: DeviceIn | None = None
    national_id: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    password: Annotated[str, Meta(min_length=1, max_length=1024)] | None = None
    captcha: Annotated[str, Meta(max_length=4000)] | None = None
    certificate: Annotated[str, Meta(min_length=1, max_length=20_000)] | None = None
    step_up: bool = False
    max_age: Literal[0] | None = None


class LoginOut(msgspec.Struct):
    """A sign-in that waits at the e-ID; times in seconds."""

    id: UUID
    step: Literal["authorize"]
    authorization_url: str
    expires_in: int


class AuthorizeIn(msgspec.Struct, forbid_unknown_fields=True):
    """What the e-ID sent back to the app: a code, or an error when the person turned back; or the whole address."""

    state: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    code: Annotated[str, Meta(min_length=1, max_length=2000)] | None = None
    iss: Annotated[str, Meta(max_length=500)] | None = None
    error: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    callback_url: Annotated[str, Meta(min_length=1, max_length=8000)] | None = None


class PhoneIn(msgspec.Struct, forbid_unknown_fields=True):
    """The number that shall receive codes, in any usual spelling."""

    phone: Annotated[str, Meta(min_length=1, max_length=40)]


class CodeIn(msgspec.Struct, forbid_unknown_fields=True):
    """The six digits of the message."""

    # `$` alone would take a line feed at the end here (not in JavaScript, for which `\Z` is a Z): the length refuses it
    code: Annotated[str, Meta(pattern="^[0-9]{6}$", max_length=6)]


class ResendIn(msgspec.Struct, forbid_unknown_fields=True):
    """Send again; `method_id` names another registered number where a sign-in offers several."""

    method_id: UUID | None = None


class PhoneStepOut(msgspec.Struct):
    """The sign-in waits for a phone number."""

    id: UUID
    step: Literal["phone"]


class CodeStepOut(msgspec.Struct, omit_defaults=True):
    """The sign-in waits for the code; times in seconds.

    `delivery` is there only when the SMS centre has not said whether it took the message.
    """

    id: UUID
    step: Literal["otp"]
    sent_to: str
    resend_in: int
    expires_in: int
    attempts_left: int
    delivery: Literal["uncertain"] | None = None


class ChoiceOut(msgspec.Struct):
    """A registered number that may get the code instead."""

    id: UUID
    sent_to: str


class ChoiceStepOut(CodeStepOut, kw_only=True):
    """A password sign-in waits for the code; `methods` are the numbers that `method_id` can name."""

    methods: list[ChoiceOut]


class SessionOut(msgspec.Struct):
    """The tokens of a session; lifetimes in seconds."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str
    refresh_expires_in: int
    session_id: UUID


class ReplacedOut(msgspec.Struct):
    """The device that was signed out by this one."""

    name: str
    last_seen_at: datetime


class IdentifierOut(msgspec.Struct):
    """One number of the person, masked."""

    type: str
    value: str


class AccountOut(msgspec.Struct, kw_only=True):
    """Whose account it is; identifiers and phones are masked."""

    id: UUID
    kind: str
    full_name: str
    identifiers: list[IdentifierOut]
    phones: list[str]
    assurance_level: int
    assurance_scheme: str


class DoneOut(msgspec.Struct):
    """Signed in."""

    id: UUID
    step: Literal["done"]
    session: SessionOut
    account: AccountOut
    replaced_device: ReplacedOut | None


class RefreshIn(msgspec.Struct, forbid_unknown_fields=True):
    """Rotate a session's tokens."""

    refresh_token: Annotated[str, Meta(min_length=1, max_length=200)]


class RefreshOut(msgspec.Struct):
    """The rotated tokens."""

    session: SessionOut


class PushTokenIn(msgspec.Struct, forbid_unknown_fields=True):
    """Where pushes for this device go."""

    token: Annotated[str, Meta(min_length=1, max_length=4096)]


class DeviceOut(msgspec.Struct):
    """A phone or a browser as it described itself."""

    platform: str
    name: str
    model: str


class SessionRow(msgspec.Struct):
    """One of one's own live sessions."""

    id: UUID
    kind: str
    current: bool
    device: DeviceOut
    method: str
    created_at: datetime
    last_seen_at: datetime


class SessionList(msgspec.Struct):
    """All of one's own live sessions; there are never many."""

    items: list[SessionRow]
    next_cursor: str | None = None


class TakeoverOut(msgspec.Struct, omit_defaults=True):
    """The account is frozen; `code` is that of the support case, where a desk is set up."""

    status: str
    hotline: str
    code: str | None = None
