"""Lending the right to decide: the form, what is lent now, and taking it back (rule 625)."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from backend.db import Database
from backend.errors import Conflict, FieldsInvalid, Refusal, settle
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock
from backend.roles import authority, delegations
from backend.roles.delegations import KINDS, Wish
from workspace import forms, fresh
from workspace.auth import Visit
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

    def wish(self) -> Wish:
        """The same with its days read. Raises FieldsInvalid."""
        first, last = day("from", self.from_), day("until", self.until)
        return Wish(self.to, self.kinds, self.units, first, last)


class DelegationController(Controller):
    """The page of a manager, and of a delegate, who reads there what is lent."""

    path = "/delegations"
    opt = {"open_to": Openness.MANAGER}

    @get(name="workspace.delegations")
    async def show(
        self,
        request: Visit,
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """What is lent now, and the form."""
        said = await fresh.left(request, db, kit, clock, manager, DelegationForm, back=PLACE)
        return await _page(request, db, kit, clock, manager, said, kept=said is not None)

    @post(name="workspace.delegate")
    async def give(
        self,
        request: Visit,
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str] | Redirect:
        """Lend it."""
        form = await forms.read(request, DelegationForm)
        if ask := await fresh.wanted(request, db, kit, clock, manager, form, back=PLACE):
            return ask
        try:
            async with db.write() as tx:
                outcome = await delegations.give(tx, kit, form.wish(), by=manager.account_id, now=clock.now())
            settle(outcome)
        except (FieldsInvalid, Conflict) as refusal:
            return await _page(request, db, kit, clock, manager, form, refusal=refusal)
        return Redirect(PLACE, status_code=303)

    @post("/{delegation_id:uuid}/end", name="workspace.delegation_end")
    async def take_back(
        self,
        request: Visit,
        delegation_id: FromPath[UUID],
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str] | Redirect:
        """Nobody decides by it from the next click on."""
        form = await forms.read(request, forms.NoFields)
        if ask := await fresh.wanted(request, db, kit, clock, manager, form, back=PLACE):
            return ask
        async with db.write() as tx:
            outcome = await delegations.take_back(
                tx, kit, delegation_id, by=manager.account_id, now=clock.now()
            )
        settle(outcome)
        return Redirect(PLACE, status_code=303)


async def _page(
    request: Visit,
    db: Database,
    kit: Kit,
    clock: Clock,
    manager: Manager,
    said: DelegationForm | None,
    *,
    refusal: Refusal | None = None,
    kept: bool = False,
) -> Response[str]:
    async with db.read() as tx:
        who = await authority.of(tx, kit, manager.account_id, now=clock.now())
        units, standing = await delegations.lendable(tx, who), await delegations.listed(tx, kit, who)
    codes = [post.code for post in who.units]
    return page(
        request,
        "delegations.html",
        refusal=refusal,
        here=PLACE,
        units=units,
        standing=standing,
        kinds=KINDS,
        said=said or DelegationForm(kinds=list(KINDS), units=codes if len(codes) == 1 else []),
        kept=kept,
        errors=errors_of(refusal),
    )
