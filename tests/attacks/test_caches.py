"""What the API tells somebody stays with them: no cache on the way or on the phone keeps it (rule 824)."""

from __future__ import annotations

from tests.citizen import ABOUT
from tests.service import Service


async def test_what_the_api_tells_somebody_is_kept_by_no_cache(service: Service) -> None:
    """Tokens, people, work to be done once, and what differs by who asks (RFC 6749 §5.1; rule 824)."""
    phone = await service.sign_in()
    told = [await phone.open("/v1/token", {"refresh_token": phone.session["refresh_token"]})]
    phone.session = told[0].json()["session"]
    told.append(await service.phone().open("/v1/logins", {"method": "vneid", "device": ABOUT}))
    told += [await service.http.get(path) for path in ("/v1/notices", "/v1/captcha")]
    for path in (
        "/sessions",
        "/notices",
        "/me/identity",
        "/me/auth-methods",
        "/me/access-history",
        "/support-cases",
    ):
        told.append(await phone.call("GET", f"/v1{path}"))
    assert {one.status_code for one in told} <= {200, 201}
    kept = {str(one.url): one.headers.get("cache-control") for one in told}
    assert set(kept.values()) == {"no-store"}, kept
    assert (await phone.call("GET", "/v1/units")).headers["cache-control"] == "private, no-cache", "has a tag"
