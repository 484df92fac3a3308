"""A signed-in browser whose console must stay silent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, BrowserContext

from tests.workspace.office import Office, Somebody

WAIT = 15_000


@asynccontextmanager
async def at(
    office: Office, browser: Browser, who: Somebody | None = None, **options: Any
) -> AsyncIterator[BrowserContext]:
    """A browser that is signed in; whatever its console complains of fails the test."""
    complaints: list[str] = []
    async with outspoken(office, browser, who, **options) as context:
        context.on("console", lambda message: _note(complaints, message.type, message.text))
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        context.on("dialog", lambda dialog: complaints.append(f"a dialog: {dialog.message}"))
        yield context
    assert not complaints, complaints


@asynccontextmanager
async def outspoken(
    office: Office, browser: Browser, who: Somebody | None = None, **options: Any
) -> AsyncIterator[BrowserContext]:
    """The same of one whose console may complain, as of what it has refused to another site's page."""
    context = await browser.new_context(base_url=office.service.url, **options)
    context.set_default_timeout(WAIT)
    token = await office.token_of(who or office.chi)
    await context.add_cookies(
        [
            {
                "name": "ngomon",
                "value": token,
                "url": office.service.url,
                "httpOnly": True,
                "sameSite": "Strict",
            }
        ]
    )
    try:
        yield context
    finally:
        await context.close()


def _note(complaints: list[str], kind: str, text: str) -> None:
    """Errors and policy violations count; a status that a test provokes is reported by the browser too."""
    if kind in {"error", "warning"} and "the server responded with a status of" not in text:
        complaints.append(text)
