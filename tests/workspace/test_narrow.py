"""Every page of the route table, whatever long words stand on it: nothing scrolls sideways from 320 px on (cases F06, F07),
and axe finds nothing. Each is looked at in one language, theme and width, in turn; `bench/looks.py` looks at all of them."""

from __future__ import annotations

import itertools

import pytest
from playwright.async_api import Browser, BrowserContext

from tests.parts.browser import axe
from tests.workspace.counter import Counter
from tests.workspace.everywhere import Seen, everywhere
from tests.workspace.lived_in import lived_in
from tests.workspace.office import Office, Somebody

# what a browser shows does not depend on where the rows are kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)
WIDTHS = (320, 360)
STATES = itertools.cycle(itertools.product(("vi", "en"), ("light", "dark"), (360, 1280)))
WIDE = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return "";
  const out = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > room + 1);
  return out.slice(0, 3).map((one) => `${one.tagName}.${one.className} ${one.id}`).join(", ") || "something";
}"""


def long_words(field: str, most: int) -> str:
    """A text as long as the field takes it: a word that nothing breaks, then a name of many words."""
    whole = f"{field} {'Khôngmộtchỗngắt' * 6} https://hue.example/{'duong-dan' * 12} "
    return (whole + "Trung tâm Phát triển hạ tầng kỹ thuật và dịch vụ công ích đô thị " * 12)[:most].strip()


async def sideways(context: BrowserContext, seen: list[Seen]) -> list[str]:
    """The pages that are wider than the screen, and what sticks out; and what axe finds."""
    page, faults = await context.new_page(), []
    for one in seen:
        await page.set_viewport_size({"width": WIDTHS[0], "height": 640})
        await page.goto(one.path)
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 640})
            if out := await page.evaluate(WIDE):
                faults.append(f"{one.path} ({one.route}) at {width}: {out}")
        lang, theme, width = next(STATES)
        await page.set_viewport_size({"width": width, "height": 900})
        await page.goto(f"{one.path}{'&' if '?' in one.path else '?'}lang={lang}&theme={theme}")
        faults += [f"{one.path} {lang} {theme} {width}: {found}" for found in await axe(page)]
    return faults


async def test_f06_f07_every_page_is_accessible_and_none_scrolls_sideways_from_320_px_on(
    office: Office, clerk: Somebody, counter: Counter, browser: Browser
) -> None:
    lived = await lived_in(office, clerk, counter, long_words)
    seen, missing = await everywhere(office.service, lived)
    assert not missing, f"no page leads there, and no test knows how to come there: {sorted(missing)}"
    once = {one.route: one for one in reversed(seen)}
    faults: list[str] = []
    for who in (*lived.people, None):
        context = await browser.new_context(base_url=office.service.url)
        if who is not None:
            token = await office.token_of(who)
            await context.add_cookies([{"name": "ngomon", "value": token, "url": office.service.url}])
        faults += await sideways(context, [one for one in once.values() if one.who is who])
        await context.close()
    assert not faults, "\n".join(faults)
