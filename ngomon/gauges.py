"""How things stand, asked of the database when somebody scrapes: every process gives the same answer (case O03)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from backend.devices.models import Session
from backend.journal import Head
from backend.outbox import states
from backend.outbox.states import COUNTED, SystemOverview

SESSIONS = ("mobile", "workspace")


class Standing:
    """What was found; nothing of it names a person, and nothing is counted beyond some thousand."""

    def __init__(
        self, systems: list[SystemOverview], sessions: dict[str, int], head: int, schema: str
    ) -> None:
        self._systems, self._sessions, self._head, self._schema = systems, sessions, head, schema
        self._now: datetime | None = None

    @classmethod
    async def of(cls, tx: AsyncSession, now: datetime) -> Standing:
        """Ask for everything in the caller's snapshot."""
        sessions = {}
        for kind in SESSIONS:
            live = (Session.kind == kind, Session.ended_at.is_(None), Session.absolute_expires_at > now)
            some = select(Session.id).where(*live).limit(COUNTED * 100).subquery()
            sessions[kind] = await tx.scalar(select(func.count()).select_from(some)) or 0
        head = await tx.scalar(select(Head.seq)) or 0
        schema = str(await tx.scalar(text("SELECT version_num FROM alembic_version")))
        found = cls(await states.overview(tx, now), sessions, head, schema)
        found._now = now
        return found

    def collect(self) -> Iterator[Metric]:
        """As Prometheus wants them; called by the registry."""
        backlog = GaugeMetricFamily(
            "ngomon_delivery_backlog", "Deliveries that wait or failed", labels=["system", "state"]
        )
        oldest = GaugeMetricFamily(
            "ngomon_delivery_oldest_seconds", "Since when the first delivery waits", labels=["system"]
        )
        stopped = GaugeMetricFamily(
            "ngomon_system_stopped", "1: gets nothing at the moment", labels=["system"]
        )
        for one in self._systems:
            for state, count in one.counts.items():
                backlog.add_metric([one.name, state], count)
            oldest.add_metric([one.name], self._age(one.oldest_waiting_at))
            stopped.add_metric([one.name], float(one.paused_until is not None or one.disabled_at is not None))
        yield from (backlog, oldest, stopped)
        sessions = GaugeMetricFamily("ngomon_sessions", "Sessions that live", labels=["kind"])
        for kind, count in self._sessions.items():
            sessions.add_metric([kind], count)
        yield sessions
        yield GaugeMetricFamily("ngomon_audit_head_seq", "The journal's newest entry", value=self._head)
        build = GaugeMetricFamily("ngomon_build_info", "What runs", labels=["version", "schema"])
        build.add_metric([version("ngomon"), self._schema], 1)
        yield build

    def _age(self, since: datetime | None) -> float:
        if since is None or self._now is None:
            return 0.0
        return max(0.0, (self._now - since).total_seconds())

    def text(self) -> bytes:
        """The exposition format."""
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)
