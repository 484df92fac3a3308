"""The stand-in e-ID's pages, and how it misbehaves only when told to."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.errors import JoseError

from demo.eid_claims import Fault
from tests.demo.eid_client import ISSUER, Client, client, said

__all__ = ["client"]


async def test_a_person_picks_themselves_on_the_page_once(client: Client) -> None:
    shown = await client.authorize()
    assert shown.status_code == 200
    assert "Trần Văn Bình" in shown.text
    ticket = shown.text.split('name="ticket" value="')[1].split('"')[0]
    form = {"ticket": ticket, "persona": "binh"}
    assert "code" in said(await client.http.post(f"{ISSUER}/approve", data=form))
    assert (await client.http.post(f"{ISSUER}/approve", data=form)).status_code == 400


async def test_a_person_may_cancel(client: Client) -> None:
    ticket = client.eid.ask(list(client.query().items()))
    answer = await client.http.post(f"{ISSUER}/approve", data={"ticket": ticket, "cancel": "1"})
    assert said(answer)["error"] == "access_denied"


@pytest.mark.parametrize("number", ["097092000202", "00019700010", "000 abc", ""])
async def test_an_own_person_never_has_a_number_that_could_be_somebodys(client: Client, number: str) -> None:
    ticket = client.eid.ask(list(client.query().items()))
    own = {"ticket": ticket, "full_name": "Lý Thử", "birth_date": "1990-01-01", "national_id": number}
    answer = await client.http.post(f"{ISSUER}/approve", data=own)
    assert answer.status_code == 422
    assert "000" in answer.text
    own["national_id"] = "000 090 012345"
    assert "code" in said(await client.http.post(f"{ISSUER}/approve", data=own))


async def test_another_sites_page_cannot_press_the_switches(client: Client) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site"}
    answer = await client.http.post(f"{ISSUER}/switch", json={"next": "cancelled"}, headers=foreign)
    assert answer.status_code == 403
    assert client.eid.next_fault is None


async def set_next(client: Client, fault: Fault) -> None:
    answer = await client.http.post(f"{ISSUER}/switch", json={"next": fault.value})
    assert answer.json()["next"] == fault.value


async def test_a_cancelled_sign_in_is_cancelled_once(client: Client) -> None:
    await set_next(client, Fault.CANCELLED)
    assert said(await client.authorize(prompt="none", login_hint="an"))["error"] == "access_denied"
    assert "code" in said(await client.authorize(prompt="none", login_hint="an"))


async def test_each_fault_of_the_id_token_shows_in_the_next_sign_in_only(client: Client) -> None:
    await set_next(client, Fault.WRONG_NONCE)
    wrong = await client.id_token((await client.token(await client.code())).json()["id_token"])
    assert wrong["nonce"] != client.nonce
    await set_next(client, Fault.FOREIGN_ISSUER)
    foreign = await client.id_token((await client.token(await client.code())).json()["id_token"])
    assert foreign["iss"] != ISSUER
    await set_next(client, Fault.EXPIRED_TOKEN)
    late = await client.id_token((await client.token(await client.code())).json()["id_token"])
    assert late["exp"] < client.clock.now().timestamp()
    await set_next(client, Fault.LEVEL_1)
    low = await client.id_token((await client.token(await client.code())).json()["id_token"])
    assert (low["assurance_level"], low["acr"]) == (1, "LoA1")
    right = await client.id_token((await client.token(await client.code())).json()["id_token"])
    assert (right["nonce"], right["iss"], right["assurance_level"]) == (client.nonce, ISSUER, 2)


async def test_userinfo_can_speak_of_somebody_else(client: Client) -> None:
    await set_next(client, Fault.OTHER_SUBJECT)
    answer = (await client.token(await client.code())).json()
    bearer = {"Authorization": f"Bearer {answer['access_token']}"}
    info = (await client.http.get(f"{ISSUER}/userinfo", headers=bearer)).json()
    assert info["sub"] != (await client.id_token(answer["id_token"]))["sub"]


async def test_a_provider_that_is_down_says_when_to_come_back(client: Client) -> None:
    await set_next(client, Fault.PROVIDER_503)
    answer = await client.token(await client.code())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    await client.http.post(f"{ISSUER}/switch", json={"down": "on"})
    assert (await client.http.get(f"{ISSUER}/.well-known/openid-configuration")).status_code == 503
    assert (await client.authorize()).status_code == 503


async def test_an_unknown_switch_is_named_as_such(client: Client) -> None:
    answer = await client.http.post(f"{ISSUER}/switch", json={"next": "explode"})
    assert answer.status_code == 400
    assert "wrong_nonce" in answer.json()["known"]


async def test_a_tampered_id_token_does_not_verify(client: Client) -> None:
    token = (await client.token(await client.code())).json()["id_token"]
    head, body, signature = token.split(".")
    with pytest.raises(JoseError):
        await client.id_token(f"{head}.{body[:-4]}AAAA.{signature}")


async def test_the_page_speaks_english_when_asked(client: Client) -> None:
    shown = await client.authorize(lang="en")
    assert "Identity app (stand-in)" in shown.text
    assert parse_qs(urlsplit(str(shown.url)).query)["lang"] == ["en"]
