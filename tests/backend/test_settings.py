"""Every mistake in the environment is named at start, and production refuses what is for play (contract §1, TI13)."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from backend.crypto import new_secret_key
from backend.limits import COUNTS
from backend.settings import Settings, SettingsError, load, with_keys

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
        "NGOMON_METRICS_TOKEN": "m" * 32,
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


@pytest.mark.parametrize(
    "name",
    ["SECRET_KEYS", "VNEID_ISSUER", "VNEID_CLIENT_ID", "VNEID_CLIENT_SECRET", "SMS_URL", "FCM_CREDENTIALS", "METRICS_TOKEN", "PUBLIC_URL"],
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
