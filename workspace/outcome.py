"""What has become of a request, in one true sentence for whoever looks at it (rule 820; cases W06, W08)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from backend.errors import Conflict
from backend.roles.views import Change, Effect, RequestView
from backend.words import mark as _
from backend.words import say
from workspace.pages import clock_time, day, moment

# one's own word, while it can be taken back: who hears of it, and when
HELD = {
    "approved": _("Đã phê duyệt. Các hệ thống sẽ được báo lúc {time}; trước lúc đó bạn có thể hoàn tác."),
    "rejected": _("Đã từ chối. Người đề nghị sẽ được báo lúc {time}; trước lúc đó bạn có thể hoàn tác."),
    "returned": _("Đã trả lại. Người đề nghị sẽ được báo lúc {time}; trước lúc đó bạn có thể hoàn tác."),
}

# the same of what is granted for a later day, or where no system is connected
PLANNED = _(
    "Đã phê duyệt, có hiệu lực từ ngày {day}. Người đề nghị sẽ được báo lúc {time}; trước lúc đó bạn có thể hoàn tác."
)
UNCONNECTED = _("Đã phê duyệt. Người đề nghị sẽ được báo lúc {time}; trước lúc đó bạn có thể hoàn tác.")

# one's own word when others have yet to speak: whom it waits for
AWAITED = {
    "approve": _("Bạn đã đồng ý. Đang chờ {unit} phê duyệt."),
    "release": _("Bạn đã đồng ý. Đang chờ {unit} cùng đồng ý."),
    "receive": _("Bạn đã cho chuyển đi. Đang chờ {unit} tiếp nhận."),
    "confirm": _("Bạn đã phê duyệt. Đang chờ người thứ hai của {unit} phê duyệt."),
}

# what somebody did, when and by name
DONE = {
    "approved": _("{name} đã phê duyệt lúc {time}"),
    "rejected": _("{name} đã từ chối lúc {time}"),
    "returned": _("{name} đã trả lại lúc {time}"),
    "withdrawn": _("{name} đã rút yêu cầu lúc {time}"),
    "expired": _("Yêu cầu đã quá hạn lúc {time}"),
}


class Said(msgspec.Struct, frozen=True):
    """A sentence and its places."""

    text: str
    values: dict[str, object] = {}


def of(asked: RequestView) -> Said:
    """The sentence of the reader's own word, or of why there is none to say."""
    if asked.undo_until and asked.status in HELD:
        return Said(*_held(asked, clock_time(asked.undo_until)))
    waiting = next((step for step in asked.steps if step.decision is None), None)
    refusal = asked.why_not_decide
    if waiting is not None and (asked.undo_until or (refusal and refusal.code == "already_decided")):
        return Said(AWAITED[waiting.duty], {"unit": waiting.unit})
    return Said(refusal.title if refusal else "")


def _held(asked: RequestView, until: str) -> tuple[str, dict[str, object]]:
    if asked.told_on:
        return PLANNED, {"day": day(asked.told_on), "time": until}
    unconnected = asked.status == "approved" and not asked.sync
    return UNCONNECTED if unconnected else HELD[asked.status], {"time": until}


def told(asked: RequestView, refusal: Conflict, lang: str) -> str:
    """Why what was pressed does not count: who was faster, and when, or what else stands in its way."""
    return (done(asked, lang) if "at" in refusal.facts else "") or say(refusal.title, lang)


def matrix(effects: Sequence[Effect]) -> list[tuple[Change, list[bool]]]:
    """Each change once, and in which of the systems it happens (W15)."""
    every = dict.fromkeys(change for effect in effects for change in effect.changes)
    return [(change, [change in effect.changes for effect in effects]) for change in every]


def done(asked: RequestView, lang: str) -> str:
    """Who has settled it, and when; nothing while it waits."""
    if asked.decided_at is None or asked.status not in DONE:
        return ""
    name = asked.decided_by or say(_("Tự động"), lang)
    return say(DONE[asked.status], lang, name=name, time=moment(asked.decided_at))
