"""Units, roles, and the support desk."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from backend.facts.fact import Fact


class UnitsImported(Fact, tag="units.imported", frozen=True, kw_only=True):
    """Units came from a file."""

    count: int


class UnitEnded(Fact, tag="unit.ended", frozen=True, kw_only=True):
    """A unit is no longer there from a day on; another one took its work over."""

    unit: UUID
    successor: UUID
    on: date


class CatalogueImported(Fact, tag="catalogue.imported", frozen=True, kw_only=True):
    """A catalogue came into force: how many entries it closed and removed, how many deliveries tell of it."""

    version: int
    closed: int
    removed: int
    told: int


class StaffImported(Fact, tag="staff.imported", frozen=True, kw_only=True):
    """The staff directory came from a file."""

    count: int


class ManagerAppointed(Fact, tag="manager.appointed", frozen=True, kw_only=True):
    """Somebody may decide for a unit."""

    unit: UUID


class ManagerDaysSet(Fact, tag="manager.days_set", frozen=True, kw_only=True):
    """Somebody's right to decide for a unit begins or ends on another day than it did."""

    unit: UUID


class ManagerDismissed(Fact, tag="manager.dismissed", frozen=True, kw_only=True):
    """Somebody may no longer decide for a unit; `with_role` names the post that carried the right, and ended."""

    unit: UUID
    with_role: UUID | None = None


class AppointmentKept(Fact, tag="manager.kept", frozen=True, kw_only=True):
    """Somebody decides for a unit on, though the post there ended: the request says why."""

    unit: UUID
    request: UUID


class DelegationGiven(Fact, tag="manager.delegated", frozen=True, kw_only=True):
    """A manager lent somebody the right to decide about a unit, for some kinds of requests and some days."""

    unit: UUID
    delegation: UUID


class DelegationEnded(Fact, tag="manager.delegation_ended", frozen=True, kw_only=True):
    """Over: `taken_back`, `expired`, `denied`; `right_ended` with the manager's right, `left` with the delegate's."""

    unit: UUID
    delegation: UUID
    because: str


class RoleRequested(Fact, tag="role.requested", frozen=True, kw_only=True):
    """A role request was made, by the person or for the person by a manager."""

    request: UUID
    kind: str


class RequestResubmitted(Fact, tag="role.resubmitted", frozen=True, kw_only=True):
    """A returned request came back corrected."""

    request: UUID


class RequestWithdrawn(Fact, tag="role.withdrawn", frozen=True, kw_only=True):
    """The request was taken back; `because` says `denied` where its sign-in was disowned, and nothing otherwise."""

    request: UUID
    because: str | None = None


class RequestExpired(Fact, tag="role.request_expired", frozen=True, kw_only=True):
    """Nobody had decided when the last day that was asked for was over: there is nothing left to grant."""

    request: UUID


class StepDecided(Fact, tag="role.step_decided", frozen=True, kw_only=True):
    """One unit said yes, no, or correct this; `delegation` is the one by which a delegate said it.

    `above` says that it came from the unit above because the nearer one's day had passed.
    """

    request: UUID
    duty: str
    unit: UUID
    decision: str
    delegation: UUID | None = None
    above: bool = False


class StepOverdue(Fact, tag="role.step_overdue", frozen=True, kw_only=True):
    """A unit's last day for its word has passed: the unit above may say it as well."""

    request: UUID
    duty: str
    unit: UUID


class RequestDecided(Fact, tag="role.request_decided", frozen=True, kw_only=True):
    """The request reached its end or went back to the applicant."""

    request: UUID
    outcome: str


class DecisionUndone(Fact, tag="role.decision_undone", frozen=True, kw_only=True):
    """A decision was taken back before anything left the house."""

    request: UUID


class RoleBegun(Fact, tag="role.begun", frozen=True, kw_only=True):
    """A role is in force from now."""

    role: UUID
    unit: UUID


class RolesFilled(Fact, tag="roles.filled", frozen=True, kw_only=True):
    """A decision of the province gave the people of a file their home roles: once for each chunk of one `run`."""

    run: UUID
    decision: str
    count: int


class RoleReorganised(Fact, tag="role.reorganised", frozen=True, kw_only=True):
    """With their unit a person went to another: the role `old` ended, and the same post began there."""

    role: UUID
    old: UUID
    unit: UUID
    run: UUID


class RoleRevived(Fact, tag="role.revived", frozen=True, kw_only=True):
    """A reorganisation was taken back: the earlier role is as it was, `instead` of it has ended."""

    role: UUID
    instead: UUID
    run: UUID


class RoleScheduled(Fact, tag="role.scheduled", frozen=True, kw_only=True):
    """A role will begin on its date."""

    role: UUID
    unit: UUID


class RoleChanged(Fact, tag="role.changed", frozen=True, kw_only=True):
    """A role in force was corrected."""

    role: UUID


class RoleSuspended(Fact, tag="role.suspended", frozen=True, kw_only=True):
    """A role waits: it is kept and not in force."""

    role: UUID


class RoleResumed(Fact, tag="role.resumed", frozen=True, kw_only=True):
    """A role that waited is in force again."""

    role: UUID


class RoleEnded(Fact, tag="role.ended", frozen=True, kw_only=True):
    """A role is no longer in force."""

    role: UUID
    reason: str


class DeskAdded(Fact, tag="support.desk_added", frozen=True, kw_only=True):
    """A support desk may open cases."""

    desk: UUID


class DeskRemoved(Fact, tag="support.desk_removed", frozen=True, kw_only=True):
    """A support desk is no more; none of its codes is genuine from now."""

    desk: UUID


class DeskStaffAdded(Fact, tag="support.staff_added", frozen=True, kw_only=True):
    """Somebody works at a desk."""

    desk: UUID


class DeskStaffRemoved(Fact, tag="support.staff_removed", frozen=True, kw_only=True):
    """Somebody no longer works at a desk."""

    desk: UUID


class CaseOpened(Fact, tag="support.case_opened", frozen=True, kw_only=True):
    """A request for help was opened; `origin` says by which way."""

    case: UUID
    origin: str


class CaseContinued(Fact, tag="support.case_continued", frozen=True, kw_only=True):
    """The person wrote again to an open case."""

    case: UUID


class CaseAnswered(Fact, tag="support.case_answered", frozen=True, kw_only=True):
    """The desk wrote to the person."""

    case: UUID


class CaseClosed(Fact, tag="support.case_closed", frozen=True, kw_only=True):
    """The desk closed a case."""

    case: UUID


class PersonLookedUp(Fact, tag="support.person_looked_up", frozen=True, kw_only=True):
    """Somebody at a desk, or an operator, typed a personal number; the subject is who has it, if anybody."""


class NoticePublished(Fact, tag="notice.published", frozen=True, kw_only=True):
    """An announcement that everybody sees first."""

    notice: UUID


class NoticeDenied(Fact, tag="notice.denied", frozen=True, kw_only=True):
    """Somebody said "Không phải tôi" to a notice."""

    notice: UUID


class KeysRotated(Fact, tag="keys.rotated", frozen=True, kw_only=True):
    """Everything is under the newest key: the entries up to `entries` are closed, so many older keys were given up."""

    entries: int
    given_up: int


class AccessRefused(Fact, tag="access.refused", frozen=True, kw_only=True):
    """Somebody tried what they may not; `target` is a request, session or role."""

    reason: str
    target: UUID | None = None
