"""What a person presses is never lost, whatever the page is told at the same moment."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Request, Route, expect

from backend.roles.models import RoleRequest
from tests.parts.processes import within
from tests.workspace.glass import at
from tests.workspace.office import Office

# what a browser shows does not depend on where the rows are kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)
LOOK = "document.body.dispatchEvent(new CustomEvent('look'))"
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


class SlowLook:
    """The page's next look is answered at once, and the answer arrives when the test lets it go."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._asked, self._go, self._over = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def begin(self, path: str) -> None:
        """Have the page look, and wait until the server has answered."""
        await self._page.route("**" + path, self._hold)
        for event in ("requestfinished", "requestfailed"):
            self._page.on(event, self._done)
        await self._page.evaluate(LOOK)
        async with within(30, "the server's answer to a look"):
            await self._asked.wait()

    async def arrive(self) -> None:
        """Let the answer go, and wait until it has been drawn or was not wanted any more."""
        self._go.set()
        async with within(30, "the end of a look"):
            await self._over.wait()
        await self._page.evaluate(DRAWN)

    async def _hold(self, route: Route) -> None:
        if not is_look(route.request) or self._asked.is_set():
            await route.continue_()
            return
        answer = await route.fetch()
        self._asked.set()
        await self._go.wait()
        await route.fulfill(response=answer)

    def _done(self, request: Request) -> None:
        if is_look(request):
            self._over.set()


def is_look(request: Request) -> bool:
    return request.headers.get("hx-source") == "main#main"


async def silent(page: Page) -> None:
    """No stream: the page looks only when the test says so."""
    await page.route("**/workspace/events", lambda route: route.fulfill(status=204))


async def status_of(office: Office, request_id: UUID) -> str:
    async with office.service.db.read() as tx:
        return (await tx.get_one(RoleRequest, request_id)).status


async def test_a_look_that_began_before_a_press_does_not_bring_the_older_page_back(
    office: Office, browser: Browser
) -> None:
    request_id = await office.asks("Lương Văn Can")
    async with at(office, browser) as context:
        page = await context.new_page()
        await silent(page)
        await page.goto(f"/workspace/requests/{request_id}")
        await page.get_by_role("button", name="Phê duyệt").click()
        await expect(page.get_by_role("button", name="Hoàn tác")).to_be_visible()
        look = SlowLook(page)
        await look.begin(f"/workspace/requests/{request_id}")
        await page.get_by_role("button", name="Hoàn tác").click()
        await expect(page.get_by_role("button", name="Phê duyệt")).to_be_visible()
        await look.arrive()
        assert await page.get_by_role("button", name="Phê duyệt").count() == 1
        await page.get_by_role("button", name="Phê duyệt").click()
        await expect(page.get_by_role("button", name="Hoàn tác")).to_be_visible()
    assert await status_of(office, request_id) == "approved"


async def held_down_while_somebody_approves(
    context: BrowserContext, office: Office, request_id: UUID
) -> Page:
    """A request's page whose button is held down when a look brings what somebody else has decided."""
    page = await context.new_page()
    await silent(page)
    await page.goto(f"/workspace/requests/{request_id}")
    await page.get_by_role("button", name="Phê duyệt").hover()
    await page.mouse.down()
    await office.approved_by_another(request_id)
    look = SlowLook(page)
    await look.begin(f"/workspace/requests/{request_id}")
    await look.arrive()
    return page


async def test_a_button_stays_under_the_finger_that_holds_it(office: Office, browser: Browser) -> None:
    request_id = await office.asks("Đào Duy Anh")
    async with at(office, browser) as context:
        page = await held_down_while_somebody_approves(context, office, request_id)
        await page.mouse.up()
        await expect(page.get_by_text("đã phê duyệt lúc")).to_be_visible()


async def test_a_look_that_found_a_button_held_down_is_made_up_for(office: Office, browser: Browser) -> None:
    request_id = await office.asks("Phan Khôi")
    async with at(office, browser) as context:
        page = await held_down_while_somebody_approves(context, office, request_id)
        await expect(page.get_by_role("button", name="Phê duyệt")).to_be_visible()
        await page.mouse.move(1, 1)
        await page.mouse.up()  # away from the button: no press
        await expect(page.get_by_role("button", name="Phê duyệt")).to_have_count(0)
        await expect(page.get_by_text("Đã được phê duyệt").first).to_be_visible()


async def test_what_changes_while_a_press_is_answered_is_looked_at_after_it(
    office: Office, browser: Browser
) -> None:
    request_id = await office.asks("Ngô Đức Kế")
    async with at(office, browser) as context:
        page = await context.new_page()
        await silent(page)
        await page.goto(f"/workspace/requests/{request_id}")
        looks: list[Request] = []
        too_early: list[Request] = []
        page.on("request", lambda request: looks.append(request) if is_look(request) else None)

        async def look_meanwhile(route: Route) -> None:
            await page.evaluate(LOOK)
            await page.wait_for_timeout(400)  # longer than a page waits before it looks
            too_early.extend(looks)
            await route.continue_()

        await page.route("**/decision", look_meanwhile)
        async with page.expect_request(is_look):
            await page.get_by_role("button", name="Phê duyệt").click()
        await expect(page.get_by_role("button", name="Hoàn tác")).to_be_visible()
        assert not too_early


async def test_a_second_press_of_the_same_button_is_no_second_word(office: Office, browser: Browser) -> None:
    request_id = await office.asks("Huỳnh Phan")
    async with at(office, browser) as context:
        page = await context.new_page()
        await silent(page)
        await page.goto(f"/workspace/requests/{request_id}")
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
        button = page.get_by_role("button", name="Phê duyệt")
        await button.evaluate("button => { button.click(); button.click(); }")
        await expect(page.get_by_role("button", name="Hoàn tác")).to_be_visible()
        await expect(page.get_by_text("đã phê duyệt lúc")).to_have_count(0)
        assert len(sent) == 1
    assert await status_of(office, request_id) == "approved"
