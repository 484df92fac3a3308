"""Where things are: the installation's settings, and what each is when nobody says otherwise (rule 1001)."""

from __future__ import annotations

from typing import get_type_hints

import msgspec

from backend.branding.brand import Brand, shipped
from backend.limits import Limits
from backend.working_days import WorkingDays
from backend.working_days import shipped as usual_days

PREFIX = "NGOMON_"
STAND_INS = {
    "oidc": "/demo/eid",
    "portal": "/demo/portal",
    "vneid_direct": "/demo/vneid-direct",
}  # by flavour


class EIdSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How one e-ID provider is reached (rule 403); the variables bear the group's name before the field's."""

    issuer: str = ""
    client_id: str = ""
    client_secret: str = ""
    client_key: str = ""
    redirect_uri: str = ""
    scopes: str = "openid profile phone eid"
    claims: str = ""
    flavour: str = "oidc"
    authorize_url: str = ""
    token_url: str = ""
    userinfo_url: str = ""
    userinfo_method: str = ""
    acr_values: str = ""
    envelope_key: str = ""
    envelope_cipher: str = "ecb"
    envelope_code: str = "decrypted"


EID_GROUPS = ("vneid", "post_office")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The installation's settings; field names are the variables without prefix, in lower case."""

    profile: str = "demo"
    branding: str = ""
    working_days: str = ""
    database_url: str = "sqlite+aiosqlite:///data/ngomon.db"
    secret_keys: str = ""
    journal_heads: str = ""
    public_url: str = "http://127.0.0.1:8000"
    vneid: EIdSettings = EIdSettings()
    post_office: EIdSettings = EIdSettings()
    subscribers_url: str = ""
    social_insurance_url: str = ""
    trusted_cas: str = ""
    certificate_policies: str = ""
    certificate_unchecked: bool = False
    places: str = ""
    support_imap_url: str = ""
    support_smtp_url: str = ""
    support_poll_seconds: int = 30
    support_subject_tag: str = "[{unit}#DVC]"
    sms_url: str = ""
    sms_app_hash: str = ""
    sms_web_domain: str = ""
    android_package: str = ""
    android_fingerprints: str = ""
    apple_team_id: str = ""
    apple_bundle_id: str = ""
    fcm_credentials: str = ""
    fcm_endpoint: str = ""
    require_dpop: bool = True
    dpop_nonce: bool = False
    allowed_private_hosts: str = ""
    open_docs: bool = True
    metrics_token: str = ""
    trusted_proxies: int = 0
    log_reads: int = (
        10  # percent of quick calls that only read and went well; every other call leaves its line
    )
    limits: Limits = Limits()
    brand: Brand = shipped()
    days: WorkingDays = usual_days()

    @property
    def eids(self) -> dict[str, EIdSettings]:
        """The e-ID providers by the name of their group."""
        return {group: getattr(self, group) for group in EID_GROUPS}

    @property
    def is_demo(self) -> bool:
        """Stand-ins may serve what is not set."""
        return self.profile == "demo"

    @property
    def private_hosts(self) -> list[str]:
        """The private or plain-http places that may be called (rule 704)."""
        return [host.strip() for host in self.allowed_private_hosts.split(",") if host.strip()]


def variables() -> dict[str, type]:
    """Every variable without its prefix, in lower case, and what it holds; limits have names of their own."""
    plain = get_type_hints(Settings)
    for name in ("limits", "brand", "days", *EID_GROUPS):
        del plain[name]
    return plain | {
        f"{group}_{name}": kind for group in EID_GROUPS for name, kind in get_type_hints(EIdSettings).items()
    }
