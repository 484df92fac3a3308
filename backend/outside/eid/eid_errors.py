"""The two ways in which a sign-in at an e-ID fails; the reason goes to the log as a word, without claims."""

from __future__ import annotations

import structlog

from backend.alarms import alarm
from backend.errors import Forbidden, Unavailable

log = structlog.get_logger("eid")


class ProviderUnavailable(Unavailable):
    """The e-ID does not answer, or answers with an error of its own."""

    code = "provider_unavailable"
    title = "Hệ thống định danh chưa phản hồi, vui lòng thử lại sau ít phút"


class LoginRefused(Forbidden):
    """The e-ID's answer does not verify; the sign-in is over (rule 406)."""

    code = "login_refused"
    title = "Không xác minh được kết quả đăng nhập, vui lòng đăng nhập lại"


def refused(reason: str) -> LoginRefused:
    """The one outward refusal; `reason` is for the log only."""
    log.warning("login_refused", reason=reason)
    return LoginRefused()


def unavailable(reason: str) -> ProviderUnavailable:
    """The provider is in trouble; `reason` is for the log only."""
    log.warning("provider_unavailable", reason=reason)
    alarm("eid_away")
    return ProviderUnavailable(retry_after=30)
