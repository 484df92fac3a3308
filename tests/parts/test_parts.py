"""Each real part by itself: if one of these fails, the fault is not the product's."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from urllib.parse import urlencode, urlsplit

import asyncpg
import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from playwright.async_api import Browser

from tests.parts.browser import axe
from tests.parts.client import client
from tests.parts.directory import Directory
from tests.parts.kannel import Kannel
from tests.parts.oidc import SCOPES, OidcProvider
from tests.parts.postgres import Postgres
from tests.parts.processes import eventually
from tests.parts.scim import ScimServer

RETURN = "http://127.0.0.1:9/app/vneid"
UCS2 = 8


async def test_postgres_keeps_what_was_committed_when_it_is_killed(postgres: Postgres) -> None:
    dsn = postgres.new_database("parts").replace("+asyncpg", "")
    connection = await asyncpg.connect(dsn)
    assert await connection.fetchval("SHOW synchronous_commit") == "on"
    await connection.execute("CREATE TABLE person (name text); INSERT INTO person VALUES ('Đặng Thị Hường')")
    postgres.kill()
    postgres.start()
    connection = await asyncpg.connect(dsn)
    assert await connection.fetchval("SELECT name FROM person") == "Đặng Thị Hường"
    await connection.close()


async def test_a_postgres_database_can_be_copied_and_is_empty_when_new(postgres: Postgres) -> None:
    connection = await asyncpg.connect(postgres.new_database("original").replace("+asyncpg", ""))
    await connection.execute("CREATE TABLE person (name text)")
    await connection.close()
    for name, template, tables in (("copy", "original", 1), ("original", "template0", 0)):
        connection = await asyncpg.connect(
            postgres.new_database(name, template=template).replace("+asyncpg", "")
        )
        assert (
            await connection.fetchval("SELECT count(*) FROM pg_tables WHERE tablename = 'person'") == tables
        )
        await connection.close()


class Login:
    """What a client of the e-ID remembers between its two steps."""

    def __init__(self, provider: OidcProvider, client: str) -> None:
        self.provider, self.client = provider, client
        self.state, self.nonce, self.verifier = (secrets.token_urlsafe(32) for _ in range(3))

    def url(self, **changes: str | None) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        fields: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client,
            "redirect_uri": RETURN,
            "scope": SCOPES,
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        present = {name: value for name, value in (fields | changes).items() if value is not None}
        return f"{self.provider.issuer}/auth?{urlencode(present)}"

    async def exchange(self, code: str, **changes: str) -> httpx2.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": RETURN,
            "code_verifier": self.verifier,
        }
        async with client() as http:
            url = f"{self.provider.issuer}/token"
            if self.client == self.provider.basic:
                return await http.post(
                    url, data=form | changes, auth=(self.client, self.provider.client_secret)
                )
            return await http.post(url, data=form | self.assertion() | changes)

    def assertion(self) -> dict[str, str]:
        now = int(time.time())
        claims = {
            "iss": self.client,
            "sub": self.client,
            "aud": self.provider.issuer,
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + 60,
        }
        return {
            "client_id": self.client,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jwt.encode({"alg": "ES256", "kid": "client-1"}, claims, self.provider.key),
        }


@pytest.fixture
def eid(oidc_provider: OidcProvider) -> OidcProvider:
    oidc_provider.allow_redirect(RETURN)
    oidc_provider.add_account(
        "an",
        national_id="000090000001",
        full_name="Nguyễn Văn An",
        birth_date="1990-02-28",
        assurance_level=2,
    )
    return oidc_provider


@pytest.mark.parametrize("party", [OidcProvider.basic, OidcProvider.pkj])
async def test_the_eid_signs_a_person_in_and_its_token_says_who_it_is(eid: OidcProvider, party: str) -> None:
    login = Login(eid, party)
    answer = await eid.sign_in(login.url(), "an")
    assert (answer["state"], answer["iss"]) == (login.state, eid.issuer)
    tokens = (await login.exchange(answer["code"])).json()
    async with client() as http:
        keys = KeySet.import_key_set((await http.get(f"{eid.issuer}/jwks")).json())
    claims = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims
    assert (claims["sub"], claims["aud"], claims["nonce"]) == ("an", party, login.nonce)
    assert (claims["national_id"], claims["full_name"]) == ("000090000001", "Nguyễn Văn An")
    assert claims["assurance_level"] == 2


async def test_the_eid_refuses_a_code_twice_and_a_wrong_verifier(eid: OidcProvider) -> None:
    login = Login(eid, eid.basic)
    code = (await eid.sign_in(login.url(), "an"))["code"]
    assert (await login.exchange(code)).is_success
    assert (await login.exchange(code)).json()["error"] == "invalid_grant"
    code = (await eid.sign_in(login.url(), "an"))["code"]
    wrong = await login.exchange(code, code_verifier=secrets.token_urlsafe(32))
    assert wrong.json()["error"] == "invalid_grant"


async def test_the_eid_refuses_a_sign_in_without_pkce(eid: OidcProvider) -> None:
    without = Login(eid, eid.basic).url(code_challenge=None, code_challenge_method=None)
    assert (await eid.sign_in(without, "an"))["error"] == "invalid_request"


async def test_cancelling_at_the_eid_comes_back_as_access_denied(eid: OidcProvider) -> None:
    login = Login(eid, eid.basic)
    answer = await eid.cancel(login.url())
    assert (answer["error"], answer["state"]) == ("access_denied", login.state)


async def test_the_eid_can_fail_and_be_out_of_reach_and_come_back_with_the_same_keys(
    eid: OidcProvider,
) -> None:
    async with client() as http:
        before = (await http.get(f"{eid.issuer}/jwks")).json()
        eid.answer_with({"/jwks": 500})
        assert (await http.get(f"{eid.issuer}/jwks")).status_code == 500
    eid.stop()
    with pytest.raises(httpx2.TransportError):
        httpx2.get(f"{eid.issuer}/jwks", timeout=2)
    eid.start()
    assert httpx2.get(f"{eid.issuer}/jwks", timeout=5).json() == before


async def send_sms(kannel: Kannel, text: str, *, coding: int, password: str | None = None) -> httpx2.Response:
    parts = urlsplit(kannel.url)
    fields = {
        "username": parts.username,
        "password": password or parts.password,
        "from": "HUE-S",
        "to": "84550000001",
        "text": text,
        "charset": "UTF-8",
        "coding": coding,
    }
    async with client() as http:
        return await http.get(f"http://{parts.hostname}:{parts.port}/cgi-bin/sendsms", params=fields)


async def test_a_plain_sms_arrives_in_seven_bits(kannel: Kannel) -> None:
    assert (await send_sms(kannel, "Ma xac thuc: 123456", coding=0)).status_code == 202
    sms = await kannel.message_to("0550000001")
    assert (sms.sender, sms.text, sms.parts, sms.data_coding) == ("HUE-S", "Ma xac thuc: 123456", 1, 0)


async def test_a_long_vietnamese_sms_arrives_whole_in_ucs2(kannel: Kannel) -> None:
    text = (
        "Mã xác thực của bạn là 123456, dùng trong 5 phút. Không chia sẻ mã này với bất kỳ ai, kể cả cán bộ."
    )
    assert (await send_sms(kannel, text, coding=2)).status_code == 202
    sms = await kannel.message_to("0550000001")
    assert (sms.text, sms.parts, sms.data_coding) == (text, 2, UCS2)


async def test_kannel_refuses_a_stranger_and_can_be_out_of_reach(kannel: Kannel) -> None:
    assert (await send_sms(kannel, "x", coding=0, password="wrong")).status_code == 403
    kannel.shut_door()
    with pytest.raises(httpx2.TransportError):
        await send_sms(kannel, "x", coding=0)


async def test_a_refusing_sms_centre_loses_the_message_and_a_dead_one_only_delays_it(kannel: Kannel) -> None:
    kannel.centre("reject")
    assert (await send_sms(kannel, "lost", coding=0)).status_code == 202
    kannel.centre("down")
    await send_sms(kannel, "late", coding=0)
    await eventually(kannel.queued, what="a message that waits in Kannel")
    assert kannel.messages() == []
    kannel.centre("accept")
    assert (await kannel.message_to("0550000001")).text == "late"
    assert [sms.text for sms in kannel.messages()] == ["late"]


def test_the_downstream_system_creates_reads_and_refuses_doubles(scim_server: ScimServer) -> None:
    user = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "an",
        "displayName": "Nguyễn Văn An",
    }
    created = scim_server.request("POST", "/Users", json=user)
    assert created.status_code == 201
    assert scim_server.request("POST", "/Users", json=user).status_code == 409
    group = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "Công chức",
        "members": [{"value": created.json()["id"]}],
    }
    assert scim_server.request("POST", "/Groups", json=group).status_code == 201
    found = scim_server.user("an")
    assert found is not None
    assert found["displayName"] == "Nguyễn Văn An"
    assert [member["value"] for member in scim_server.groups()[0]["members"]] == [found["id"]]
    assert httpx2.get(f"{scim_server.url}/Users", timeout=5).status_code == 401


def test_the_downstream_system_is_empty_again_for_the_next_test(scim_server: ScimServer) -> None:
    assert scim_server.users() == scim_server.groups() == []


async def test_the_browser_shows_a_page_and_axe_finds_a_planted_fault(browser: Browser) -> None:
    good = '<!doctype html><html lang="vi"><title>Ngọ Môn</title><main><h1>Hộp việc</h1>{}</main></html>'
    async with await browser.new_context() as context:
        page = await context.new_page()
        await page.set_content(good.format("<label>Tên <input></label>"))
        assert await page.title() == "Ngọ Môn"
        assert await axe(page) == []
        await page.set_content(good.format("<input>"))
        faults = await axe(page)
    assert [fault.split()[0] for fault in faults] == ["label"]


async def test_axe_works_under_a_strict_content_policy(browser: Browser) -> None:
    policy = "default-src 'none'; require-trusted-types-for 'script'"
    html = '<!doctype html><html lang="vi"><title>Ngọ Môn</title><main><h1>Hộp việc</h1><input></main></html>'
    async with await browser.new_context() as context:
        page = await context.new_page()
        await page.route(
            "**/*",
            lambda route: route.fulfill(
                body=html,
                content_type="text/html; charset=utf-8",
                headers={"content-security-policy": policy},
            ),
        )
        await page.goto("http://127.0.0.1:9/")
        assert [fault.split()[0] for fault in await axe(page)] == ["label"]


def test_the_mail_server_asks_the_directory_for_passwords(directory: Directory) -> None:
    dn = directory.add_mail_user("anh@hue.example", "mật-khẩu-1")
    assert directory.entry("anh@hue.example")["dn"] == [dn]
    assert directory.imap_sign_in("anh@hue.example", "mật-khẩu-1")
    assert directory.imap_sign_in("anh", "mật-khẩu-1")
    assert not directory.imap_sign_in("anh@hue.example", "mật-khẩu-2")
    directory.ldap_down()
    directory.reset()
    assert directory.entries("(mail=*)") == []
    assert not directory.imap_sign_in("anh@hue.example", "mật-khẩu-1")
