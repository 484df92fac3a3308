"""What the old phone is told when a new one takes its place: a push without personal data (design §4.1)."""

from __future__ import annotations

import structlog

from backend.db import Database
from backend.devices.models import Session
from backend.devices.sessions import Replaced
from backend.outside.push import Push

log = structlog.get_logger("push")
TITLE = "Hue-S"
BODY = "Tài khoản vừa đăng nhập trên thiết bị khác. Nếu không phải bạn, hãy mở ứng dụng và chọn “Không phải tôi”."


async def tell_replaced(db: Database, push: Push, replaced: Replaced) -> None:
    """Best effort, after the commit; a dead token is forgotten."""
    if replaced.push_token is None:
        return
    data = {"kind": "device_replaced", "session_id": str(replaced.session_id)}
    try:
        alive = await push.send(replaced.push_token, TITLE, BODY, data)
    except Exception as error:  # noqa: BLE001 - whatever the push service does, the sign-in stands
        log.warning("push failed", error=type(error).__name__)
        return
    if not alive:
        async with db.write() as tx:
            session = await tx.get(Session, replaced.session_id)
            if session is not None:
                session.push_token = None
