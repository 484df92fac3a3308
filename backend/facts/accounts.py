"""People, their ways in and back, sessions and devices."""

from __future__ import annotations

from uuid import UUID

from backend.facts.fact import Fact


class SignInStarted(Fact, tag="login.started", frozen=True, kw_only=True):
    """A sign-in began; not written since 0.3.0, as anybody may begin as many as they like."""

    flow: UUID
    method: str


class SignInRefused(Fact, tag="login.refused", frozen=True, kw_only=True):
    """A sign-in ended without a session; `reason` is the problem's code."""

    flow: UUID | None = None
    reason: str


class AccountOpened(Fact, tag="account.opened", frozen=True, kw_only=True):
    """A person got the one account."""

    issuer: str


class AccountsImported(Fact, tag="accounts.imported", frozen=True, kw_only=True):
    """People who had an account before came from a file, unproved until VNeID comes; once for each chunk of it."""

    count: int


class IdentityLinked(Fact, tag="account.identity_linked", frozen=True, kw_only=True):
    """A provider's subject was joined to an account: the provider is trusted for the personal number."""

    issuer: str


class JoinProposed(Fact, tag="account.join_proposed", frozen=True, kw_only=True):
    """A clerk of a desk proposed that `other` is this person's account too."""

    other: UUID
    proposal: UUID


class JoinConfirmed(Fact, tag="account.join_confirmed", frozen=True, kw_only=True):
    """A second clerk confirmed it; what follows stands in `account.joined` and `account.absorbed`."""

    other: UUID
    proposal: UUID


class JoinDropped(Fact, tag="account.join_dropped", frozen=True, kw_only=True):
    """Nothing came of it: `refused`, `withdrawn`, `denied` by the person, `expired`, `changed`, `proposer_left`."""

    other: UUID
    proposal: UUID
    reason: str


class AccountJoined(Fact, tag="account.joined", frozen=True, kw_only=True):
    """Another account is the same person's, and this one took it over; `proved_by`: `password`, or two of a `desk`."""

    absorbed: UUID
    proved_by: str


class AccountAbsorbed(Fact, tag="account.absorbed", frozen=True, kw_only=True):
    """The account was taken over by another one of the same person and is closed."""

    into: UUID


class OwnerCame(Fact, tag="account.owner_came", frozen=True, kw_only=True):
    """VNeID or a certificate came for the first time: what nobody vouches for was ended, what is kept is shut."""

    proved_by: str
    ended: int
    kept: int


class IdentifierChanged(Fact, tag="account.identifier_changed", frozen=True, kw_only=True):
    """The provider now states another personal number for the same subject; the old one is kept as history."""

    issuer: str


class CodeSent(Fact, tag="code.sent", frozen=True, kw_only=True):
    """A one-time code left for a phone of somebody who had proved something."""

    flow: UUID
    purpose: str
    sending: int


class CodeWithheld(Fact, tag="code.withheld", frozen=True, kw_only=True):
    """A code was asked for somebody that we do not know: nothing left; not written since 0.3.0."""

    flow: UUID
    purpose: str


class CodeWrong(Fact, tag="code.wrong", frozen=True, kw_only=True):
    """A guess did not match."""

    flow: UUID
    attempts_left: int


class TriesSpent(Fact, tag="account.tries_spent", frozen=True, kw_only=True):
    """Too many wrong codes or passwords: they rest, and the owner, if there is one, was told (case TO17)."""

    purpose: str


class PhoneBound(Fact, tag="phone.bound", frozen=True, kw_only=True):
    """A phone was proved by a code and belongs to the account now."""

    flow: UUID


class PhoneChanged(Fact, tag="phone.changed", frozen=True, kw_only=True):
    """Codes go to another number from now; the subscriber registry agreed."""

    flow: UUID


class PhoneChangeRefused(Fact, tag="phone.change_refused", frozen=True, kw_only=True):
    """The subscriber registry names somebody else: a slip for the counter was made."""

    flow: UUID
    slip: UUID


class PasswordSet(Fact, tag="password.set", frozen=True, kw_only=True):
    """The account has a new password; `how` says by which way."""

    how: str


class OfficialMailReset(Fact, tag="password.official_mail", frozen=True, kw_only=True):
    """The official-mail password was set in the mail directory."""

    flow: UUID


class RecoveryStarted(Fact, tag="recovery.started", frozen=True, kw_only=True):
    """Somebody asked for a new password; not written since 0.3.0."""

    flow: UUID


class RecoveryRefused(Fact, tag="recovery.refused", frozen=True, kw_only=True):
    """A number brought no password back: it is another's (`named_another`, recovery is frozen), or `sim_changed`."""

    flow: UUID
    reason: str = "named_another"


class RegistrationStarted(Fact, tag="registration.started", frozen=True, kw_only=True):
    """Somebody began to register; not written since 0.3.0."""

    flow: UUID
    method: str


class RegistrationRefused(Fact, tag="registration.refused", frozen=True, kw_only=True):
    """A registration did not go on; `reason` is the problem's code."""

    reason: str
    method: str


class SteppedUp(Fact, tag="session.stepped_up", frozen=True, kw_only=True):
    """A session was strengthened by a fresh VNeID sign-in; `fresh`: VNeID `proved` that it was, or was only `asked`."""

    session: UUID
    level: int
    fresh: str = ""


class CertificateUsed(Fact, tag="certificate.used", frozen=True, kw_only=True):
    """A signing SIM or USB token proved who somebody is; `checked_by` says who answered for its revocation."""

    flow: UUID
    certificate: UUID
    checked_by: str


class CertificateEnrolled(Fact, tag="certificate.enrolled", frozen=True, kw_only=True):
    """A certificate signs in to the account from now; `how` says by registration or by renewal."""

    certificate: UUID
    how: str


class CertificateTurnedAway(Fact, tag="certificate.refused", frozen=True, kw_only=True):
    """A certificate or its signature was not accepted; `reason` is never told outside."""

    flow: UUID | None = None
    reason: str


class AttributeEdited(Fact, tag="account.attribute_edited", frozen=True, kw_only=True):
    """The person wrote or removed something on the identity page; `attribute` is its name, not its value."""

    attribute: str


class MethodAdded(Fact, tag="account.method_added", frozen=True, kw_only=True):
    """The person gave the account another way in; `kind` says which."""

    method: UUID
    kind: str


class MethodConfirmed(Fact, tag="account.method_confirmed", frozen=True, kw_only=True):
    """The owner said that a way in is theirs, which was kept shut when they first came."""

    method: UUID
    kind: str


class MethodRemoved(Fact, tag="account.method_removed", frozen=True, kw_only=True):
    """The person took a way in from the account."""

    method: UUID
    kind: str


class ConsentGiven(Fact, tag="consent.given", frozen=True, kw_only=True):
    """The person allowed the use of their data for one purpose (rule 903)."""

    purpose: str


class ConsentWithdrawn(Fact, tag="consent.withdrawn", frozen=True, kw_only=True):
    """The person took that back."""

    purpose: str


class DataExported(Fact, tag="account.exported", frozen=True, kw_only=True):
    """The person took a copy of everything that is held about them."""


class AccountErased(Fact, tag="account.erased", frozen=True, kw_only=True):
    """The person had their data erased; what is left names nobody."""


class SessionOpened(Fact, tag="session.opened", frozen=True, kw_only=True):
    """A device or a browser was let in."""

    session: UUID
    kind: str
    method: str
    epoch: int


class SessionReplaced(Fact, tag="session.replaced", frozen=True, kw_only=True):
    """A newer mobile device took the account's one slot."""

    session: UUID
    by_session: UUID


class SessionEnded(Fact, tag="session.ended", frozen=True, kw_only=True):
    """A session was ended; `reason` says by what."""

    session: UUID
    reason: str


class RefreshReused(Fact, tag="session.refresh_reused", frozen=True, kw_only=True):
    """A refresh token came twice; its whole session was ended (RFC 9700 §4.14.2)."""

    session: UUID


class TakeoverReported(Fact, tag="account.takeover_reported", frozen=True, kw_only=True):
    """The replaced device, or the reader of the notice, said "Không phải tôi": the slot is frozen."""

    session: UUID | None = None
    by_session: UUID | None = None


class AccountThawed(Fact, tag="account.thawed", frozen=True, kw_only=True):
    """The freeze was lifted: by an operator or a clerk after checking the person, or by the owner (`how`: `vneid`).

    `fresh`: VNeID `proved` that the owner had just shown up there, or was only `asked` to see to it.
    In the `notice` stands sealed why an operator did it.
    """

    how: str = "checked"
    fresh: str = ""
    notice: UUID | None = None
