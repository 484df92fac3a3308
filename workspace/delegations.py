"""Lending the right to decide: the form, what is lent now, and taking it back (rule 625)."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from backend.errors import Conflict, FieldError, FieldsInvalid, Refusal, gather, settle
from backend.openness import Openness
from backend.roles import authority, delegations
from backend.roles.delegations import KINDS, Wish
from workspace import forms, fresh
from workspace.call import Call
from workspace.manager import Manager
from workspace.moving import day
from workspace.pages import errors_of, page

PLACE = "/workspace/delegations"


class DelegationForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """To whom, for what, and how long."""

    to: str = ""
    kinds: list[str] = []
    units: list[str] = []
    from_: str = ""
    until: str = ""

    def wish(self, bad: list[FieldError]) -> Wish:
        """The same with its days read; what is unreadable is in `bad`."""
        first = gather(bad, lambda: day("from", self.from_))
        last = gather(bad, lambda: day("until", self.until))
        return Wish(self.to, self.kinds, self.units, first, last)


class DelegationController(Controller):
    """The page of a manager, and of a delegate, who reads there what is lent."""

    path = "/delegations"
    opt = {"open_to": Openness.MANAGER}

    @get(name="workspace.delegations")
    async def show(self, call: NamedDependency[Call[Manager]]) -> Response[str]:
        """What is lent now, and the form."""
        said = await fresh.left(call, DelegationForm, back=PLACE)
        return await _page(call, said, kept=said is not None)

    @post(name="workspace.delegate")
    async def give(self, call: NamedDependency[Call[Manager]]) -> Response[str] | Redirect:
        """Lend it."""
        form = await forms.read(call.request, DelegationForm)
        if ask := await fresh.wanted(call, form, back=PLACE):
            return ask
        bad: list[FieldError] = []
        wish, by = form.wish(bad), call.who.account_id
        try:
            async with call.write() as tx:
                given = delegations.give(tx, call.kit, wish, by=by, now=call.now())
                outcome = await forms.all_at_once(bad, given)
            settle(outcome)
        except (FieldsInvalid, Conflict) as refusal:
            return await _page(call, form, refusal=refusal)
        return Redirect(PLACE, status_code=303)

    @post("/{delegation_id:uuid}/end", name="workspace.delegation_end")
    async def take_back(
        self, call: NamedDependency[Call[Manager]], delegation_id: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """Nobody decides by it from the next click on."""
        form = await forms.read(call.request, forms.NoFields)
        if ask := await fresh.wanted(call, form, back=PLACE):
            return ask
        async with call.write() as tx:
            outcome = await delegations.take_back(
                tx, call.kit, delegation_id, by=call.who.account_id, now=call.now()
            )
        settle(outcome)
        return Redirect(PLACE, status_code=303)


async def _page(
    call: Call[Manager], said: DelegationForm | None, *, refusal: Refusal | None = None, kept: bool = False
) -> Response[str]:
    async with call.db.read() as tx:
        who = await authority.of(tx, call.kit, call.who.account_id, now=call.now())
        units, standing = await delegations.lendable(tx, who), await delegations.listed(tx, call.kit, who)
    codes = [post.code for post in who.units]
    return page(
        call.request,
        "delegations.html",
        refusal=refusal,
        here=PLACE,
        units=units,
        standing=standing,
        kinds=KINDS,
        said=said or DelegationForm(kinds=list(KINDS), units=codes if len(codes) == 1 else []),
        kept=kept,
        errors=errors_of(refusal, forms.boxes(DelegationForm)),
    )
