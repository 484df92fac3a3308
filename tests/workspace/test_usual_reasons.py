"""The usual reasons of a no: kept once, and read by everybody in their own language (rule 632)."""

from __future__ import annotations

import re

from tests.workspace.office import Desk, Office
from tests.workspace.test_deciding import word

OURS, ENGLISH = "Thiếu số quyết định", "The decision number is missing"
CHIPS = re.compile(r'name="usual" value="([^"]*)"[^>]*> <span( lang="vi")?>([^<]*)</span>')


async def test_usual_reasons_are_in_the_reader_s_language_and_kept_as_one_sentence(
    office: Office, desk: Desk
) -> None:
    """Chosen without scripts on an English page, read by a Vietnamese one, and the other way round."""
    for lang, chosen, page in (
        ("en", ENGLISH, "requests"),
        ("vi", OURS, "requests"),
        ("en", ENGLISH, "bulk"),
    ):
        who = await office.person(f"Phan Thị {lang} {page}")
        asked = await office.asks_as(who)
        path = f"/workspace/requests/{asked}"
        chips = CHIPS.findall(await desk.page(path, lang=lang))
        assert (chosen, "" if lang == "en" else ' lang="vi"', chosen) in chips
        if page == "bulk":
            form = {"decision": "rejected", "pick": [f"{asked}:1"], "usual": chosen}
            done = await desk.send("/workspace/bulk?lang=en", form)
        else:
            done = await desk.send(f"{path}/decision?lang={lang}", word("returned") | {"usual": chosen})
        assert done.status_code == 303, done.text
        assert f"Lý do: {OURS}" in await desk.page(path, lang="vi")
        assert f"Reason: {ENGLISH}" in await desk.page(path, lang="en")
        theirs = await office.desk(who)
        mine = f"/workspace/me/requests/{asked}"
        assert f"Lý do: {OURS}" in await theirs.page(mine, lang="vi")
        assert f"Reason: {ENGLISH}" in await theirs.page(mine, lang="en")
        await theirs.http.aclose()


async def test_what_somebody_typed_stays_as_typed_in_every_language(office: Office, desk: Desk) -> None:
    typed = "Thiếu số quyết định 12"
    for number in range(2):
        asked = await office.asks(f"Phan Văn Tự {number}")
        path = f"/workspace/requests/{asked}"
        done = await desk.send(f"{path}/decision", word("returned", reason=typed))
        assert done.status_code == 303, done.text
        assert f"Reason: {typed}" in await desk.page(path, lang="en")
    last = await desk.page(f"/workspace/requests/{await office.asks('Phan Văn Sau')}", lang="en")
    assert (typed, ' lang="vi"', typed) in CHIPS.findall(last), "said twice, it is shown, and as it was typed"


async def test_a_missing_reason_is_said_beside_its_box(office: Office, desk: Desk) -> None:
    """A long page on a telephone: whoever presses at its foot does not see what is said at its head."""
    path = f"/workspace/requests/{await office.asks('Phan Thị Thiếu')}"
    answer = await desk.send(f"{path}/decision", word("rejected"))
    assert answer.status_code == 422
    assert answer.text.count(">Vui lòng nêu lý do<") == 1
    assert answer.text.index('class="decide stays"') < answer.text.index(">Vui lòng nêu lý do<")
    assert re.search(r'<textarea id="reason"[^>]* aria-invalid="true"', answer.text)
    assert "aria-invalid" not in await desk.page(path)
