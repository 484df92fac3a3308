"""Three hundred texts that want to be markup, through every field that a page shows: each arrives as text (case TW09, rule 825)."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from backend.errors import settle
from backend.roles import review
from tests.workspace.counter import Counter
from tests.workspace.everywhere import everywhere
from tests.workspace.lived_in import lived_in
from tests.workspace.office import Office, Somebody

WANTED = 300
SHAPES = (
    "<script>{0}()</script>", "<img src=x onerror={0}()>", '"><svg onload={0}()>', "'><b onclick={0}()>",
    "javascript:{0}()", "{{{{{0}}}}}", "{{%{0}%}}", "${{{0}}}", "<a href=javascript:{0}()>", '" hx-get="/{0}',
    "<iframe srcdoc={0}>", "</textarea><script>{0}", "</title><script>{0}", "</script><script>{0}", "<!--{0}-->",
    "]]><{0}>", "&lt;script&gt;{0}", "%3Cscript%3E{0}", "<hx-partial id={0}>", "data:text/html,{0}",
    "<style>@import '{0}'", "<base href=//{0}>", "<form action=//{0}>", "<math><mi href=//{0}>", "`onerror={0}`",
    "<body onpageshow={0}>", "<input autofocus onfocus={0}>", "<details open ontoggle={0}>", "<object data={0}>",
    '<{0} xmlns="x">', "<embed src={0}>", "' autofocus onfocus='{0}", "\\\"><i id={0}>", "<link rel=import href={0}>",
)  # fmt: skip
MARK = re.compile(r"xss\d+y")
PLACES = {"href", "src", "action", "formaction", "data", "srcdoc", "poster", "xlink:href"}
NOT_OURS = {"base", "object", "embed", "math", "style", "hx-partial"}


class Said:
    """Hands out the next texts, as many as a field takes, and remembers which field each went into."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}

    def __call__(self, field: str, most: int) -> str:
        said, room = [], most
        while text := self._next(room):
            said.append(text)
            self.fields[f"xss{len(self.fields)}y"] = field
            room -= len(text) + 1
        return " ".join(said)

    def _next(self, room: int) -> str:
        """The next shape in turn that there is room for."""
        number = len(self.fields)
        turn = (SHAPES[(number + step) % len(SHAPES)].format(f"xss{number}y") for step in range(len(SHAPES)))
        return next((text for text in turn if len(text) <= room), "")


class Page(HTMLParser):
    """What of a page is text, and whatever became more than that."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.shown: set[str] = set()
        self.faults: list[str] = []
        self._raw = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._raw = tag if tag in {"script", "style"} else ""
        strange = tag == "script" and not {"src", "nonce"} & dict(attrs).keys()
        if MARK.search(tag) or tag in NOT_OURS or strange:
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            marks = set(MARK.findall(value or ""))
            self.shown |= marks
            runs = name.startswith("on") or name in {"style", "srcdoc"} or (bool(marks) and name == "id")
            away = (
                bool(marks)
                and (name in PLACES or name.startswith("hx-"))
                and not re.match(r"/[^/]", value or "")
            )
            if MARK.search(name) or runs or away or (value or "").startswith("javascript:"):
                self.faults.append(f"<{tag} {name}={value!r}>")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the parser names what ended
        self._raw = ""

    def handle_data(self, data: str) -> None:
        marks = set(MARK.findall(data))
        self.shown |= marks
        if marks and self._raw:
            self.faults.append(f"<{self._raw}> {data!r}")

    def handle_comment(self, data: str) -> None:
        if MARK.search(data):
            self.faults.append(f"<!--{data}")


def test_a_page_that_took_a_text_for_markup_would_be_seen() -> None:
    for number, shape in enumerate(SHAPES):
        text = shape.format(f"xss{number}y")
        if re.search(r"<[a-z!/]", text):
            assert Page(f"<div>{text}</div>").faults, text
        else:
            assert not Page(f"<div>{text}</div>").faults, text
    for attribute in ("href", "hx-get"):
        assert (
            Page(f'<a {attribute}="javascript:xss1y()">').faults
            and not Page(f'<a {attribute}="/x/xss1y">').faults
        )


# what a page makes of a text does not depend on where the rows are kept
@pytest.mark.parametrize("service", ["sqlite"], indirect=True)
async def test_tw09_every_text_of_a_person_is_shown_as_text_on_every_page(
    office: Office, clerk: Somebody, counter: Counter
) -> None:
    said, service = Said(), office.service
    lived = await lived_in(office, clerk, counter, said)
    while len(said.fields) < WANTED:
        asked, now = await office.asks(said("one more", 110)), service.clock.now()
        async with service.db.write() as tx:
            by, why = office.chi.account_id, said("one more reason", 480)
            settle(await review.reject(tx, service.kit, asked, why, version=None, by=by, now=now))
        lived.more.append(f"/workspace/requests/{asked}")
    seen, missing = await everywhere(service, lived)
    assert not missing, sorted(missing)
    shown: set[str] = set()
    for one in seen:
        page = Page(one.text)
        shown |= page.shown
        assert not page.faults, (one.path, page.faults)
    nowhere = {field for mark, field in said.fields.items() if mark not in shown}
    assert not nowhere, f"no page shows what was said here, or a part of it: {sorted(nowhere)}"
