"""Reviews of roles: who still waits for the manager's word, confirmed one by one or many at once (rules 642, 820)."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from backend.errors import FieldError, FieldsInvalid, Refusal, settle
from backend.openness import Openness
from backend.roles.confirming import listing, words
from workspace import forms, fresh
from workspace.call import Call
from workspace.forms import FormMalformed
from workspace.manager import Manager
from workspace.pages import errors_of, page

PLACE = "/workspace/reviews"


class Place(msgspec.Struct, frozen=True):
    """From where on; after a press, how many were confirmed and how many were not."""

    cursor: str = ""
    confirmed: int = 0
    unchanged: int = 0


class ConfirmForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose roles are as they should be."""

    pick: list[str] = []


class ReviewsController(Controller):
    """The list. An end is asked for on the page of the role, which says what goes with it."""

    path = "/reviews"
    opt = {"open_to": Openness.MANAGER}

    @get(name="workspace.reviews")
    async def show(self, call: NamedDependency[Call[Manager]]) -> Response[str]:
        """Everybody who waits; back from a fresher sign-in the same people with the same ticks."""
        place = forms.query(call.request, Place)
        said = await fresh.left(call, ConfirmForm, back=PLACE)
        return await _page(call, place, said)

    @post(name="workspace.reviews_confirm")
    async def confirm(self, call: NamedDependency[Call[Manager]]) -> Response[str] | Redirect:
        """Each in a transaction of its own: one that cannot be confirmed does not hold the others back."""
        form = await forms.read(call.request, ConfirmForm)
        picks = [_pick(text) for text in dict.fromkeys(form.pick)]
        try:
            _ensure(picks, call.kit.limits.bulk_most)
        except FieldsInvalid as refusal:
            return await _page(call, Place(), None, refusal)
        age = call.kit.limits.reauth_bulk if len(picks) > 1 else None
        if ask := await fresh.wanted(call, form, back=PLACE, max_age=age):
            return ask
        done = sum([await _confirmed(call, row_id) for row_id in picks])
        told = f"confirmed={done}&unchanged={len(picks) - done}"
        return Redirect(f"{PLACE}?{told}", status_code=303)


def _ensure(picks: list[UUID], most: int) -> None:
    if not 1 <= len(picks) <= most:
        raise FieldsInvalid(FieldError("pick", "count", "Hãy chọn từ 1 đến 100 vai trò"))


def _pick(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise FormMalformed from error


async def _confirmed(call: Call[Manager], row_id: UUID) -> bool:
    try:
        async with call.write() as tx:
            said = await words.confirm(tx, call.kit, row_id, by=call.who.account_id, now=call.now())
        settle(said)
    except Refusal:
        return False
    return True


async def _page(
    call: Call[Manager], place: Place, said: ConfirmForm | None = None, refusal: Refusal | None = None
) -> Response[str]:
    only = [_pick(text) for text in said.pick] if said else []
    async with call.read() as tx:
        found = await listing.waiting(
            tx, call.kit, call.who.account_id, cursor=place.cursor, now=call.now(), only=only
        )
    return page(
        call.request,
        "reviews.html",
        refusal=refusal,
        here=PLACE,
        found=found,
        place=place,
        picked={str(one) for one in only},
        kept=said is not None,
        errors=errors_of(refusal),
    )
