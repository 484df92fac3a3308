"""What no page of ours offers: fields and forms that a script puts there, two presses in one instant; and what is written of them."""

from __future__ import annotations

import asyncio
from uuid import UUID

from playwright.async_api import Page, Route
from sqlalchemy import func, select

from backend.journal import Entry
from tests.parts.processes import within
from tests.workspace.office import Office
from tests.workspace.test_presses import DRAWN, LOOK, is_look, silent

POST = """([path, values]) => {
  const form = Object.assign(document.createElement("form"), { method: "post", action: path });
  const token = document.querySelector("[name=_csrf]").value;
  for (const [name, value] of Object.entries({ _csrf: token, ...values })) {
    form.append(Object.assign(document.createElement("input"), { name, value }));
  }
  document.body.append(form);
  form.submit();
}"""
PUT = """(form, [name, value]) =>
  form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }))"""
WRITE = "(box, text) => { box.value = text; box.dispatchEvent(new Event('input', { bubbles: true })); }"


class Together:
    """Holds every word until so many have been pressed, then lets them go in the same instant."""

    def __init__(self, many: int) -> None:
        self._gate = asyncio.Barrier(many)

    async def hold(self, page: Page) -> None:
        await page.route("**/decision", self._wait)

    async def _wait(self, route: Route) -> None:
        async with within(30, "the other window's press"):
            await self._gate.wait()
        await route.continue_()


async def still(page: Page) -> None:
    """The page changes by its presses alone: no stream, and what it looks for by itself brings nothing."""

    async def look(route: Route) -> None:
        await (route.fulfill(status=204) if is_look(route.request) else route.fallback())

    await silent(page)
    await page.route("**/workspace/requests/*", look)


async def looks(page: Page, request_id: UUID) -> None:
    """The page asks by itself how things are, once, and draws it."""
    await page.unroute_all(behavior="wait")
    await silent(page)
    async with page.expect_response(f"**/workspace/requests/{request_id}"):
        await page.evaluate(LOOK)
    await page.evaluate(DRAWN)


async def posted(page: Page, path: str, **values: str) -> None:
    """A form that no page of ours has, put on this one by a script, and its answer."""
    async with page.expect_navigation():
        await page.evaluate(POST, [path, values])


async def added(page: Page, name: str, value: str) -> None:
    """One more field in the form of a decision."""
    await page.locator("form.decide").evaluate(PUT, [name, value])


async def pasted(page: Page, text: str) -> None:
    """Into the box for the reason, past what it says of its length, as a script or a keyboard's own program would."""
    box = page.get_by_role("textbox", name="Lý do")
    await box.evaluate(WRITE, text)


async def written(office: Office, tag: str, request_id: UUID) -> int:
    """How many entries of the journal say this of a request."""
    async with office.service.db.read() as tx:
        said = select(func.count()).where(Entry.tag == tag, Entry.fact.contains(str(request_id)))
        return await tx.scalar(said) or 0
