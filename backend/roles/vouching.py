"""Whether somebody whose word counts for a role vouches for the person (R30, source 003 IV; `vouched_by`; rule 604).

Asked when the wish is made, when it is approved, and on the day that it begins: a release before this one took
wishes of anybody, and what nobody proved is no more true for having waited. An end needs nobody's word.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.identity.evidence import CERTIFICATE, VNEID
from backend.errors import Refusal
from backend.roles import movements, policy
from backend.roles.catalogue.entries import VOUCHED, Catalogue
from backend.roles.catalogue.in_force import in_force
from backend.roles.models import Role, RoleRequest
from backend.roles.wish import Draft


async def why_not_ask(tx: AsyncSession, draft: Draft, account: Account, role: Role | None) -> Refusal | None:
    """The reason why this person may not ask for it."""
    if not draft.entry.gives:
        return None
    code = draft.subject_type or (role.subject_type if role is not None else "")
    by = (await in_force(tx)).vouched_by(code)
    vneid, certificate = account.vneid_at is not None, account.certificate_at is not None
    return policy.why_not_vouched(vneid=vneid, certificate=certificate, by=by)


async def why_not_approve(tx: AsyncSession, found: RoleRequest, account: Account) -> Refusal | None:
    """The reason why a yes may not be said to it now; a no and a return always may."""
    if not movements.of(found).gives:
        return None
    vneid, certificate = account.vneid_at is not None, account.certificate_at is not None
    by = (await in_force(tx)).vouched_by(found.subject_type)
    refusal = policy.why_not_vouched(vneid=vneid, certificate=certificate, by=by)
    return policy.ApplicantNotVouched() if refusal else None


def is_missing(catalogue: Catalogue) -> ColumnElement[bool]:
    """The same of requests, as the database answers it."""
    kinds = catalogue.subject_types
    special = {code: kind.vouched_by for code, kind in kinds.items() if kind.vouched_by != VOUCHED}
    usual = and_(RoleRequest.subject_type.not_in(special), _nobody(VOUCHED))
    others = (and_(RoleRequest.subject_type == code, _nobody(by)) for code, by in special.items())
    return and_(RoleRequest.kind.not_in(movements.GIVES_NOTHING), or_(usual, *others))


def _nobody(by: tuple[str, ...]) -> ColumnElement[bool]:
    """Whether none of these has ever come to the request's account.

    A value of the account, not EXISTS: of that PostgreSQL may gather all accounts before it looks at one request.
    """
    came = {VNEID: Account.vneid_at, CERTIFICATE: Account.certificate_at}
    none = and_(true(), *(column.is_(None) for name, column in came.items() if name in by))
    return select(none).where(Account.id == RoleRequest.account_id).scalar_subquery()
