"""The pages of units: the tree below one's own, one unit, and nothing of others (rules 613, 620)."""

from __future__ import annotations

from tests.workspace.office import Desk, Office


async def test_a_manager_reads_the_own_units_and_the_root_reads_all(office: Office, desk: Desk) -> None:
    await office.has_role("Ngô Thị Đơn Vị")
    tree = await desk.page("/workspace/units")
    assert f"/workspace/units/{office.unit}" in tree and office.other not in tree
    page = await desk.page(f"/workspace/units/{office.unit}")
    for said in ("Lê Thị Chi", "Ngô Thị Đơn Vị", "Chuyên viên", "Lịch sử đơn vị"):
        assert said in page, said
    for closed in (office.other, office.root, "none", "a/b"):
        assert (await desk.http.get(f"/workspace/units/{closed}")).status_code == 404, closed
    operator = await office.desk(office.ha)
    assert office.other in await operator.page(f"/workspace/units?below={office.root}")
    assert "Hoàng Văn Dũng" in await operator.page(f"/workspace/units/{office.other}")
    found = await operator.page("/workspace/units", q=office.other.lower())
    assert f"/workspace/units/{office.other}" in found and f"/workspace/units/{office.unit}" not in found
    assert "Không có đơn vị nào khớp" in await operator.page("/workspace/units", q="!?")
    assert f'name="below" value="{office.root}"' in await operator.page(
        f"/workspace/units?below={office.root}"
    )
    await operator.http.aclose()
