"""Who stands opposite: each counterpart that the settings name, or its stand-in."""

from __future__ import annotations

from backend.outside.clock import Clock
from backend.outside.eid import eid_provider
from backend.outside.eid.eid import EId
from backend.outside.http import Guarded
from backend.outside.messages.push import FirebasePush, NoPush, Push
from backend.outside.messages.smpp import SmppSms
from backend.outside.messages.sms import CountedSms, KannelSms, Sms
from backend.outside.registries import Registries
from backend.settings import Settings
from ngomon import tasks, trusted
from ngomon.stand_ins import StandIns, stand_ins


class Outside:
    """Everything that is not ours, real or stand-in, as the settings say."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.clock = clock
        limits = settings.limits
        self.http = tasks.outgoing(settings)
        self.sms_http = Guarded(settings.private_hosts)  # a silent SMS centre holds up nobody else's calls
        self.stand = stand_ins(settings, clock) if settings.is_demo else None
        self.eid = EId(eid_provider.vneid(settings), self.http, clock)
        second = eid_provider.post_office(settings)
        self.post_office = EId(second, self.http, clock) if second else None
        self.certificates = trusted.certificates(settings, self.stand)
        self.smpp: SmppSms | None = None
        self.sms: Sms = CountedSms(self._sms(settings))
        self.registries = Registries(
            self.http,
            subscribers=settings.subscribers_url,
            social_insurance=settings.social_insurance_url,
            timeout=limits.registry_timeout,
        )
        self.push: Push = self.stand.push if self.stand is not None else NoPush()
        if settings.fcm_credentials:
            self.push = FirebasePush(settings.fcm_credentials, settings.fcm_endpoint)

    def _sms(self, settings: Settings) -> Sms:
        """Whatever the address of the SMS centre begins with."""
        timeout = settings.limits.sms_timeout
        if settings.sms_url.startswith("kannel:"):
            return KannelSms(settings.sms_url, self.sms_http, timeout=timeout)
        if settings.sms_url.startswith("smpp:"):
            self.smpp = SmppSms(settings.sms_url, self.sms_http.allowed, timeout=timeout)
            return self.smpp
        return self._stand_in.sms

    @property
    def _stand_in(self) -> StandIns:
        assert self.stand is not None, "settings refuse stand-ins outside the demo profile"
        return self.stand
