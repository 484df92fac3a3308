"""The settings as the environment has them: read once, every mistake named at start (rule 1001)."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from backend import settings_rules as rules
from backend.branding.brand import Brand, BrandingError, read, shipped
from backend.crypto import new_secret_key
from backend.limits import Limits
from backend.settings import EID_GROUPS, PREFIX, STAND_INS, EIdSettings, Settings, variables
from backend.working_days import WorkingDays, WorkingDaysError
from backend.working_days import read as read_days
from backend.working_days import shipped as usual_days

FILES = (
    "SECRET_KEYS",
    "DATABASE_URL",
    "VNEID_CLIENT_SECRET",
    "POST_OFFICE_CLIENT_SECRET",
    "METRICS_TOKEN",
    "SMS_URL",
    "SUPPORT_IMAP_URL",
    "SUPPORT_SMTP_URL",
)
OTP_NAMES = ("LIFETIME", "ATTEMPTS", "RESEND_AFTER", "PER_HOUR", "PER_DAY", "PER_ADDRESS_PER_HOUR")


class SettingsError(Exception):
    """Everything that is wrong with the environment, one line per cause."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load(environ: Mapping[str, str], *, storage_only: bool = False) -> Settings:
    """Read `NGOMON_*`; raises SettingsError that names every wrong or unknown variable.

    `storage_only`: production asks for database and keys alone (see `settings_rules.production`).
    """
    problems: list[str] = []
    given = _given(environ, problems)
    limits = _limits(given, problems)
    values = _values(given, problems)
    brand, days = _brand(values, problems), _days(values, problems)
    profile = values.get("profile", "demo")
    if profile not in ("demo", "production"):
        problems.append(f"NGOMON_PROFILE: must be demo or production, not {profile!r}")
    if problems:
        raise SettingsError(problems)
    settings = _settings(_defaults(values), limits, brand, days)
    problems += rules.shape(settings)
    if profile == "production":
        problems += rules.production(settings, storage_only=storage_only)
    if problems:
        raise SettingsError(problems)
    return settings


def _settings(values: dict[str, Any], limits: Limits, brand: Brand, days: WorkingDays) -> Settings:
    """What was given, each where it belongs."""
    eids: dict[str, Any] = {}
    for group in EID_GROUPS:
        own = [name for name in EIdSettings.__struct_fields__ if f"{group}_{name}" in values]
        eids[group] = EIdSettings(**{name: values.pop(f"{group}_{name}") for name in own})
    return Settings(**values, **eids, limits=limits, brand=brand, days=days)


def with_keys(settings: Settings) -> Settings:
    """In demo, keys are made at the first start and kept beside the database, readable by the owner only."""
    if settings.secret_keys:
        return settings
    name = (
        settings.database_url.partition("///")[2]  # a fourth slash belongs to an absolute path
        if settings.database_url.startswith("sqlite")
        else "data/demo"
    )
    file = Path(name).with_suffix(".keys")
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        if settings.database_url.startswith("sqlite") and _holds_something(Path(name)):
            raise SettingsError(
                [
                    f"NGOMON_SECRET_KEYS: {name} is there, its keys ({file}) are not; a new key would not open it"
                ]
            )
        _make_keys(file)
    keys = file.read_text().strip()
    if not keys:
        raise SettingsError(
            [f"NGOMON_SECRET_KEYS: {file} is empty: bring its keys back, or begin anew without it"]
        )
    return msgspec.structs.replace(settings, secret_keys=keys)


def _make_keys(file: Path) -> None:
    """Whole or not at all; of two who start at once the first one's count for both."""
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600, exist_ok=False)
    fresh.write_text(new_secret_key() + "\n")
    try:
        os.link(fresh, file)
    except FileExistsError:
        pass
    except OSError:  # a file system on which a file has one name
        if not file.exists():
            fresh.replace(file)
    fresh.unlink(missing_ok=True)


def _holds_something(database: Path) -> bool:
    return database.exists() and database.stat().st_size > 0


def _given(environ: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in environ.items():
        if not name.startswith(PREFIX):
            continue
        short = name.removeprefix(PREFIX)
        if not _is_of_file(short):
            given[short] = value.strip()
    for name, value in environ.items():  # after the others: which is meant is not a question of their order
        short = name.removeprefix(PREFIX)
        if name.startswith(PREFIX) and _is_of_file(short):
            plain = short.removesuffix("_FILE")
            if given.get(plain):
                problems.append(f"{name}: {PREFIX}{plain} is set too: leave one")
            given[plain] = _of_file(name, value, problems)
    return given


def _is_of_file(short: str) -> bool:
    return short.endswith("_FILE") and short.removesuffix("_FILE") in FILES


def _of_file(name: str, file: str, problems: list[str]) -> str:
    """What stands in a file, which an editor may have given a mark that nobody sees."""
    found = ""
    try:
        found = Path(file).read_text("utf-8-sig").strip()
        if not found:
            problems.append(f"{name}: is empty")
    except OSError as error:
        problems.append(f"{name}: cannot be read ({error.strerror})")
    except ValueError:
        problems.append(f"{name}: is not text")
    return found


def _limits(given: dict[str, str], problems: list[str]) -> Limits:
    chosen: dict[str, Any] = {}
    fields = get_type_hints(Limits)
    for short in [name for name in given if name.startswith(("OTP_", "LIMIT_"))]:
        value, name = given.pop(short), short.removeprefix("LIMIT_").lower()
        known = name in fields and (short.startswith("LIMIT_") or short.removeprefix("OTP_") in OTP_NAMES)
        if not known:
            problems.append(f"{PREFIX}{short}: unknown setting")
            continue
        try:
            chosen[name] = fields[name](value)
        except ValueError:
            problems.append(f"{PREFIX}{short}: must be a whole number, not {value!r}")
            continue
        if not 0 <= chosen[name] < math.inf:
            problems.append(f"{PREFIX}{short}: must not be negative or endless")
    return Limits(**chosen)


def _values(given: dict[str, str], problems: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    fields = variables()
    for short, value in given.items():
        kind = fields.get(short.lower()) if short == short.upper() else None
        if kind is None:
            problems.append(f"{PREFIX}{short}: unknown setting")
        elif kind is bool and value.lower() not in ("true", "false", "1", "0"):
            problems.append(f"{PREFIX}{short}: must be true or false, not {value!r}")
        elif kind is int and not value.isdecimal():
            problems.append(f"{PREFIX}{short}: must be a whole number, not {value!r}")
        else:
            values[short.lower()] = value.lower() in ("true", "1") if kind is bool else kind(value)
    return values


def _brand(values: dict[str, Any], problems: list[str]) -> Brand:
    """The province whose file is named, else the shipped one."""
    try:
        return read(values["branding"]) if values.get("branding") else shipped()
    except BrandingError as error:
        problems += [f"{PREFIX}BRANDING: {problem}" for problem in error.problems]
        return shipped()


def _days(values: dict[str, Any], problems: list[str]) -> WorkingDays:
    """The holidays of the file that is named, else the shipped table."""
    try:
        return read_days(values["working_days"]) if values.get("working_days") else usual_days()
    except WorkingDaysError as error:
        problems.append(f"{PREFIX}WORKING_DAYS: {error}")
        return usual_days()


def _defaults(values: dict[str, Any]) -> dict[str, Any]:
    public = str(values.get("public_url", Settings().public_url)).rstrip("/")
    values["public_url"] = public
    values.setdefault("vneid_redirect_uri", f"{public}/app/vneid")
    values.setdefault("post_office_redirect_uri", f"{public}/app/post-office")
    if values.get("profile", "demo") == "demo":
        values.setdefault("sms_url", "inbox:")
        values.setdefault("allowed_private_hosts", "127.0.0.1,localhost,::1")
        if "vneid_issuer" not in values:
            values["vneid_issuer"] = f"{public}{STAND_INS.get(values.get('vneid_flavour', 'oidc'), '')}"
            values["vneid_client_id"] = "ngomon-demo"
            values["vneid_client_secret"] = "demo"  # noqa: S105 - the stand-in's own, production refuses it
        if "post_office_issuer" not in values and values.get("post_office_flavour", "oidc") == "oidc":
            values["post_office_issuer"] = f"{public}/demo/post-office"
            values["post_office_client_id"] = "ngomon-demo"
            values["post_office_client_secret"] = "demo"  # noqa: S105 - as above
        values.setdefault("subscribers_url", f"{public}/demo/registries")
        values.setdefault("social_insurance_url", f"{public}/demo/registries")
    else:
        values.setdefault("open_docs", False)
        values.setdefault("database_url", "")  # a file that nobody chose is nobody's database
    return values
