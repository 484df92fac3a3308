"""A call that goes says so in every answer, refusals as well, and for a year at least (docs/versions.md; case D07)."""

from __future__ import annotations

from datetime import date

import pytest
from litestar import get
from litestar.testing import AsyncTestClient, create_async_test_client

from backend.environment import load
from backend.errors import NotFound, Refusal
from mobile_api import problems
from mobile_api.going import going

INSTEAD = "/docs/versions#old"
LEAVES = going(date(2027, 1, 1), INSTEAD, last_day=date(2028, 1, 31))


@get("/old", **LEAVES)
async def old() -> str:
    """Goes."""
    return "still here"


@get("/older", **LEAVES)
async def older() -> str:
    """Goes, and says no."""
    raise NotFound


@get("/new")
async def new() -> str:
    """Stays."""
    return "here"


async def test_d07_yes_and_no_say_since_when_until_when_and_what_to_use_instead() -> None:
    app = create_async_test_client([old, older, new], exception_handlers={Refusal: problems.on_refusal})
    app.app.state.brand = load({}).brand
    async with app as http:
        assert isinstance(http, AsyncTestClient)
        for path, status in (("/old", 200), ("/older", 404)):
            answer = await http.get(path)
            assert answer.status_code == status
            assert answer.headers["deprecation"] == "@1798761600", "2027-01-01T00:00:00Z"
            assert answer.headers["sunset"] == "Tue, 01 Feb 2028 00:00:00 GMT", "after its last day"
            assert answer.headers["link"] == f'<{INSTEAD}>; rel="deprecation"; type="text/html"'
        assert not {"deprecation", "sunset", "link"} & set((await http.get("/new")).headers)
        assert app.app.openapi_schema.paths is not None
        marked = {
            path: item.get.deprecated for path, item in app.app.openapi_schema.paths.items() if item.get
        }
        assert marked == {"/old": True, "/older": True, "/new": False}


def test_d07_a_notice_under_a_year_does_not_start() -> None:
    with pytest.raises(ValueError, match="less than a year"):
        going(date(2027, 1, 1), INSTEAD, last_day=date(2027, 12, 31))
    assert "Sunset" not in going(date(2027, 1, 1), INSTEAD)["opt"]["going"]
