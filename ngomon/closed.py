"""The closed sets of the API, each taken from the code that keeps to it (case D03).

A set that grows with the product (kinds of notices, codes of problems, sources of an attribute) is none: an app that is
made from the document would choke on what comes new.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import get_args

from backend.accounts.identity.evidence import CERTIFICATE, POST_OFFICE, VNEID, VOUCHED_BY
from backend.accounts.self import attributes, identity_page
from backend.accounts.self.consents import CONSENT, CONTRACT, PUBLIC_DUTY
from backend.accounts.self.methods import ACTIVE, PASSWORD, PHONE, UNCONFIRMED
from backend.flows import Step
from backend.outbox.states import State
from backend.roles import movements, policy
from backend.roles.catalogue.entries import MOVEMENTS, FieldType
from backend.roles.catalogue.reading import VOUCHERS
from backend.roles.movements import Kind
from workspace import labels

DECISIONS, KINDS = tuple(labels.DECISIONS), tuple(labels.KINDS)
NUMBERS = attributes.NUMBERS
SCALES = tuple(labels.LEVELS)
WAYS_IN = (VNEID, POST_OFFICE, PASSWORD, CERTIFICATE)  # by which somebody comes in
ACCOUNTS = tuple(attributes.OF_KIND)
METHODS = (PASSWORD, PHONE, CERTIFICATE, VNEID, POST_OFFICE)
ROLE_STATES = (policy.SCHEDULED, policy.ACTIVE, policy.SUSPENDED, policy.ENDED)
MARKS = (identity_page.VERIFIED, identity_page.UNVERIFIED, identity_page.MISSING)


@cache
def sets() -> dict[str, Sequence[str]]:
    """What a part of a shape can say, by `Shape.part`."""
    return {**_people(), **_roles(), **_support()}


def _people() -> dict[str, Sequence[str]]:
    found: dict[str, Sequence[str]] = {
        "AccessHistoryEntry.method": WAYS_IN,
        "AccessHistoryEntry.result": ("success", "failure"),
        "AccountCopy.vouched_by": VOUCHED_BY,
        "IdentityAttribute.state": MARKS,
        "IdentityStandardization.state": ("done", "failed", "none"),
        "Problem.step": get_args(Step),
        "SessionOut.token_type": ("DPoP", "Bearer"),
        "TakeoverReportOut.status": ("frozen",),
    }
    for account in ("AccountOut", "AccountCopy", "MeOut"):
        found |= {f"{account}.kind": ACCOUNTS, f"{account}.assurance_scheme": SCALES}
    for copied in ("IdentifierOut", "IdentifierCopy"):
        found[f"{copied}.type"] = NUMBERS
    for way in ("AuthMethodOut", "AuthMethodCopy"):
        found |= {f"{way}.type": METHODS, f"{way}.state": (ACTIVE, UNCONFIRMED)}
    for standing in ("ConsentOut", "ConsentCopy"):
        found[f"{standing}.basis"] = (CONSENT, PUBLIC_DUTY, CONTRACT)
    for session in ("SessionRow", "SessionCopy"):
        found |= {f"{session}.kind": ("mobile", "workspace"), f"{session}.method": WAYS_IN}
    return found


def _roles() -> dict[str, Sequence[str]]:
    found: dict[str, Sequence[str]] = {
        "FormField.type": tuple(kind.value for kind in FieldType),
        "SubjectTypeOut.vouched_by": VOUCHERS,
        "RoleRequestIn.movement": tuple(
            code for code, one in movements.MOVEMENTS.items() if one.kind in get_args(Kind)
        ),
    }
    for asked in ("RoleRequestOut", "RoleRequestDetailOut", "RoleRequestCopy"):
        found |= {
            f"{asked}.kind": KINDS,
            f"{asked}.movement": MOVEMENTS,
            f"{asked}.status": tuple(labels.STATUSES),
            f"{asked}.on_hold": (policy.ApplicantFrozen.code, policy.ApplicantNotVouched.code),
        }
    for step in ("RoleRequestStepOut", "RoleRequestStepCopy"):
        found |= {f"{step}.duty": tuple(labels.DUTIES), f"{step}.decision": DECISIONS}
    for told in ("RoleSync", "RoleSyncCopy"):
        found[f"{told}.state"] = get_args(State)
    for role in ("RoleOut", "RoleCopy"):
        found |= {f"{role}.state": ROLE_STATES, f"{role}.kind": ("home", "concurrent")}
    return found


def _support() -> dict[str, Sequence[str]]:
    found: dict[str, Sequence[str]] = {
        "SupportMessage.author": tuple(labels.CASE_AUTHORS),
        "SupportCaseCopy.origin": tuple(labels.CASE_ORIGINS),
    }
    for case in ("SupportCaseOut", "SupportCaseRow", "SupportCaseCopy"):
        found[f"{case}.status"] = tuple(labels.CASE_STATES)
    return found
