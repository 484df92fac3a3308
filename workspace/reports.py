"""Pictures of how late, how many and how long, each with the table behind it, drawn here and without scripts (W19)."""

from __future__ import annotations

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency

from backend.db import Database
from backend.kit import Kit
from backend.openness import Openness
from backend.outbox import queue as outbox
from backend.outside.clock import Clock
from backend.roles import reports
from backend.words import mark as _
from backend.words import say
from workspace import labels
from workspace.auth import Visit
from workspace.manager import Manager
from workspace.pages import lang_of, page
from workspace.systems import Glance

WIDTH, LABELS = 420, 196  # of a picture, and of the words at its left
AGE_WORDS = (
    _("Trong một ngày"),
    _("Từ một đến ba ngày"),
    _("Từ ba đến bảy ngày"),
    _("Từ bảy đến ba mươi ngày"),
    _("Hơn ba mươi ngày"),
)


class Bar(msgspec.Struct, frozen=True):
    """One line of a picture and of its table."""

    label: str
    said: str
    length: int = 0


class Plot(msgspec.Struct, frozen=True):
    """A picture: its name, what is counted, and the bars."""

    code: str
    title: str
    unit: str
    bars: list[Bar]


class ReportsController(Controller):
    """One page of pictures."""

    path = "/reports"
    opt = {"open_to": Openness.MANAGER}

    @get(name="workspace.reports")
    async def show(
        self,
        request: Visit,
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """Of the manager's units, as it is now."""
        now, lang = clock.now(), lang_of(request)
        async with db.read() as tx:
            found = await reports.report(tx, kit, manager.account_id, now=now)
            systems = [Glance.of(system) for system in await outbox.overview(tx, now)]
        return page(
            request, "reports.html", plots=[*_plots(found, lang), _systems(systems, lang)], width=WIDTH
        )


def _plots(found: reports.Report, lang: str) -> list[Plot]:
    ages = [
        (say(words, lang), float(number), str(number))
        for words, number in zip(AGE_WORDS, found.ages, strict=True)
    ]
    paces = [
        (f"{one.month} · {one.unit}", one.hours, f"{one.hours:.1f} ({one.number})") for one in found.paces
    ]
    words = [
        (
            f"{say(labels.KINDS[kind], lang)}: {say(labels.DECISIONS[decision], lang)}",
            float(number),
            str(number),
        )
        for kind, said in found.words.items()
        for decision, number in said.items()
    ]
    people = [(say(label, lang), float(number), str(number)) for label, number in found.people]
    return [
        _plot("ages", _("Yêu cầu đang chờ theo thời gian chờ"), _("Số yêu cầu"), ages),
        _plot("pace", _("Thời gian quyết định theo đơn vị và tháng"), _("Số giờ (số quyết định)"), paces),
        _plot("kinds", _("Quyết định theo loại, 180 ngày gần đây"), _("Số lần quyết định"), words),
        _plot("people", _("Vai trò đang có hiệu lực theo đối tượng"), _("Số vai trò"), people),
    ]


def _systems(systems: list[Glance], lang: str) -> Plot:
    late = say(_("chờ gửi"), lang)
    rows = [
        (
            one.system.name,
            float(one.waiting + one.failing),
            f"{one.synced} ✓ · {one.waiting + one.failing} {late}",
        )
        for one in systems
    ]
    return _plot("sync", _("Cập nhật ở các hệ thống"), _("Số người đã cập nhật, số mục chờ gửi"), rows)


def _plot(code: str, title: str, unit: str, rows: list[tuple[str, float, str]]) -> Plot:
    """The bars in proportion to the longest."""
    most = max((value for _label, value, _said in rows), default=0) or 1
    room = WIDTH - LABELS - 70
    return Plot(
        code, title, unit, [Bar(label, said, round(value / most * room)) for label, value, said in rows]
    )
