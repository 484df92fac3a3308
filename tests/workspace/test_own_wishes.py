"""Two who decide for the same unit do not serve each other: what one of them wishes is the unit above's to decide (case TW02)."""

from __future__ import annotations

from tests.workspace.office import Office
from tests.workspace.test_deciding import state, word


async def test_tw02_two_managers_of_a_unit_do_not_decide_each_others_wishes(office: Office) -> None:
    other = await office.person("Nguyễn Quang Hiếu", manages=office.unit)
    pairs = ((office.chi, other), (other, office.chi))
    wishes = [(await office.asks_as(applicant), colleague) for applicant, colleague in pairs]
    for request_id, colleague in wishes:
        desk = await office.desk(colleague)
        answer = await desk.send(f"/workspace/requests/{request_id}/decision", word("approved"))
        assert answer.status_code in {403, 404, 409}, answer.text
        assert f"/workspace/requests/{request_id}" not in await desk.page("/workspace")
        assert await state(office, request_id) == "pending"
        await desk.http.aclose()
    above = await office.desk(office.ha)
    for request_id, _ in wishes:
        answer = await above.send(f"/workspace/requests/{request_id}/decision", word("approved"))
        assert answer.status_code == 303 and await state(office, request_id) == "approved"
    await above.http.aclose()
