"""What crosses the wire when people register, recover a password or change the phone that gets codes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from mobile_api.schemas import CodeIn, DeviceIn

Number = Annotated[str, Meta(min_length=1, max_length=40)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Mail = Annotated[str, Meta(max_length=254)]
Solution = Annotated[str, Meta(max_length=4000)]
Certificate = Annotated[str, Meta(min_length=1, max_length=20_000)]
# far more than a password may have: `passwords.check` says in words how long that is
Secret = Annotated[str, Meta(min_length=1, max_length=1024)]


class RegistrationIn(msgspec.Struct, forbid_unknown_fields=True):
    """Begin a registration; which fields are wanted depends on `method` (rule 110)."""

    method: Literal["subscriber", "social_insurance", "certificate"]
    device: DeviceIn
    kind: Literal["citizen", "enterprise", "agency"] = "citizen"
    national_id: Number | None = None
    full_name: Name | None = None
    birth_date: Annotated[str, Meta(max_length=40)] | None = None
    phone: Number | None = None
    social_insurance_number: Number | None = None
    email: Mail | None = None
    captcha: Solution | None = None
    certificate: Certificate | None = None


class SignStepOut(msgspec.Struct):
    """The flow waits for a signature over `challenge` (its UTF-8 bytes as they stand); `expires_in` in seconds."""

    id: UUID
    step: Literal["sign"]
    challenge: str
    expires_in: int


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    """The certificate (PEM, leaf first) and the signature (base64) over the challenge."""

    certificate: Certificate
    signature: Annotated[str, Meta(min_length=1, max_length=2000)]


class ConfirmStepOut(msgspec.Struct):
    """Whom the certificate names, before the account is opened; the identifier is masked."""

    id: UUID
    step: Literal["confirm"]
    subject: dict[str, Any]
    identifier: dict[str, str]
    email_required: bool


class ConfirmIn(msgspec.Struct, forbid_unknown_fields=True):
    """Open the account; an enterprise states its e-mail address."""

    email: Mail | None = None


class PasswordIn(msgspec.Struct, forbid_unknown_fields=True):
    """The new password."""

    password: Annotated[str, Meta(max_length=1024)]


class PasswordStepOut(msgspec.Struct):
    """The flow waits for a new password."""

    id: UUID
    step: Literal["password"]


class RecoveredOut(msgspec.Struct):
    """The password is set; nobody is signed in."""

    id: UUID
    step: Literal["done"]


class RecoveryIn(msgspec.Struct, forbid_unknown_fields=True):
    """Whose password: exactly one of the two; `captcha` only when a call was answered `captcha_required`."""

    national_id: Number | None = None
    official_email: Mail | None = None
    captcha: Annotated[str, Meta(max_length=4000)] | None = None


class RecoveryCodeIn(CodeIn, forbid_unknown_fields=True):
    """The six digits of the message; `captcha` only when a call was answered `captcha_required`."""

    captcha: Annotated[str, Meta(max_length=4000)] | None = None


class HiddenCodeStepOut(msgspec.Struct):
    """The flow waits for the code; where it went is not said. Times in seconds."""

    id: UUID
    step: Literal["otp"]
    resend_in: int
    expires_in: int
    attempts_left: int


class PhoneChangeIn(msgspec.Struct, forbid_unknown_fields=True):
    """The number that shall get codes; `login` is the password sign-in that waits at `otp`."""

    phone: Number
    login: UUID | None = None


class PhoneChangedOut(msgspec.Struct):
    """The number that gets codes from now on, masked."""

    id: UUID
    step: Literal["done"]
    phone: str


class SlipOut(msgspec.Struct, omit_defaults=True):
    """Whether a slip is genuine; no name and no number."""

    genuine: bool
    made_at: datetime | None = None
    valid_until: datetime | None = None


class ChallengeOut(msgspec.Struct):
    """An ALTCHA challenge of version 2."""

    parameters: dict[str, Any]
    signature: str


class WorkspaceLoginOut(msgspec.Struct):
    """Which browser shows the code, from which network and province, until when; `numbers` are two digits each."""

    numbers: list[str]
    browser: str
    place: str
    expires_at: datetime


class WorkspaceNumberIn(msgspec.Struct, forbid_unknown_fields=True):
    """The number that was picked, as it was shown."""

    number: Annotated[str, Meta(pattern="^[0-9]{2}$")]
