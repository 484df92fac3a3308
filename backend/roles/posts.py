"""Somebody's posts: what they hold, and page by page what has ended (rules 601, 912)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Integer, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend import paging
from backend.kit import Kit
from backend.outside.clock import local_day
from backend.roles import cancelling, policy
from backend.roles.models import Role, RoleRequest, Unit
from backend.roles.views import Page, RoleView
from backend.statements import Question, given, listed, one_of

MOST = 50
ORDER = (policy.ACTIVE, policy.SUSPENDED, policy.SCHEDULED, policy.ENDED)
LAST = UUID(int=(1 << 128) - 1)


class Post(NamedTuple):
    """A role as it is, with its unit."""

    id: UUID
    unit_id: UUID
    subject_type: str
    position: str
    state: str
    is_home: bool
    stands_on: UUID | None
    from_on: date
    until_on: date | None
    ended_at: datetime | None
    end_reason: str | None
    request_id: UUID
    code: str
    name: str
    path: str


def _posts() -> Select[*tuple[object, ...]]:
    columns = (getattr(Role, name) for name in Post._fields[:12])
    query = select(*columns, Unit.code, Unit.name, Unit.path).join(Unit, Unit.id == Role.unit_id)
    return query.where(Role.account_id == given("account", Role.account_id)).order_by(Role.id.desc())


IN_HAND = Question(Post, _posts().where(one_of("state", len(policy.HELD), Role.state)))
OVER = Question(
    Post,
    _posts()
    .where(Role.state == policy.ENDED, Role.id < given("before", Role.id))
    .limit(given("most", Integer())),
)


async def of(
    tx: AsyncSession, account_id: UUID, *, cursor: str | None = None, most: int = MOST
) -> Page[Post]:
    """What somebody holds, what is in force first, and the newest that has ended; what was taken back is not shown."""
    held: list[Post] = []
    if cursor is None:
        held = await IN_HAND.all(tx, account=account_id, **listed("state", policy.HELD))
        held.sort(key=lambda post: ORDER.index(post.state))
    before = LAST if cursor is None else paging.uuid_of(cursor)
    over, more = paging.cut(await OVER.all(tx, account=account_id, before=before, most=most + 1), most)
    return Page([*held, *over], paging.cursor_of(str(over[-1].id)) if more else None)


async def roles_of(
    tx: AsyncSession, kit: Kit, account_id: UUID, *, cursor: str | None = None, most: int = MOST
) -> Page[RoleView]:
    """The same as its owner sees it."""
    page = await of(tx, account_id, cursor=cursor, most=most)
    return Page(await shown(tx, kit, account_id, page.items), page.next_cursor)


async def current(tx: AsyncSession, kit: Kit, account_id: UUID) -> list[RoleView]:
    """Its first page."""
    return (await roles_of(tx, kit, account_id)).items


async def shown(tx: AsyncSession, kit: Kit, account_id: UUID, posts: Sequence[Post]) -> list[RoleView]:
    """Somebody's posts as their owner sees them."""
    settled = await _settled(tx, kit, account_id, posts)
    until = {one.stands_on: one.until_on for one in posts if one.stands_on and one.state in policy.HELD}
    return [
        RoleView(
            one.id,
            one.unit_id,
            one.code,
            one.name,
            one.subject_type,
            one.position,
            one.state,
            one.from_on,
            one.until_on if _never_began(one) or not one.ended_at else local_day(one.ended_at),
            max(filter(None, (settled.get(one.id), settled.get(one.request_id))), default=None),
            "home" if one.is_home else "concurrent",
            _resumes_on(one, until.get(one.id)),
            _never_began(one),
            one.stands_on if not one.is_home and one.state in policy.HELD else None,
        )
        for one in posts
    ]


def _never_began(post: Post) -> bool:
    return post.state == policy.ENDED and post.end_reason == cancelling.CANCELLED


def _resumes_on(post: Post, last_day: date | None) -> date | None:
    """The day after the last one of what it waits for."""
    waits = post.state == policy.SUSPENDED and last_day is not None
    return last_day + timedelta(days=1) if waits and last_day is not None else None


async def _settled(
    tx: AsyncSession, kit: Kit, account_id: UUID, posts: Sequence[Post]
) -> dict[UUID, datetime]:
    """From when the last decision in force stands, by the request that began a post, or by the post it was about."""
    about = or_(
        RoleRequest.role_id.in_([one.id for one in posts]),
        RoleRequest.id.in_([one.request_id for one in posts]),
    )
    query = (
        select(RoleRequest.id, RoleRequest.role_id, RoleRequest.decided_at)
        .where(RoleRequest.account_id == account_id, RoleRequest.status == policy.APPROVED)
        .where(RoleRequest.applied_at.is_not(None), RoleRequest.decided_at.is_not(None), about)
        .order_by(RoleRequest.decided_at)
    )
    window = timedelta(seconds=kit.limits.undo_window)
    found: dict[UUID, datetime] = {}
    for row in await tx.execute(query) if posts else ():
        assert row.decided_at is not None
        found[row.id] = row.decided_at + window
        if row.role_id is not None:
            found[row.role_id] = row.decided_at + window
    return found
