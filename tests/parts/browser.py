"""A real browser, and the accessibility rules that every page has to keep."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from playwright.async_api import Browser, Page, async_playwright, expect

from tests.parts.processes import ROOT

FLAGS = (
    "--no-sandbox",  # the tests may run as root, where Chromium's sandbox does not start
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
PATIENCE = 30_000  # ms: a busy machine may take its time to draw
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
FAULTS = """async (rules) => (await axe.run(document, rules)).violations.map(
  ({ id, impact, help, nodes }) => ({ id, impact, help, places: nodes.map((node) => node.html) })
)"""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The machine's Chromium, or the one that Playwright brought."""
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program(), headless=True, args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


def program() -> str | None:
    """The machine's Chromium, if it has one."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


async def axe(page: Page) -> list[str]:
    """What axe-core finds wrong on the page as it stands; one line per fault, and none is the goal.

    It is evaluated, not added as a script, so that the page's content security policy stays as it is; once a page,
    and of its answer only the faults are fetched: both cost as much as looking.
    """
    rules = {"runOnly": {"type": "tag", "values": list(RULES)}, "resultTypes": ["violations"]}
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_axe_source())
    violations: list[dict[str, Any]] = await page.evaluate(FAULTS, rules)
    return [_line(violation) for violation in violations]


def _line(violation: dict[str, Any]) -> str:
    places = "; ".join(str(html)[:160] for html in violation["places"])
    return f"{violation['id']} ({violation['impact']}): {violation['help']}: {places}"


@cache
def _axe_source() -> str:
    return (ROOT / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
