"""The demo's official mail: keeps passwords while no directory is connected, and lets them be tried (source 000, 2)."""

from __future__ import annotations

from urllib.parse import parse_qsl

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from litestar import Controller, Response, Router, get, post
from litestar.di import NamedDependency, Provide

from backend.db import Database
from backend.kit import Kit
from backend.outbox.official_mail import MailDirectoryUnavailable, OfficialMail
from backend.outside.connectors import DeliveryError
from backend.outside.http import Guarded
from demo.pages import Visit, own_page_only, page
from workspace.given_once import GivenOnce


class StandInMail:
    """Mailboxes by address, with a hash each; in memory, so that a restart forgets them."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)
        self._hashes: dict[str, str] = {}

    def put(self, address: str, password: str) -> None:
        """Give a mailbox this password."""
        self._hashes[address.casefold()] = self._hasher.hash(password)

    def opens(self, address: str, password: str) -> bool:
        """Whether the mailbox signs in with it."""
        try:
            return self._hasher.verify(self._hashes[address.strip().casefold()], password)
        except (KeyError, VerificationError):
            return False


class DemoMail(OfficialMail):
    """The product's own, which falls back to the stand-in where nobody has connected a directory."""

    def __init__(self, db: Database, kit: Kit, http: Guarded, mail: StandInMail) -> None:
        super().__init__(db, kit, http)
        self._mail = mail

    async def set_password(self, address: str, password: str) -> None:
        """In the connected directory, else here; raises MailDirectoryUnavailable when the directory does not answer."""
        try:
            await super().set_password(address, password)
        except MailDirectoryUnavailable as refusal:
            cause = refusal.__cause__
            if not isinstance(cause, DeliveryError) or cause.code != "no_mail_directory":
                raise
            self._mail.put(address, password)


class MailPage(Controller):
    """The sign-in page of the mail, as the guide draws it: name, password, and the way to a new one."""

    path = "/demo/mail"

    @get()
    async def ask(self, request: Visit) -> Response[bytes]:
        """The empty form."""
        return page(request, "mail.html", address="", said=None)

    @post(guards=[own_page_only], status_code=200)
    async def sign_in(self, request: Visit, mail: NamedDependency[StandInMail]) -> Response[bytes]:
        """Says whether the mailbox opens."""
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        address, password = form.get("address", "").strip(), form.get("password", "")
        said = "in" if mail.opens(address, password) else "wrong"
        return page(request, "mail.html", address=address, said=said)


def mail_router(mail: StandInMail) -> Router:
    """The routes of the stand-in mail."""
    return GivenOnce(
        "/",
        route_handlers=[MailPage],
        dependencies={"mail": Provide(lambda: mail, sync_to_thread=False)},
        include_in_schema=False,
    )
