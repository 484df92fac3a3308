"""By which ways a manager hears that something waits is chosen under "Thông báo" (rule 628; case R44)."""

from __future__ import annotations

import re

import pytest

from backend.roles import hearing
from tests.workspace.office import Desk, Office

pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)
BOX = re.compile(r'name="(push|mail)" value="on"( checked)?>')


async def test_r44_push_and_mail_are_two_boxes_that_are_on_until_somebody_takes_them_off(
    office: Office, desk: Desk
) -> None:
    page = await desk.page("/workspace/settings")
    assert BOX.findall(page) == [("push", " checked"), ("mail", " checked")] and "Thông báo" in page
    sent = await desk.send("/workspace/settings/notices", {"push": "on"})
    assert (sent.status_code, sent.headers["location"]) == (303, "/workspace/settings")
    assert BOX.findall(await desk.page("/workspace/settings")) == [("push", " checked"), ("mail", "")]
    async with office.service.db.read() as tx:
        assert await hearing.of(tx, office.chi.account_id) == (True, False)
        assert await hearing.of(tx, office.dung.account_id) == (True, True)
    assert (await desk.send("/workspace/settings/notices", {"sms": "on"})).status_code == 400
