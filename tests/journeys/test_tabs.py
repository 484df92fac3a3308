"""Two tabs of the demo's phone, and so of the TypeScript client, are one device: one of them exchanges the token."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Browser, Page, Route

from tests.journeys.visitor import a_phone, signed_in_by_vneid
from tests.service import Service

# what two tabs do does not depend on where the rows are kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)

EXPIRED = """async () => {
  const { get, put } = await import("/demo/app/store.js");
  await put("1/session", { ...await get("1/session"), until: 0 });
}"""
ASKS = """async () => (await (await import("/demo/app/api.js")).call("GET", "/v1/me")).id"""
WAITING = "async () => (await navigator.locks.query()).pending.map((one) => one.name)"


async def test_of_two_tabs_one_exchanges_the_token_and_the_other_takes_what_it_got(
    service: Service, browser: Browser
) -> None:
    first = await a_phone(browser, service)
    person = service.person("Nguyễn Hai Thẻ")
    await signed_in_by_vneid(first, service, person.full_name)
    second = await first.context.new_page()
    await second.goto(first.url)
    exchanges: list[Page] = []
    asked_twice = asyncio.Event()

    async def hold(route: Route) -> None:
        """The first exchange is answered when the other tab waits for its lock, or has asked by itself."""
        exchanges.append(route.request.frame.page)
        if len(exchanges) > 1:
            asked_twice.set()
        else:
            other = second if exchanges == [first] else first
            while not asked_twice.is_set() and await other.evaluate(WAITING) != ["ngomon-refresh-1"]:
                await asyncio.sleep(0.02)
        await route.continue_()

    await first.context.route("**/v1/token", hold)
    await first.evaluate(EXPIRED)
    assert len(set(await asyncio.gather(first.evaluate(ASKS), second.evaluate(ASKS)))) == 1
    assert len(exchanges) == 1
    await first.context.close()
