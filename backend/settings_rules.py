"""What makes a set of settings one that can be started: shapes, and what production demands (rule 1001)."""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path

from backend import app_links, bounds, strength
from backend.limits import COUNTS
from backend.outside.addresses import Allowed
from backend.outside.eid.eid_claims import SHIPPED
from backend.outside.eid.eid_envelope import envelope_key
from backend.outside.places import Places, PlacesError
from backend.settings import PREFIX, EIdSettings, Settings
from backend.settings_addresses import (
    is_address,
    is_in_the_open,
    why_no_database,
    why_no_service,
)

# in this order they are told; of an e-ID provider in either group (rule 403)
ADDRESSES = ("public_url", "subscribers_url", "social_insurance_url")
EID_ADDRESSES = ("issuer", "redirect_uri", "authorize_url", "token_url", "userinfo_url")
NAMED_FILES = ("fcm_credentials", "trusted_cas", "places")
EID_NAMED_FILES = ("client_key", "claims", "envelope_key")
EID_CHOICES = {
    "flavour": ("oidc", "portal", "vneid_direct"),
    "userinfo_method": ("", "GET", "POST"),
    "envelope_cipher": ("ecb", "cbc"),
    "envelope_code": ("decrypted", "raw"),
}
SCHEMES = {
    "sms_url": ("kannel", "smpp", "inbox"),
    "support_imap_url": ("imap", "imaps"),
    "support_smtp_url": ("smtp", "smtps"),
}

NUMBERS = {
    "support_poll_seconds": (1, 3600),
    "trusted_proxies": (0, 8),
    "log_reads": (0, 100),
}  # in production
RESERVED_MOST = 90  # percent: nobody new could come in otherwise


def shape(settings: Settings) -> list[str]:
    """One line per value that cannot be what it should be."""
    problems = _addresses(settings)
    problems += [
        f"{PREFIX}{group.upper()}_{name.upper()}: must be one of {', '.join(choice or 'nothing' for choice in choices)}"
        for group, eid in settings.eids.items()
        for name, choices in EID_CHOICES.items()
        if getattr(eid, name) not in choices
    ]
    if settings.limits.sms_reserved_percent > RESERVED_MOST:
        problems.append(f"NGOMON_LIMIT_SMS_RESERVED_PERCENT: must be at most {RESERVED_MOST}")
    if "{unit}" not in settings.support_subject_tag:
        problems.append("NGOMON_SUPPORT_SUBJECT_TAG: must hold {unit}")
    for key in settings.secret_keys.split(",") if settings.secret_keys else []:
        problems += _key_problem(key.strip())
    problems += _certificate_problems(settings) + _hosts_problem(settings)
    for name, value in _given(settings, NAMED_FILES, EID_NAMED_FILES):
        shipped = SHIPPED if name.endswith("_CLAIMS") else ()
        if value not in shipped and not Path(value).is_file():
            problems.append(f"{name}: no such file")
        elif value not in shipped and not os.access(value, os.R_OK):
            problems.append(f"{name}: cannot be read")
    heads = Path(settings.journal_heads)
    if settings.journal_heads and (heads.is_dir() or not heads.parent.is_dir()):
        problems.append("NGOMON_JOURNAL_HEADS: must be a file in a folder that is there")
    if _is_readable(settings.places):
        problems += _places_problem(settings.places)
    return problems + _provider_problems(settings) + app_links.problems(settings)


def _addresses(settings: Settings) -> list[str]:
    problems = [
        f"{name}: must be an http(s) address"
        for name, value in _given(settings, ADDRESSES, EID_ADDRESSES)
        if not is_address(value)
    ]
    is_named = settings.is_demo or settings.database_url
    if is_named and (why := why_no_database(settings.database_url)):
        problems.append(f"NGOMON_DATABASE_URL: {why}")
    problems += [
        f"{PREFIX}{name.upper()}: {why}"
        for name, schemes in SCHEMES.items()
        if (value := getattr(settings, name)) and (why := why_no_service(value, schemes))
    ]
    if is_in_the_open(settings.support_imap_url):
        problems.append("NGOMON_SUPPORT_IMAP_URL: must be imaps outside this machine")
    return problems


def _given(settings: Settings, plain: tuple[str, ...], of_eid: tuple[str, ...]) -> list[tuple[str, str]]:
    """The variables that are set, of those that are named, and what they hold."""
    named = [(f"{PREFIX}{name.upper()}", getattr(settings, name)) for name in plain]
    named += [
        (f"{PREFIX}{group.upper()}_{name.upper()}", getattr(eid, name))
        for group, eid in settings.eids.items()
        for name in of_eid
    ]
    return [(name, value) for name, value in named if value]


def _provider_problems(settings: Settings) -> list[str]:
    problems = [line for group, eid in settings.eids.items() for line in _envelope_problem(group, eid)]
    if settings.post_office.flavour != "oidc" and not settings.post_office.issuer:
        problems.append(
            "NGOMON_POST_OFFICE_ISSUER: is required by this flavour; the demo has no such stand-in"
        )
    return problems


def _envelope_problem(group: str, eid: EIdSettings) -> list[str]:
    name, file = f"{PREFIX}{group.upper()}_ENVELOPE_KEY", eid.envelope_key
    if not file and eid.flavour == "vneid_direct":
        return [f"{name}: is required by the flavour vneid_direct"]
    try:
        if _is_readable(file):
            envelope_key(file)
    except ValueError:
        return [f"{name}: must be an RSA private key in PEM without a password"]
    return []


def _certificate_problems(settings: Settings) -> list[str]:
    if not (settings.certificate_policies or settings.trusted_cas):
        return []
    from cryptography.x509 import ObjectIdentifier, load_pem_x509_certificates  # not for every command

    problems = []
    for text in filter(None, map(str.strip, settings.certificate_policies.split(","))):
        try:
            ObjectIdentifier(text)
        except ValueError:
            problems.append(f"NGOMON_CERTIFICATE_POLICIES: {text!r} is no OID")
    if _is_readable(settings.trusted_cas):
        try:
            load_pem_x509_certificates(Path(settings.trusted_cas).read_bytes())
        except ValueError:
            problems.append("NGOMON_TRUSTED_CAS: holds no certificates in PEM")
    return problems


def _is_readable(file: str) -> bool:
    """Whether there is a file in which something could be wrong; that it cannot be read is said once."""
    return bool(file) and Path(file).is_file() and os.access(file, os.R_OK)


def _hosts_problem(settings: Settings) -> list[str]:
    try:
        Allowed(settings.private_hosts)
    except ValueError as error:
        return [f"NGOMON_ALLOWED_PRIVATE_HOSTS: {error}"]
    return []


def _places_problem(file: str) -> list[str]:
    try:
        Places(file)
    except PlacesError as error:
        return [str(error)]
    except UnicodeDecodeError:
        return ["NGOMON_PLACES: must be UTF-8"]
    return []


def _key_problem(key: str) -> list[str]:
    try:
        good = len(base64.b64decode(key, validate=True)) == 32
    except (binascii.Error, ValueError):
        good = False
    return [] if good else ["NGOMON_SECRET_KEYS: every key must be base64 of exactly 32 bytes"]


def production(settings: Settings, *, storage_only: bool = False) -> list[str]:
    """One line per cause why this must not run for real people (rule 1001, case TI13).

    `storage_only`: for a command that needs database and keys and nothing else. It asks for nothing else, but what
    is set must be safe all the same; and an old key may be weak, for this is the way to be rid of it.
    """
    needed = {"DATABASE_URL": settings.database_url, "SECRET_KEYS": settings.secret_keys}
    problems = [f"{PREFIX}{name}: is required in production" for name, value in needed.items() if not value]
    keys = settings.secret_keys.split(",")
    problems += _weak_keys(keys[:1] if storage_only else keys)
    return problems + ([] if storage_only else _absent(settings)) + _unsafe(settings)


def _absent(settings: Settings) -> list[str]:
    """What has to be set, and be the real thing."""
    missing = {
        "VNEID_ISSUER": settings.vneid.issuer,
        **_client("VNEID", settings.vneid),
        "SMS_URL": settings.sms_url,
    }
    if settings.post_office.issuer:
        missing |= _client("POST_OFFICE", settings.post_office)
    problems = [f"{PREFIX}{name}: is required in production" for name, value in missing.items() if not value]
    if not settings.public_url.startswith("https://"):
        problems.append("NGOMON_PUBLIC_URL: must be https in production")
    if settings.open_docs is False and not settings.metrics_token:
        problems.append("NGOMON_METRICS_TOKEN: is required in production unless NGOMON_OPEN_DOCS is true")
    return problems


def _client(group: str, eid: EIdSettings) -> dict[str, str]:
    """What the provider knows us by."""
    return {
        f"{group}_CLIENT_ID": eid.client_id,
        f"{group}_CLIENT_SECRET (or _CLIENT_KEY)": eid.client_secret or eid.client_key,
    }


def _unsafe(settings: Settings) -> list[str]:
    """What is set, and must not be set so."""
    problems = [
        f"{name}: a stand-in of the demo is refused in production"
        for name, value in _given(settings, ADDRESSES, EID_ADDRESSES)
        if "/demo/" in value
    ]
    problems += [
        f"{name}: must be https in production"
        for name, value in _given(settings, (), ("issuer",))
        if not value.startswith("https://")
    ]
    if settings.sms_url.startswith("inbox:"):
        problems.append("NGOMON_SMS_URL: the demo inbox is refused in production")
    if not settings.require_dpop:
        problems.append("NGOMON_REQUIRE_DPOP: bearer-only tokens are refused in production")
    return problems + _weak(settings) + _stretched(settings)


def _weak_keys(keys: list[str]) -> list[str]:
    if not any(strength.is_weak_key(key.strip()) for key in keys):
        return []
    way_out = "put one of `ngomon keys new` before it, run `ngomon keys rotate`, then take it away"
    return [f"NGOMON_SECRET_KEYS: holds a key that can be guessed; {way_out}"]


def _weak(settings: Settings) -> list[str]:
    """A token that can be guessed, and a list of private places that lists everything."""
    problems = []
    if settings.metrics_token and strength.is_weak_token(settings.metrics_token):
        problems.append(
            f"NGOMON_METRICS_TOKEN: can be guessed: at least {strength.SHORTEST_TOKEN} characters by chance, "
            "for instance `openssl rand -hex 32`"
        )
    problems += [
        f"NGOMON_ALLOWED_PRIVATE_HOSTS: {host} is too wide, name the hosts that are called"
        for host in strength.open_doors(settings.private_hosts)
    ]
    return problems


def _stretched(settings: Settings) -> list[str]:
    """Limits that are switched off or so wide that they are none."""
    problems = [
        f"{PREFIX}{name.upper()}: a limit must not be switched off in production"
        for name in COUNTS
        if getattr(settings.limits, name) == 0
    ]
    problems += [
        f"{PREFIX}LIMIT_{name.upper()}: must be at most {most:g} in production"
        for name, most in bounds.beyond(settings.limits)
    ]
    if settings.limits.notice_deny_days > settings.limits.notice_days:  # who may deny must still find it
        problems.append(
            f"{PREFIX}LIMIT_NOTICE_DENY_DAYS: must be at most {PREFIX}LIMIT_NOTICE_DAYS in production"
        )
    problems += [
        f"{PREFIX}{name.upper()}: must be from {least} to {most} in production"
        for name, (least, most) in NUMBERS.items()
        if not least <= getattr(settings, name) <= most
    ]
    return problems
