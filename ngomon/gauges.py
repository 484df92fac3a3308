"""How things stand, asked of the database when somebody scrapes: every process gives the same answer (case O03)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib.metadata import version
from math import inf

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy import Select, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from backend import figures
from backend.accounts.codes import sms_budget
from backend.counting import Key
from backend.devices.models import Session
from backend.journal import Head, KeyPrint
from backend.kit import Kit
from backend.outbox import states
from backend.outbox.states import COUNTED, SystemOverview
from backend.roles.models import RequestStep
from ngomon.figures import figures_of

SESSIONS = ("mobile", "workspace")


class Standing(msgspec.Struct, frozen=True, eq=False):
    """What was found; nothing of it names a person, and nothing is counted beyond some thousand."""

    now: datetime
    systems: list[SystemOverview]
    sessions: dict[str, int]
    waiting: int
    overdue: int
    sms_left: int | None
    head: int
    schema: str
    totals: Mapping[Key, int]
    key_since: datetime | None
    authority_until: datetime | None

    @classmethod
    async def of(
        cls, tx: AsyncSession, kit: Kit, now: datetime, *, authority_until: datetime | None = None
    ) -> Standing:
        """Ask for everything in the caller's snapshot."""
        return cls(
            now=now,
            systems=await states.overview(tx, now),
            sessions={kind: await tx.scalar(living(kind, now)) or 0 for kind in SESSIONS},
            waiting=await tx.scalar(open_requests()) or 0,
            overdue=await tx.scalar(open_requests(overdue=True)) or 0,
            sms_left=await sms_budget.left(tx, kit, now=now),
            head=await tx.scalar(select(Head.seq)) or 0,
            schema=str(await tx.scalar(text("SELECT version_num FROM alembic_version"))),
            totals=await figures.totals(tx),
            key_since=await tx.scalar(select(KeyPrint.since).where(KeyPrint.key_id == kit.keys.newest)),
            authority_until=authority_until,
        )

    def collect(self) -> Iterator[Metric]:
        """As Prometheus wants them; called by the registry."""
        yield from self._of_systems()
        yield from self._of_people()
        yield from self._of_what_ends()
        yield self._worker()
        yield GaugeMetricFamily("ngomon_database_up", "1: the database answers", value=1)
        yield from figures_of(self.totals, {str(one.id): one.name for one in self.systems})
        yield GaugeMetricFamily("ngomon_audit_head_seq", "The journal's newest entry", value=self.head)
        build = GaugeMetricFamily("ngomon_build_info", "What runs", labels=["version", "schema"])
        build.add_metric([version("ngomon"), self.schema], 1)
        yield build

    def _of_systems(self) -> Iterator[Metric]:
        backlog = GaugeMetricFamily(
            "ngomon_delivery_backlog", "Deliveries that wait or failed", labels=["system", "state"]
        )
        oldest = GaugeMetricFamily(
            "ngomon_delivery_oldest_seconds", "Since when the first delivery waits", labels=["system"]
        )
        stopped = GaugeMetricFamily(
            "ngomon_system_stopped", "1: gets nothing at the moment", labels=["system"]
        )
        for one in self.systems:
            for state, count in one.counts.items():
                backlog.add_metric([one.name, state], count)
            oldest.add_metric([one.name], self._age(one.oldest_waiting_at))
            stopped.add_metric([one.name], float(one.paused_until is not None or one.disabled_at is not None))
        yield from (backlog, oldest, stopped)

    def _of_people(self) -> Iterator[Metric]:
        sessions = GaugeMetricFamily("ngomon_sessions", "Sessions that live", labels=["kind"])
        for kind, count in self.sessions.items():
            sessions.add_metric([kind], count)
        yield sessions
        requests = GaugeMetricFamily(
            "ngomon_requests_open", "Requests that wait for a word", labels=["overdue"]
        )
        requests.add_metric(["false"], self.waiting - self.overdue)
        requests.add_metric(["true"], self.overdue)
        yield requests

    def _of_what_ends(self) -> Iterator[Metric]:
        if self.sms_left is not None:
            yield GaugeMetricFamily(
                "ngomon_sms_budget_left", "Of the day's text messages", value=self.sms_left
            )
        if self.key_since is not None:
            yield GaugeMetricFamily(
                "ngomon_key_age_seconds", "Since the key in front came", value=self._age(self.key_since)
            )
        if self.authority_until is not None:
            left = (self.authority_until - self.now).total_seconds()
            yield GaugeMetricFamily(
                "ngomon_authority_seconds_left", "Of the accepted authority that ends first", value=left
            )

    def _worker(self) -> Metric:
        """Endless where none has ever been seen."""
        seen = self.totals.get((figures.WORKER, ()))
        age = inf if seen is None else max(0.0, self.now.timestamp() - seen)
        return GaugeMetricFamily("ngomon_worker_seen_seconds", "Since a worker was last seen", value=age)

    def _age(self, since: datetime | None) -> float:
        return max(0.0, (self.now - since).total_seconds()) if since is not None else 0.0

    def text(self) -> bytes:
        """The exposition format."""
        return exposed(self)


class Away:
    """All that can be said while the database does not answer: an old total would look like a restart."""

    def collect(self) -> Iterator[Metric]:
        """As Prometheus wants them."""
        yield GaugeMetricFamily("ngomon_database_up", "1: the database answers", value=0)


def exposed(found: Standing | Away) -> bytes:
    """The exposition format."""
    registry = CollectorRegistry()
    registry.register(found)
    return generate_latest(registry)


def living(kind: str, now: datetime) -> Select[int]:
    """How many sessions of a kind live, of the first hundred thousand."""
    live = (Session.kind == kind, Session.ended_at.is_(None), Session.absolute_expires_at > now)
    some = select(Session.id).where(*live).limit(COUNTED * 100).subquery()
    return select(func.count()).select_from(some)


def open_requests(*, overdue: bool = False) -> Select[int]:
    """How many requests wait for somebody's word, of the first hundred thousand words; or for one that is overdue."""
    waits = (RequestStep.decider_id.is_not(None), *([RequestStep.overdue_at.is_not(None)] if overdue else []))
    some = select(RequestStep.request_id).where(*waits).limit(COUNTED * 100).subquery()
    return select(func.count(some.c.request_id.distinct()))
