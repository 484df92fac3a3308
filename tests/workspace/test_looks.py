"""What every page keeps to: accessibility, width, weight, and the strict headers."""

from __future__ import annotations

import gzip

import pytest
from playwright.async_api import Browser, Response

from backend.roles import queue
from tests.parts.browser import axe
from tests.workspace.glass import at
from tests.workspace.office import Office
from tests.workspace.test_reviews import reviewed

# what a browser shows does not depend on where the rows are kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)

DESKTOP, PHONE = {"width": 1200, "height": 850}, {"width": 360, "height": 740}
NARROWEST = 320
WEIGHT_MOST, REQUESTS_MOST = 60 * 1024, 6


@pytest.mark.parametrize(("lang", "theme"), [("vi", "light"), ("en", "dark")])
async def test_every_page_is_accessible_and_never_wider_than_the_screen(
    office: Office, browser: Browser, lang: str, theme: str
) -> None:
    waiting = await office.asks("Nguyễn Thị Định", decision_number="1/QĐ")
    await office.has_role("Võ Thị Sáu")
    decided = await office.has_role("Lê Thị Riêng")
    async with office.service.db.read() as tx:
        chi, now = office.chi.account_id, office.service.clock.now()
        role = (await queue.people(tx, office.service.kit, chi, now=now)).items[0].role_id
    await reviewed(office)
    paths = [
        "/workspace",
        "/workspace?q=khongcoai",
        f"/workspace/requests/{waiting}",
        f"/workspace/requests/{decided}",
        "/workspace/people",
        "/workspace/reviews",
        f"/workspace/people/{role}/end",
        f"/workspace/people/{role}/transfer",
        "/workspace/decisions",
        "/workspace/reports",
        "/workspace/settings",
        "/workspace/systems",
        "/workspace/audit",
        "/workspace/nowhere",
        "/workspace/login",
    ]
    faults = []
    async with at(office, browser, viewport=DESKTOP) as context:
        page = await context.new_page()
        await page.goto(f"/workspace?lang={lang}&theme={theme}")
        for path in paths:
            await page.goto(path)
            for size in (DESKTOP, PHONE):
                await page.set_viewport_size(size)  # type: ignore[arg-type]
                faults += [f"{path} {size['width']}: {fault}" for fault in await axe(page)]
            await page.set_viewport_size({"width": NARROWEST, "height": 640})
            width = await page.evaluate("document.documentElement.scrollWidth")
            faults += [f"{path} is {width} wide"] if width > NARROWEST else []
    assert not faults, "\n".join(faults)


async def test_the_first_visit_of_the_inbox_is_light(office: Office, browser: Browser) -> None:
    for number in range(25):
        await office.asks(f"Nguyễn Thị Thu Phương {number:02d}")
    seen: list[Response] = []
    async with at(office, browser) as context:
        page = await context.new_page()
        page.on("response", lambda response: seen.append(response))  # noqa: PLW0108 - it hangs a mark on it
        async with page.expect_response("**/workspace/events"):
            await page.goto("/workspace")
        await page.wait_for_load_state("load")
        weight = 0
        for response in seen:
            if not response.url.endswith("/events"):
                weight += len(gzip.compress(await response.body(), 6))
    assert len(seen) <= REQUESTS_MOST, [one.url for one in seen]
    assert weight <= WEIGHT_MOST, weight


async def test_tw15_the_policy_forbids_what_it_should_and_files_live_for_a_year(
    office: Office, browser: Browser
) -> None:
    async with at(office, browser) as context:
        page = await context.new_page()
        answer = await page.goto("/workspace")
        assert answer is not None
        headers = answer.headers
        policy = headers["content-security-policy"]
        for part in (
            "default-src 'none'",
            "frame-ancestors 'self'",  # this is a demo; of production `test_front.py` speaks
            "base-uri 'none'",
            "form-action 'self'",
            "require-trusted-types-for 'script'",
        ):
            assert part in policy
        assert "unsafe" not in policy
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        style = await page.locator("link[rel=stylesheet]").get_attribute("href")
        assert style is not None
        file = await context.request.get(style)
        assert "immutable" in file.headers["cache-control"] and file.headers["content-encoding"] == "gzip"
        for wrong in ("/workspace/static/x/workspace.css", "/workspace/static/x/..%2f..%2fauth.py"):
            assert (await context.request.get(wrong)).status == 404
