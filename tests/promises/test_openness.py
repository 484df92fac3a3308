"""Every handler says how open it is; one that says nothing is closed, and fails here (rules 801, 805)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args, get_origin

import httpx2
import pytest
from litestar import Controller, Litestar, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.routes import HTTPRoute

from backend.environment import load, with_keys
from backend.errors import Unproved
from backend.openness import Openness
from mobile_api.auth import proved
from ngomon.app import create_app
from ngomon.routes import CLOSED, Routes, Said
from tests.promises.house import ROOT
from workspace.auth import SignedOut, signed_in
from workspace.call import WHO, Call
from workspace.manager import AtDesk, Manager
from workspace.officer import Officer

PAGES = {  # what a page says, and whom it is then given
    Openness.MANAGER: Manager,
    Openness.ROOT: Manager,
    Openness.CLERK: AtDesk,
    Openness.BROWSER: Officer,
}
ANY_SESSION = {"/workspace/sign-out"}  # asks for the session alone, whoever has it


@cache
def application() -> Litestar:
    """The product with everything that a demo shows."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load({"NGOMON_DATABASE_URL": f"sqlite+aiosqlite:///{folder}/open.db"})
        return create_app(with_keys(settings)).litestar


def handlers(app: Litestar) -> Iterator[tuple[str, HTTPRouteHandler]]:
    """Each with its address; the framework's own, for OPTIONS and for the document, hold nothing of ours."""
    for route in app.routes:
        if isinstance(route, HTTPRoute) and not route.path.startswith("/schema"):
            for handler in route.route_handlers:
                if handler.http_methods != {"OPTIONS"}:
                    yield route.path, handler


def unsaid(app: Litestar) -> list[str]:
    """Handlers that do not say it, and those that are open without saying so themselves; the demo is no product."""
    found = []
    for path, handler in handlers(app):
        said = handler.opt.get("open_to")
        above = [(layer.opt or {}).get("open_to") for layer in handler.ownership_layers[:-1]]
        inherited = any(isinstance(one, Openness) and one.is_open for one in above)
        demo = handler.fn.__module__.startswith(("demo.", "litestar.static_files"))
        if not isinstance(said, Openness) or (inherited and not demo):
            found.append(f"{handler.handler_name} {path}")
    return found


def test_every_handler_says_how_open_it_is() -> None:
    assert unsaid(application()) == []
    assert len(list(handlers(application()))) > 100


def test_a_handler_that_says_nothing_is_found_and_so_is_one_that_is_open_by_its_room() -> None:
    @get("/nothing")
    async def silent() -> None: ...

    class Room(Controller):
        """Open as a whole: whoever adds a handler has opened it unawares."""

        path = "/room"
        opt = {"open_to": Openness.PROOF}

        @get()
        async def open_by_its_room(self) -> None: ...

    app = Litestar([silent, Room], openapi_config=None)
    assert sorted(unsaid(app)) == ["open_by_its_room /room", "silent /nothing"]


def test_what_says_nothing_is_closed() -> None:
    @get("/silent")
    async def silent() -> None: ...

    @post("/said/{name:str}", open_to=Openness.ANYBODY, short=True)
    async def said(name: FromPath[str]) -> None: ...

    routes = Routes(Litestar([Router("/v1", route_handlers=[silent, said])], openapi_config=None))
    assert routes.said("GET", "/v1/silent") == CLOSED
    assert routes.said("POST", "/v1/said/x") == Said(Openness.ANYBODY, short=True)
    assert routes.said("PUT", "/v1/said/x") == routes.said("POST", "/v1/said/x/y") == Said(Openness.ANYBODY)
    for path in ("/v1/said", "/v1/silent/x", "/v1/nowhere", "/v1", "/", "/v2/said/x", "/said/x"):
        assert routes.said("POST", path) == CLOSED, path
    assert not CLOSED.open_to.is_open


@pytest.mark.parametrize("openness", [None, *Openness])
async def test_behind_the_door_nothing_is_reached_without_a_session_but_what_is_open(
    openness: Openness | None,
) -> None:
    handler: Any = SimpleNamespace(opt={} if openness is None else {"open_to": openness})
    passed: Any = SimpleNamespace(scope={"jkt": "a key"})
    if openness is not None and openness.is_open:
        await proved(passed, handler)
    else:
        with pytest.raises(Unproved):
            await proved(passed, handler)
        await proved(SimpleNamespace(scope={"jkt": "a key", "user": "somebody"}), handler)  # type: ignore[arg-type]
    with pytest.raises(Unproved):
        await proved(SimpleNamespace(scope={}), handler)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "openness", [None, Openness.BROWSER, Openness.MANAGER, Openness.CLERK, Openness.ROOT]
)
async def test_no_page_is_reached_without_a_session_but_what_says_that_it_is_open(
    openness: Openness | None,
) -> None:
    handler: Any = SimpleNamespace(opt={} if openness is None else {"open_to": openness})
    with pytest.raises(SignedOut):
        await signed_in(SimpleNamespace(scope={"user": None}), handler)  # type: ignore[arg-type]
    await signed_in(SimpleNamespace(scope={"user": "somebody"}), handler)  # type: ignore[arg-type]
    await signed_in(SimpleNamespace(scope={}), SimpleNamespace(opt={"open_to": Openness.ANYBODY}))  # type: ignore[arg-type]


def unasked(app: Litestar) -> list[str]:
    """Pages whose handlers ask for somebody else than they say; who does not ask lets in everybody with a session."""
    found = []
    for path, handler in handlers(app):
        if handler.fn.__module__.startswith("demo."):
            continue
        asked = handler.parsed_fn_signature.parameters.get("call")
        is_page = asked is not None and get_origin(asked.annotation) is Call
        given = get_args(asked.annotation)[0] if asked is not None and is_page else None
        openness = handler.opt["open_to"]
        wanted = None if path in ANY_SESSION else PAGES.get(openness)
        if given is not wanted:
            found.append(f"{handler.handler_name} {path}")
    return found


def test_a_page_of_the_workspace_asks_for_whom_it_says() -> None:
    pages = [path for path, handler in handlers(application()) if handler.opt["open_to"] in PAGES]
    assert len(pages) > 70
    assert unasked(application()) == []
    assert set(PAGES) == set(WHO)


def test_a_page_that_does_not_ask_who_is_there_is_found_and_so_is_one_that_is_given_another() -> None:
    @get("/all", open_to=Openness.MANAGER)
    async def all_of_it() -> None: ...

    @get("/desk", open_to=Openness.CLERK)
    async def desk(call: NamedDependency[Call[Manager]]) -> None: ...

    @get("/mine", open_to=Openness.BROWSER)
    async def mine(call: NamedDependency[Call[Officer]]) -> None: ...

    given = {"call": Provide(lambda: None, sync_to_thread=False)}
    app = Litestar([all_of_it, desk, mine], dependencies=given, openapi_config=None)
    assert sorted(unasked(app)) == ["all_of_it /all", "desk /desk"]


def test_no_list_of_addresses_says_it_again() -> None:
    for name in ("mobile_api/auth.py", "ngomon/schema.py"):
        text = (ROOT / name).read_text()
        assert text.count('"/v1/') <= 2, f"{name}: the prefix, and the one answer that the door gives itself"


@pytest.mark.parametrize("path", ["/v1/me", "/v1/roles"])
async def test_an_unexpected_error_at_the_door_is_a_problem(path: str, tmp_path: Path) -> None:
    settings = load({"NGOMON_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/without-tables.db"})
    app: Any = create_app(with_keys(settings))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app.asgi), base_url="http://x") as http:
        answer = await http.get(path, headers={"Authorization": "Bearer " + "x" * 43})
    await app.db.close()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "sessions" not in answer.text
