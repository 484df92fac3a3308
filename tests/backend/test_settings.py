"""Every mistake in the environment is named at start, and production refuses what is for play (rule 1001; case TI13)."""

from __future__ import annotations

import base64
import re
import secrets
import stat
from pathlib import Path

import pytest

from backend.bounds import MOST
from backend.crypto import new_secret_key
from backend.environment import SettingsError, load, with_keys
from backend.limits import COUNTS, Limits
from backend.settings import Settings

KEY = new_secret_key()


@pytest.fixture
def production(tmp_path: Path) -> dict[str, str]:
    """Everything that production asks for, in order."""
    push = tmp_path / "push.json"
    push.write_text("{}")
    return {
        "NGOMON_PROFILE": "production",
        "NGOMON_DATABASE_URL": "postgresql+asyncpg://ngomon@db/ngomon",
        "NGOMON_SECRET_KEYS": KEY,
        "NGOMON_PUBLIC_URL": "https://cong.example",
        "NGOMON_VNEID_ISSUER": "https://dinh-danh.example",
        "NGOMON_VNEID_CLIENT_ID": "cong",
        "NGOMON_VNEID_CLIENT_SECRET": "secret",
        "NGOMON_SMS_URL": "kannel://user:pass@sms:13013/?from=HUE-S",
        "NGOMON_FCM_CREDENTIALS": str(push),
        "NGOMON_METRICS_TOKEN": secrets.token_hex(16),
    }


def causes(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as found:
        load(environ)
    return found.value.problems


def test_ti13_production_starts_when_everything_is_there(production: dict[str, str]) -> None:
    settings = load(production | {"PATH": "/bin", "HOME": "elsewhere"})
    assert not settings.is_demo
    assert not settings.open_docs
    assert settings.allowed_private_hosts == ""


def test_o09_production_has_no_database_that_nobody_named(production: dict[str, str]) -> None:
    for name in ("NGOMON_DATABASE_URL", "NGOMON_SECRET_KEYS"):
        production.pop(name)
    missing = [f"NGOMON_{name}: is required in production" for name in ("DATABASE_URL", "SECRET_KEYS")]
    assert causes(production) == missing
    with pytest.raises(SettingsError) as found:
        load({"NGOMON_PROFILE": "production"}, storage_only=True)
    assert found.value.problems == missing
    assert causes({"NGOMON_DATABASE_URL": ""})[0].startswith("NGOMON_DATABASE_URL: must begin with")


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("DATABASE_URL", "postgresql+asyncpg://u:p@db:notaport/x", "is no address"),
        ("DATABASE_URL", "postgresql+asyncpg://u:p@[::1/x", "is no address"),
        ("DATABASE_URL", "sqlite+aiosqlite:///", "an SQLite address needs a file"),
        ("DATABASE_URL", "postgres://u:p@db/x", "must begin with"),
        ("SMS_URL", "kannel://u:p@sms:notaport/", "is no address"),
        ("SMS_URL", "smpp://u:p@[::1/", "is no address"),
        ("SMS_URL", "http://sms/", "must begin with kannel://, smpp://"),
        ("SUPPORT_IMAP_URL", "imaps://u:p@[::1/INBOX", "is no address"),
        ("SUPPORT_SMTP_URL", "smtp://mail:x", "is no address"),
    ],
)
def test_an_address_that_is_none_is_named_before_anybody_takes_it_apart(
    name: str, value: str, why: str
) -> None:
    (found,) = causes({f"NGOMON_{name}": value})
    assert found.startswith(f"NGOMON_{name}: {why}"), found
    assert value not in found, "a password may stand in it"


def test_a_databases_password_may_hold_any_sign(production: dict[str, str]) -> None:
    for url in ("postgresql+asyncpg://u:p/w#x?y:z@db:5432/ngomon", "postgresql+asyncpg://u@/n?host=/run/pg"):
        assert load(production | {"NGOMON_DATABASE_URL": url}).database_url == url


def test_o21_push_is_optional(production: dict[str, str]) -> None:
    del production["NGOMON_FCM_CREDENTIALS"]
    assert load(production).fcm_credentials == ""


@pytest.mark.parametrize(
    "name",
    ["SECRET_KEYS", "VNEID_ISSUER", "VNEID_CLIENT_ID", "VNEID_CLIENT_SECRET", "SMS_URL", "METRICS_TOKEN", "PUBLIC_URL"],
)  # fmt: skip
def test_ti13_production_names_the_one_thing_that_is_missing(production: dict[str, str], name: str) -> None:
    del production[f"NGOMON_{name}"]
    found = causes(production)
    assert len(found) == 1
    assert found[0].startswith(f"NGOMON_{name}")
    assert "\n" not in found[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "http://cong.example"), ("VNEID_ISSUER", "http://dinh-danh.example"), ("VNEID_ISSUER", "https://cong.example/demo/eid"),
        ("SMS_URL", "inbox:"), ("REQUIRE_DPOP", "false"), ("OTP_ATTEMPTS", "0"), ("OTP_PER_HOUR", "0"), ("OTP_PER_DAY", "0"),
        ("OTP_RESEND_AFTER", "0"), ("OTP_PER_ADDRESS_PER_HOUR", "0"), ("SECRET_KEYS", "QUJD"), pytest.param("SECRET_KEYS", f"{KEY},QUJD", id="the second key"),
        ("SECRET_KEYS", "not base64"), ("SECRET_KEYS", ","), ("FCM_CREDENTIALS", "/nowhere/at/all.json"),
    ],
)  # fmt: skip
def test_ti13_production_refuses_what_is_for_play(production: dict[str, str], name: str, value: str) -> None:
    found = causes(production | {f"NGOMON_{name}": value})
    assert any(f"NGOMON_{name}" in cause for cause in found), found
    assert value == "," or not any(value in cause and name == "SECRET_KEYS" for cause in found), (
        "a secret is never repeated"
    )


def test_ti13_all_causes_come_at_once() -> None:
    assert len(causes({"NGOMON_PROFILE": "production"})) >= 7


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NGOMON_UNKNOWN", "1"), ("NGOMON_database_url", "x"), ("NGOMON_LIMITS", "{}"), ("NGOMON_LIMIT_UNKNOWN", "1"), ("NGOMON_OTP_UNKNOWN", "1"),
        ("NGOMON_OTP_TOTAL_LIFETIME", "1"), ("NGOMON_", "1"), ("NGOMON_PROFILE", "test"), ("NGOMON_PROFILE", "Production"), ("NGOMON_REQUIRE_DPOP", "yes please"),
        ("NGOMON_TRUSTED_PROXIES", "-1"), ("NGOMON_TRUSTED_PROXIES", "one"), ("NGOMON_OTP_ATTEMPTS", "-1"), ("NGOMON_OTP_ATTEMPTS", "five"),
        ("NGOMON_OTP_ATTEMPTS", ""), ("NGOMON_LIMIT_PROVIDER_TIMEOUT", "nan"), ("NGOMON_LIMIT_PROVIDER_TIMEOUT", "inf"), ("NGOMON_PUBLIC_URL", "cong.example"),
        ("NGOMON_PUBLIC_URL", "ftp://cong.example"), ("NGOMON_PUBLIC_URL", "http://[::1"), ("NGOMON_PUBLIC_URL", "http://cong.example:99999"),
        ("NGOMON_VNEID_ISSUER", "javascript:alert(1)"), ("NGOMON_VNEID_REDIRECT_URI", "//cong.example"), ("NGOMON_DATABASE_URL", "sqlite:///x.db"),
        ("NGOMON_DATABASE_URL", "mysql://x"), ("NGOMON_SMS_URL", "http://sms.example"), ("NGOMON_VNEID_FLAVOUR", "saml"), ("NGOMON_VNEID_CLIENT_KEY", "/nowhere/key.json"),
        ("NGOMON_SECRET_KEYS_FILE", "/nowhere/keys"), ("NGOMON_SECRET_KEYS", "x"), ("NGOMON_CERTIFICATE_POLICIES", "1.2.3,x"),
        ("NGOMON_TRUSTED_CAS", "/nowhere/cas.pem"), ("NGOMON_ALLOWED_PRIVATE_HOSTS", "10.0.0.1,a b:c"), ("NGOMON_TRUSTED_CAS", __file__),
    ],
)  # fmt: skip
def test_ti13_a_wrong_or_unknown_variable_is_an_error_that_names_it(name: str, value: str) -> None:
    found = causes({name: value})
    named = name.removesuffix("_FILE") if name.endswith("KEYS_FILE") else name
    assert any(named in cause for cause in found), found


def test_ti13_no_limit_that_is_a_count_may_be_switched_off_in_production(
    production: dict[str, str],
) -> None:
    assert {"accounts_per_phone", "bulk_most", "hashes_at_once", "caution", "sim_rest"} <= set(COUNTS)
    found = causes(production | {f"NGOMON_LIMIT_{name.upper()}": "0" for name in COUNTS})
    assert len(found) == len(COUNTS)


@pytest.mark.parametrize("name", sorted(MOST))
def test_a20_no_limit_may_be_stretched_beyond_its_most_in_production(
    production: dict[str, str], name: str
) -> None:
    variable = f"NGOMON_LIMIT_{name.upper()}"
    assert MOST[name] >= getattr(Limits(), name), "the shipped value is within"
    load(production | {variable: f"{MOST[name]:.0f}"})
    for far in (MOST[name] + 1, 1_000_000 + MOST[name]):
        found = causes(production | {variable: f"{far:.0f}"})
        assert found and all(cause.startswith(f"{variable}:") for cause in found)
        if name != "sms_reserved_percent":  # nowhere above its most
            load({variable: f"{far:.0f}"})


def test_a20_every_limit_is_listed_with_the_most_that_production_takes() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/settings.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `NGOMON_LIMIT_([A-Z_]+)` \|.*\| (\d+) \|$", page, re.MULTILINE))
    assert rows == {name.upper(): f"{most:.0f}" for name, most in MOST.items()}
    assert set(MOST) == set(Limits.__struct_fields__), "a new limit gets its most in backend/bounds.py"


@pytest.mark.parametrize(("name", "value"), [("SUPPORT_POLL_SECONDS", "0"), ("SUPPORT_POLL_SECONDS", "86400"), ("TRUSTED_PROXIES", "1000")])  # fmt: skip
def test_a20_other_numbers_have_an_end_too(production: dict[str, str], name: str, value: str) -> None:
    assert [cause.split(":")[0] for cause in causes(production | {f"NGOMON_{name}": value})] == [
        f"NGOMON_{name}"
    ]


WEAK = {
    "zeros": bytes(32),
    "one byte": b"\xa7" * 32,
    "two bytes": b"\x01\xfe" * 16,
    "a pattern of eight": bytes([3, 141, 59, 26, 53, 58, 97, 93]) * 4,
    "a pattern of sixteen": bytes(range(7, 247, 15)) * 2,
    "counted up": bytes(range(32)),
    "counted down": bytes(range(255, 191, -2)),
    "typed": b"correct horse battery staple 123",
    "hexadecimal": b"0123456789abcdef0123456789abcdef",
    "mostly zeros": bytes(20) + secrets.token_bytes(12),
}


@pytest.mark.parametrize("kind", WEAK)
def test_a20_a_key_that_can_be_guessed_is_refused_by_name(production: dict[str, str], kind: str) -> None:
    weak = base64.b64encode(WEAK[kind]).decode()
    for keys in (weak, f"{KEY},{weak}", f"{weak},{KEY}"):
        (found,) = causes(production | {"NGOMON_SECRET_KEYS": keys})
        assert found.startswith("NGOMON_SECRET_KEYS:") and weak not in found


def test_a20_no_key_that_is_made_is_refused(production: dict[str, str]) -> None:
    for _ in range(300):
        load(production | {"NGOMON_SECRET_KEYS": new_secret_key()})


@pytest.mark.parametrize("token", ["a", "metrics", "m" * 32, "abababababababababab", "1234567"])
def test_a20_a_token_that_can_be_guessed_is_refused_by_name(production: dict[str, str], token: str) -> None:
    (found,) = causes(production | {"NGOMON_METRICS_TOKEN": token})
    assert found.startswith("NGOMON_METRICS_TOKEN:") and (len(token) < 5 or token not in found)


@pytest.mark.parametrize("wide", ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "8.0.0.0/7", "fc00::/7", "2000::/3", "169.254.0.0/16", "169.254.169.254/32", "fe80::/64"])  # fmt: skip
def test_a20_a_door_as_wide_as_the_wall_is_refused_by_name(production: dict[str, str], wide: str) -> None:
    (found,) = causes(production | {"NGOMON_ALLOWED_PRIVATE_HOSTS": f"sms.noi-bo:13013,{wide}"})
    assert found.startswith("NGOMON_ALLOWED_PRIVATE_HOSTS:") and wide in found


def test_a20_the_inside_of_a_house_may_be_listed(production: dict[str, str]) -> None:
    inside = "127.0.0.1,localhost,[::1]:8080,10.0.0.0/8,172.16.0.0/12,192.168.1.0/24,fd12:3456::/32,sms.noi-bo:13013"
    load(production | {"NGOMON_ALLOWED_PRIVATE_HOSTS": inside})


def test_a20_what_needs_database_and_keys_asks_for_nothing_else_and_takes_nothing_unsafe(
    production: dict[str, str],
) -> None:
    few = {name: production[name] for name in ("NGOMON_PROFILE", "NGOMON_DATABASE_URL", "NGOMON_SECRET_KEYS")}
    assert len(causes(few)) > 3
    load(few, storage_only=True)
    weak = base64.b64encode(bytes(32)).decode()
    load(few | {"NGOMON_SECRET_KEYS": f"{KEY},{weak}"}, storage_only=True)  # the way to be rid of it
    for name, value in {"SECRET_KEYS": f"{weak},{KEY}", "LIMIT_OTP_ATTEMPTS": "1000000", "METRICS_TOKEN": "a", "ALLOWED_PRIVATE_HOSTS": "0.0.0.0/0", "REQUIRE_DPOP": "false", "UNKNOWN": "1"}.items():  # fmt: skip
        with pytest.raises(SettingsError, match=f"NGOMON_{name}"):
            load(few | {f"NGOMON_{name}": value}, storage_only=True)
    with pytest.raises(SettingsError, match="NGOMON_SECRET_KEYS"):
        load({"NGOMON_PROFILE": "production"}, storage_only=True)


def test_ti13_a_second_provider_in_production_wants_our_name_and_proof_there(
    production: dict[str, str],
) -> None:
    there = {"NGOMON_POST_OFFICE_ISSUER": "https://buu-dien.example"}
    named = {"NGOMON_POST_OFFICE_CLIENT_ID": "cong"}
    assert [cause.split(":")[0] for cause in causes(production | there)] == [
        "NGOMON_POST_OFFICE_CLIENT_ID",
        "NGOMON_POST_OFFICE_CLIENT_SECRET (or _CLIENT_KEY)",
    ]
    assert len(causes(production | there | named)) == 1
    load(production | there | named | {"NGOMON_POST_OFFICE_CLIENT_SECRET": "s"})


def test_both_providers_have_the_same_settings() -> None:
    names = [name for name in Settings.__struct_fields__ if name.startswith("vneid_")]
    others = [name for name in Settings.__struct_fields__ if name.startswith("post_office_")]
    assert {name.removeprefix("vneid_") for name in names} == {
        name.removeprefix("post_office_") for name in others
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [("FLAVOUR", "saml"), ("USERINFO_METHOD", "PUT"), ("ENVELOPE_CIPHER", "gcm"), ("ENVELOPE_CODE", "x"), ("TOKEN_URL", "x"), ("ENVELOPE_KEY", "/nowhere.pem"), ("ENVELOPE_KEY", __file__)],
)  # fmt: skip
def test_a_wrong_setting_of_either_provider_is_named(name: str, value: str) -> None:
    for group in ("VNEID", "POST_OFFICE"):
        assert f"NGOMON_{group}_{name}" in causes({f"NGOMON_{group}_{name}": value})[0]


def test_another_flavour_of_the_post_office_wants_its_address_and_its_key() -> None:
    found = causes({"NGOMON_POST_OFFICE_FLAVOUR": "vneid_direct"})
    assert [cause.split(":")[0] for cause in found] == [
        "NGOMON_POST_OFFICE_ENVELOPE_KEY",
        "NGOMON_POST_OFFICE_ISSUER",
    ]


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"{KEY}\n")
    assert load({"NGOMON_SECRET_KEYS_FILE": str(tmp_path / "keys")}).secret_keys == KEY
    (tmp_path / "keys").write_bytes(b"\xff\xfe")
    assert "NGOMON_SECRET_KEYS_FILE" in causes({"NGOMON_SECRET_KEYS_FILE": str(tmp_path / "keys")})[0]


def test_the_demo_makes_its_key_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    environ = {"NGOMON_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path / 'ngomon.db'}"}
    first, second = (with_keys(load(environ)) for _ in range(2))
    assert first.secret_keys == second.secret_keys != ""
    assert stat.S_IMODE((tmp_path / "ngomon.keys").stat().st_mode) == 0o600
