"""Which authorities' signing SIMs and USB tokens are accepted, and how they are asked about revocation."""

from __future__ import annotations

from pathlib import Path

import structlog

from backend.outside.certificates.certificates import Certificates
from backend.outside.http import Guarded
from backend.settings import Settings
from ngomon.stand_ins import StandIns

log = structlog.get_logger("certificates")


def certificates(settings: Settings, stand: StandIns | None) -> Certificates:
    """The configured authorities, else the demo's own, else none: then every certificate is refused."""
    roots = stand.root_pem if stand is not None else b""
    if settings.trusted_cas:
        roots = Path(settings.trusted_cas).read_bytes()
    if settings.certificate_unchecked:
        log.warning("emergency_switch")
    limits = settings.limits
    return Certificates(
        roots,
        tuple(text.strip() for text in settings.certificate_policies.split(",") if text.strip()),
        Guarded(
            settings.private_hosts, reply_bytes=limits.crl_bytes, timeout=limits.certificate_check_timeout
        ),
        timeout=limits.certificate_check_timeout,
        keep=limits.crl_keep,
        unchecked=settings.certificate_unchecked,
    )
