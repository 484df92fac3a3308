"""`ngomon doctor`: every counterpart is really asked, one line each, and nothing is sent or told (rule 1002)."""

from __future__ import annotations

import asyncio
import io
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from rich.console import Console

from backend.environment import load
from ngomon import doctor
from tests.ngomon.test_role_commands import Run, run
from tests.parts.directory import Directory
from tests.parts.kannel import Kannel
from tests.parts.mailbox import MailboxPart
from tests.parts.oidc import OidcProvider
from tests.parts.processes import free_port
from tests.parts.scim import ScimServer

__all__ = ["run"]
Seen = tuple[bool, dict[str, str]]  # all well; by name the state and the words
APP = {"ANDROID_PACKAGE": "vn.example.app", "ANDROID_FINGERPRINTS": ":".join(["AB"] * 32)}
COUNTERPARTS = ("VNeID", "post office", "subscriber registry", "social insurance", "SMS", "push", "mailbox (IMAP)", "mail server (SMTP)")  # fmt: skip


@pytest.fixture
def examine(run: Run) -> Callable[..., Seen]:
    """What the doctor says of the commands' database under these settings."""

    def looked(**environ: str) -> Seen:
        given = {name: value for name, value in os.environ.items() if name.startswith("NGOMON_")}
        settings = load(given | {f"NGOMON_{name}": value for name, value in environ.items()})
        page = io.StringIO()
        well = asyncio.run(doctor.examine(settings, Console(file=page, width=1000)))
        lines = [line.split(maxsplit=1) for line in page.getvalue().splitlines()]
        return well, {rest.split(": ")[0]: f"{state} {rest}" for state, rest in lines}

    return looked


@pytest.fixture
def account(tmp_path: Path) -> Callable[[str], str]:
    """A service-account file of Google's shape, whose tokens are fetched there."""

    def write(token_uri: str) -> str:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        words = {"type": "service_account", "project_id": "p", "private_key_id": "k", "client_id": "1"}
        words |= {"client_email": "push@p.example", "token_uri": token_uri, "private_key": key.decode()}
        file = tmp_path / "account.json"
        file.write_text(json.dumps(words))
        return str(file)

    return write


def named(provider: OidcProvider, group: str) -> dict[str, str]:
    return {
        f"{group}_ISSUER": provider.issuer,
        f"{group}_CLIENT_ID": provider.basic,
        f"{group}_CLIENT_SECRET": provider.client_secret,
    }


def test_a_demo_has_a_line_for_everybody_and_says_who_is_a_stand_in(examine: Callable[..., Seen]) -> None:
    well, said = examine()
    assert well
    assert {
        *COUNTERPARTS,
        "settings",
        "database",
        "keys",
        "SQLite",
        "certificates",
        "app links",
        "systems",
    } == said.keys()
    assert all("stand-in" in said[name] for name in COUNTERPARTS[:6])
    for name in ("mailbox (IMAP)", "mail server (SMTP)", "app links", "systems"):
        assert said[name].startswith("- ") and "not configured" in said[name]


def test_d05_the_doctor_says_which_app_opens_our_links_and_what_is_404_without_one(
    examine: Callable[..., Seen],
) -> None:
    assert examine()[1]["app links"].count(" is 404 and such links open in the browser") == 2
    well, said = examine(**APP)
    assert well and said["app links"].startswith("ok app links: Android: vn.example.app; iOS: not configured")
    assert said["app links"].count(" is 404 ") == 1


def test_real_counterparts_are_reached_and_nothing_is_sent_or_told(
    run: Run,
    examine: Callable[..., Seen],
    account: Callable[[str], str],
    oidc_provider: OidcProvider,
    kannel: Kannel,
    mailbox: MailboxPart,
    scim_server: ScimServer,
    directory: Directory,
) -> None:
    scim = ("--kind", "scim", "--url", scim_server.url, "--token", scim_server.token)
    assert run("systems", "add", "van-ban", *scim)[0] == 0
    assert run("systems", "add", "thu-muc", *directory.add_words)[0] == 0
    hook = ("--kind", "webhook", "--url", f"{oidc_provider.issuer}/hook")
    assert run("systems", "add", "tin", *hook)[0] == 0
    before = directory.entries("(objectClass=*)")
    well, said = examine(
        **named(oidc_provider, "VNEID"),
        **named(oidc_provider, "POST_OFFICE"),
        SUBSCRIBERS_URL=oidc_provider.issuer,
        SOCIAL_INSURANCE_URL=oidc_provider.issuer,
        SMS_URL=kannel.url,
        FCM_CREDENTIALS=account(f"{oidc_provider.issuer}/token"),
        FCM_ENDPOINT=oidc_provider.issuer,
        SUPPORT_IMAP_URL=mailbox.imap_url,
        SUPPORT_SMTP_URL=mailbox.smtp_url,
        **APP,
    )
    assert well, said
    assert {line.split()[0] for line in said.values()} == {"ok"}
    assert "discovery read" in said["VNeID"] and "keys" in said["VNeID"]
    assert {"system van-ban", "system thu-muc"} <= said.keys()
    assert said["system tin"].endswith(
        "answers 404 (nothing was told)"
    )  # whoever is only told cannot be asked
    secrets = (oidc_provider.client_secret, mailbox.password, scim_server.token, directory.password)
    assert not any(secret in " ".join(said.values()) for secret in secrets)
    assert kannel.messages() == [] and mailbox.envelopes == [] and scim_server.users() == []
    assert directory.entries("(objectClass=*)") == before


@pytest.mark.parametrize("flavour", ["oidc", "portal", "vneid_direct"])
def test_an_e_id_that_is_not_there_is_told_in_every_flavour(
    examine: Callable[..., Seen], tmp_path: Path, flavour: str
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    dead = f"http://127.0.0.1:{free_port()}"
    environ = {"FLAVOUR": flavour, "ISSUER": dead, "ENVELOPE_KEY": str(tmp_path / "key.pem")}
    for group, name in (("VNEID", "VNeID"), ("POST_OFFICE", "post office")):
        well, said = examine(**{f"{group}_{word}": value for word, value in environ.items()})
        assert not well
        assert [line for line in said.values() if line.startswith("fail")] == [said[name]]


def test_a_portal_that_answers_is_told_by_what_it_answers(
    examine: Callable[..., Seen], oidc_provider: OidcProvider
) -> None:
    environ = named(oidc_provider, "VNEID") | {"VNEID_FLAVOUR": "portal"}
    well, said = examine(**environ)
    assert well and "token" in said["VNeID"] and "answers 404" in said["VNeID"]
    assert not examine(**environ, ALLOWED_PRIVATE_HOSTS="10.1.1.1")[0], "the rule of the product holds here"


def test_every_counterpart_that_is_out_of_reach_is_a_failure_of_its_own(
    run: Run, examine: Callable[..., Seen], account: Callable[[str], str]
) -> None:
    dead = f"127.0.0.1:{free_port()}"
    assert (
        run("systems", "add", "van-ban", "--kind", "scim", "--url", f"http://{dead}", "--token", "t")[0] == 0
    )
    words = ("--bind-dn", "cn=x", "--base-dn", "dc=x", "--token", "t")
    assert run("systems", "add", "thu-muc", "--kind", "ldap", "--url", f"ldap://{dead}", *words)[0] == 0
    assert run("systems", "add", "cu", "--kind", "scim", "--url", f"http://{dead}", "--token", "t")[0] == 0
    assert run("systems", "disable", "cu")[0] == 0
    well, said = examine(
        VNEID_ISSUER=f"http://{dead}",
        POST_OFFICE_ISSUER=f"http://{dead}",
        SUBSCRIBERS_URL=f"http://{dead}",
        SOCIAL_INSURANCE_URL=f"http://{dead}",
        SMS_URL=f"kannel://user:tests-only@{dead}/?from=HUE-S",
        FCM_CREDENTIALS=account(f"http://{dead}/token"),
        FCM_ENDPOINT=f"http://{dead}",
        SUPPORT_IMAP_URL=f"imap://user:tests-only@{dead}/INBOX",
        SUPPORT_SMTP_URL=f"smtp://user:tests-only@{dead}",
    )
    assert not well
    failed = {name for name, line in said.items() if line.startswith("fail")}
    assert failed == {*COUNTERPARTS, "system van-ban", "system thu-muc"}
    assert said["system cu"] == "- system cu: disabled"
    assert "tests-only" not in " ".join(said.values())


def test_a_password_that_is_not_taken_is_a_failure(
    run: Run,
    examine: Callable[..., Seen],
    mailbox: MailboxPart,
    scim_server: ScimServer,
    directory: Directory,
) -> None:
    scim = ("--kind", "scim", "--url", scim_server.url, "--token", "wrong")
    assert run("systems", "add", "van-ban", *scim)[0] == 0
    ldap = ["wrong" if word == directory.password else word for word in directory.add_words]
    assert run("systems", "add", "thu-muc", *ldap)[0] == 0
    well, said = examine(SUPPORT_IMAP_URL=mailbox.imap_url.replace("tests%20only", "wrong"))
    assert not well
    for name in ("system van-ban", "system thu-muc"):
        assert said[name] == f"fail {name}: credentials_refused"
    assert "does not let us in" in said["mailbox (IMAP)"]


def test_a_key_file_that_is_none_of_googles_is_a_failure(
    examine: Callable[..., Seen], tmp_path: Path
) -> None:
    (tmp_path / "push.json").write_text("{}")
    well, said = examine(FCM_CREDENTIALS=str(tmp_path / "push.json"))
    assert not well
    assert said["push"] == "fail push: NGOMON_FCM_CREDENTIALS holds no service account of Google"


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield int(server.getsockname()[1])
        for one in held:
            one.close()
        server.shutdown(socket.SHUT_RDWR)


def test_somebody_who_takes_calls_and_says_nothing_is_a_failure_in_the_end(
    examine: Callable[..., Seen], silent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "IN_ALL", 2.0)
    well, said = examine(
        SUPPORT_SMTP_URL=f"smtp://127.0.0.1:{silent}", SUBSCRIBERS_URL=f"http://127.0.0.1:{silent}"
    )
    assert not well
    assert said["mail server (SMTP)"].startswith("fail") and said["subscriber registry"].startswith("fail")
    assert said["database"].startswith("ok"), "the others have their lines all the same"


def test_without_a_schema_the_database_and_the_systems_fail(
    run: Run, examine: Callable[..., Seen], tmp_path: Path
) -> None:
    well, said = examine(DATABASE_URL=f"sqlite+aiosqlite:///{tmp_path / 'other.db'}")
    assert not well
    assert said["database"] == "fail database: the database has no schema yet: run `ngomon migrate`"
    assert said["systems"].startswith("fail")
