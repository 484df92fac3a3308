"""Pictures of how late, how many and how long, each with the table behind it, drawn here and without scripts (W19)."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency

from backend.openness import Openness
from backend.outbox import queue as outbox
from backend.roles import reports
from backend.words import VIETNAMESE, say
from backend.words import mark as _
from workspace import labels
from workspace.call import Call
from workspace.manager import Manager
from workspace.pages import day, lang_of, page
from workspace.systems import Glance

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
    length: int = 0  # of a hundred
    short: str = ""  # in the picture, where all of it has no room


class Plot(msgspec.Struct, frozen=True):
    """A picture: its name, what is counted, and the bars."""

    code: str
    title: str
    unit: str
    bars: list[Bar]
    part: str = ""  # of what it is told, where it is a part


class ReportsController(Controller):
    """One page of pictures."""

    path = "/reports"
    opt = {"open_to": Openness.MANAGER}

    @get(name="workspace.reports")
    async def show(self, call: NamedDependency[Call[Manager]]) -> Response[str]:
        """Of the manager's units, as it is now."""
        now, lang = call.now(), lang_of(call.request)
        async with call.read() as tx:
            found = await reports.report(tx, call.kit, call.who.account_id, now=now)
            systems = [Glance.of(system) for system in await outbox.overview(tx, now)]
        plots = [*_plots(found, lang), _systems(systems, lang), _lag(systems, now, lang)]
        return page(call.request, "reports.html", plots=plots)


def _plots(found: reports.Report, lang: str) -> list[Plot]:
    ages = [
        (say(words, lang), float(number), str(number))
        for words, number in zip(AGE_WORDS, found.ages, strict=True)
    ]
    paces = [
        (f"{one.month} · {one.unit}", round(one.hours, 1), f"{_tenths(one.hours, lang)} ({one.number})")
        for one in found.paces
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
    weeks = [
        (say(_("Tuần từ {day}"), lang, day=day(monday)), float(number), str(number))
        for monday, number in found.weeks
    ]
    people = [(say(label, lang), float(number), str(number)) for label, number in found.people]
    parts = _parts(found, lang)
    lately = parts["words"]
    return [
        _plot("ages", _("Yêu cầu đang chờ theo thời gian chờ"), _("Số yêu cầu"), ages, parts["ages"]),
        _plot(
            "pace", _("Thời gian quyết định theo đơn vị và tháng"), _("Số giờ (số quyết định)"), paces, lately
        ),
        _plot("weeks", _("Quyết định mỗi tuần, 12 tuần gần đây"), _("Số lần quyết định"), weeks, lately),
        _plot("kinds", _("Quyết định theo loại, 180 ngày gần đây"), _("Số lần quyết định"), words, lately),
        _plot(
            "people", _("Vai trò đang có hiệu lực theo đối tượng"), _("Số vai trò"), people, parts["people"]
        ),
    ]


def _parts(found: reports.Report, lang: str) -> dict[str, str]:
    """Of what each picture tells, where there is more than is counted."""
    said = {
        "ages": _("Tính trên {n} yêu cầu chờ lâu nhất"),
        "words": _("Tính trên {n} lần quyết định gần nhất"),
        "people": _("Tính trên {n} vai trò đầu tiên"),
    }
    return {
        what: say(words, lang, n=found.bounds[what]) if what in found.bounds else ""
        for what, words in said.items()
    }


def _tenths(number: float, lang: str) -> str:
    """A number as people write it: in Vietnamese with a comma."""
    return f"{number:.1f}".replace(".", "," if lang == VIETNAMESE else ".")


def _systems(systems: list[Glance], lang: str) -> Plot:
    late = say(_("chờ gửi"), lang)
    rows = [
        (
            one.system.name,
            float(one.waiting + one.failing),
            f"{one.waiting + one.failing} {late} · {one.synced} ✓",
        )
        for one in systems
    ]
    return _plot("sync", _("Cập nhật ở các hệ thống"), _("Số mục chờ gửi · số người đã cập nhật"), rows)


def _lag(systems: list[Glance], now: datetime, lang: str) -> Plot:
    waits = [(one.system.name, one.system.oldest_waiting_at) for one in systems]
    hours = [(name, (now - at) / timedelta(hours=1) if at else 0.0) for name, at in waits]
    rows = [(name, round(late, 1), _tenths(late, lang)) for name, late in hours]
    return _plot("lag", _("Mục lâu nhất chưa gửi xong ở từng hệ thống"), _("Số giờ đã chờ"), rows)


def _plot(code: str, title: str, unit: str, rows: list[tuple[str, float, str]], part: str = "") -> Plot:
    """The bars in proportion to the longest, which is a hundred."""
    most = max((value for _label, value, _said in rows), default=0) or 1
    bars = [
        Bar(label, said, round(value / most * 100), said.partition(" · ")[0]) for label, value, said in rows
    ]
    return Plot(code, title, unit, bars, part)
