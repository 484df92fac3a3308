"""Every form says all its mistakes at once, each with the name of its field (rule 826).

A form that is new stands in the table, or among those that can be wrong in one way only.
"""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from sqlalchemy import select

from backend.roles import movements
from backend.roles.catalogue.in_force import shipped
from backend.roles.models import Role
from tests.workspace.counter import Counter
from tests.workspace.office import SAME_SITE, Desk, Office
from tests.workspace.test_beside import two_posts
from tests.workspace.test_corrections import returned_transfer
from tests.workspace.test_me import says
from workspace import field_labels
from workspace.router import CONTROLLERS

NO_DAY, LONG = "31/02/2030", "a" * 501
PAPERS = {"decision_number": LONG, "decision_date": NO_DAY, "signed_by": LONG}
SAID = {"Số quyết định", "Ngày quyết định", "Người ký"}
SECRET = "Xin mật khẩu của bạn"
ONE_WAY = {  # a button alone, one field, a choice that the page itself offers, or a file
    "workspace.bulk", "workspace.bulk_undo", "workspace.filters", "workspace.session_end", "workspace.hearing",
    "workspace.decide", "workspace.opened", "workspace.undo", "workspace.withdraw", "workspace.people_found", "workspace.reviews_confirm",
    "workspace.return", "workspace.my_withdraw", "workspace.missing_unit_told", "workspace.delegation_end",
    "workspace.reorganisation_plan", "workspace.reorganisation_run", "workspace.reorganisation_reverse",
    "workspace.appointment_end", "workspace.import_confirm", "workspace.import_plan", "workspace.replay",
    "workspace.system.act", "workspace.system.skip", "workspace.support_counter", "workspace.support_word",
    "workspace.join_confirm", "workspace.join_refuse", "workspace.name_confirm", "workspace.name_refuse",
}  # fmt: skip
SEVERAL = {
    "workspace.decisions_narrowed", "workspace.audit_narrowed", "workspace.act", "workspace.move", "workspace.correct",
    "workspace.wish", "workspace.my_correct", "workspace.delegate", "workspace.appoint", "workspace.support_open",
    "workspace.join_propose", "workspace.name_propose", "workspace.person_help",
}  # fmt: skip
FORMS = (movements.END_FORM, *shipped().subject_types.values())
CALLED = [  # every field by the words that a mistake about it begins with
    ("to", field_labels.LENT_TO),
    *field_labels.FIELDS.items(),
    *field_labels.OF_AN_APPOINTMENT.items(),
    *((f"fields.{one.name}", one.label) for form in FORMS for one in form.fields),
]
BOX = re.compile(r'role="alert"[^>]*><p><strong>([^<]+):</strong>')


def named(page: str) -> set[str]:
    """The fields of which the page says something, each once and in the order of the boxes below."""
    said = BOX.findall(page)
    places = [place for one in said if (place := place_of(page, one)) is not None]
    assert places == sorted(places) and len(said) == len(set(said)), said
    return set(said)


def place_of(page: str, label: str) -> int | None:
    """Where the box stands that is called so; nothing where the page has none."""
    main = page.partition("<main")[2]
    names = [name for name, called in CALLED if called == label]
    return max(
        (found.start() for name in names if (found := re.search(rf' name="{name}"', main))), default=None
    )


def test_every_form_of_the_route_table_is_one_of_these() -> None:
    forms = {
        str(handler.name)
        for controller in CONTROLLERS
        for handler in (getattr(controller, name) for name in dir(controller))
        if "POST" in {str(method) for method in getattr(handler, "http_methods", ())}
    }
    assert forms == ONE_WAY | SEVERAL


async def test_what_a_manager_does_to_somebody(office: Office, desk: Desk) -> None:
    home, _ = await two_posts(office, await office.person("Lý Thị Sai"))
    stranger, _ = await two_posts(office, await office.person("Lý Văn Khác"))
    wrong = PAPERS | {"reason": " ", "effective_on": NO_DAY, "keep": office.unit, "keep_reason": ""}
    for act, more in (("end", {"keeps": str(stranger)}), ("suspension", {}), ("separation", {})):
        answer = await desk.send(f"/workspace/people/{home}/{act}", wrong | more)
        also = {"Chức vụ kiêm nhiệm"} if more else set()
        fields = {"Lý do", "Ngày hiệu lực", "Lý do giữ quyền phụ trách"}
        assert (answer.status_code, named(answer.text)) == (422, SAID | fields | also), act
    async with office.service.db.read() as tx:
        assert (await tx.get_one(Role, home)).state == "active"


async def test_a_move_its_correction_and_a_second_post(office: Office, desk: Desk) -> None:
    home, _ = await two_posts(office, await office.person("Lý Thị Chuyển"))
    wrong = PAPERS | {"unit": "không có", "position": "x", "effective_on": NO_DAY, "until": NO_DAY}
    wrong |= {"reason": LONG, "keep": office.unit, "keep_reason": LONG}
    fields = SAID | {
        "Đơn vị",
        "Chức vụ",
        "Ngày hiệu lực",
        "Đến hết ngày",
        "Lý do",
        "Lý do giữ quyền phụ trách",
    }
    for path, more in (
        (f"/workspace/people/{home}/transfer", {"movement": "rotation"}),
        (f"/workspace/people/{home}/concurrent", {}),
        (
            f"/workspace/requests/{await returned_transfer(office, 'Lý Thị Sửa')}/correct",
            {"movement": "transfer"},
        ),
    ):
        answer = await desk.send(path, wrong | more)
        assert (answer.status_code, named(answer.text)) == (422, fields), path


async def test_one_s_own_wishes(office: Office) -> None:
    who = await office.person("Lý Thị Tự Sai")
    desk = await office.desk(who)
    wrong = {"subject_type": "cong_chuc", "unit": "không có", "position": "x"}
    wrong |= {"effective_on": NO_DAY, "fields.official_email": "không phải thư"}
    fields = {"Đơn vị", "Chức vụ", "Ngày hiệu lực", "Thư điện tử công vụ"}
    answer = await sent(desk, "/workspace/me/register", wrong)
    assert named(answer) == fields
    await office.employ(who)
    async with office.service.db.read() as tx:
        role = await tx.scalar(select(Role.id).where(Role.account_id == who.account_id))
    for act in ("transfer", "concurrent"):
        answer = await sent(desk, f"/workspace/me/roles/{role}/{act}", wrong | {"until": NO_DAY})
        assert named(answer) == fields | {"Đến hết ngày"}, act
    answer = await sent(desk, f"/workspace/me/roles/{role}/amend", wrong)
    assert named(answer) == fields
    answer = await sent(
        desk, f"/workspace/me/roles/{role}/end", {"fields.reason": LONG, "effective_on": NO_DAY}
    )
    assert named(answer) == {"Lý do", "Ngày hiệu lực"}
    await desk.http.aclose()


async def sent(desk: Desk, path: str, form: dict[str, str]) -> str:
    """The page that follows, from one's own page."""
    token = (await desk.page("/workspace/me")).split('name="_csrf" value="')[1].split('"')[0]
    answer = await desk.http.post(path, data={"_csrf": token, **form}, headers=SAME_SITE)
    assert answer.status_code == 422, (path, answer.status_code)
    return answer.text


async def test_one_s_own_correction(office: Office) -> None:
    who = await office.person("Lý Thị Sửa Sai")
    request_id = await office.asks_as(who)
    await returned(office, request_id)
    desk = await office.desk(who)
    wrong = {"subject_type": "cong_chuc", "unit": "không có", "position": "x", "effective_on": NO_DAY}
    answer = await sent(desk, f"/workspace/me/requests/{request_id}/correct", wrong)
    assert named(answer) == {"Đơn vị", "Chức vụ", "Ngày hiệu lực"}
    await desk.http.aclose()


async def returned(office: Office, request_id: UUID) -> None:
    """Chi sends it back."""
    await says(office, office.chi, f"/{request_id}", "returned")
    office.service.pass_time(seconds=11)


async def test_a_delegation_and_an_appointment(office: Office, desk: Desk) -> None:
    wrong = {"to": "Không Có Ai", "kinds": ["x"], "units": [office.other], "from": NO_DAY, "until": NO_DAY}
    answer = await desk.send("/workspace/delegations", wrong)
    fields = {"Ủy quyền cho", "Loại yêu cầu", "Đơn vị", "Từ ngày", "Đến hết ngày"}
    assert (answer.status_code, named(answer.text)) == (422, fields)
    operator = await office.desk(office.ha)
    wrong = {"person": "Không Có Ai", "unit": "không có", "from": NO_DAY, "until": NO_DAY}
    answer = await operator.send("/workspace/operator/appointments", wrong)
    fields = {"Ai", "Mã đơn vị", "Từ ngày", "Đến hết ngày"}
    assert (answer.status_code, named(answer.text)) == (422, fields)
    late = {"person": "1", "unit": office.unit, "from": "01/01/2001", "until": "01/01/2000"}
    answer = await operator.send("/workspace/operator/appointments", late)
    assert named(answer.text) == {"Ai", "Từ ngày", "Đến hết ngày"}
    await operator.http.aclose()


@pytest.mark.parametrize("path", ["/workspace/decisions", "/workspace/audit"])
async def test_what_is_looked_for(desk: Desk, path: str) -> None:
    wrong = {"person": "Không Có Ai", "from": NO_DAY, "to": NO_DAY}
    wrong |= {"actor": "Cũng Không Có"} if path.endswith("audit") else {}
    answer = await desk.send(path, wrong)
    fields = {"Người liên quan", "Từ ngày", "Đến hết ngày"}
    assert named(answer.text) == fields | ({"Người thực hiện"} if "actor" in wrong else set())


async def test_what_a_clerk_writes_and_a_number_that_is_asked_is_counted_all_the_same(
    counter: Counter,
) -> None:
    wrong = {"person": "12", "subject": " ", "text": SECRET}
    answer = await counter.post("/workspace/support/new", **wrong)
    assert named(answer.text) == {"Người liên quan", "Tiêu đề", "Nội dung"}
    wrong = {"national_id": "x", "full_name": "1", "document": "x", "document_number": "?", "grounds": SECRET}
    fields = {"Số định danh cá nhân", "Họ và tên", "Giấy tờ", "Số giấy tờ", "Căn cứ"}
    for number in ("x", "000090123456"):  # one that is none, and one that nobody has
        answer = await counter.post("/workspace/support/names", **wrong | {"national_id": number})
        assert (answer.status_code, named(answer.text)) == (422, fields), number
    wrong = {"national_id": "x", "old_id_number": "x", "grounds": SECRET}
    answer = await counter.post("/workspace/support/joins", **wrong)
    assert named(answer.text) == {"Số định danh cá nhân", "Số CMND", "Căn cứ"}
    answer = await counter.post("/workspace/support/person", act="thaw", national_id="x", reason=SECRET)
    assert named(answer.text) == {"Số định danh cá nhân", "Lý do"}
