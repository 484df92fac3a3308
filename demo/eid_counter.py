"""What every stand-in e-ID has in common: people to pick from, questions that wait, a switch for what goes wrong."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterable, MutableMapping
from urllib.parse import urlencode

import msgspec

from backend.outside.clock import Clock
from demo.eid_clients import EidClient
from demo.persona import Persona

TICKET_SECONDS = 600
CODE_SECONDS = 60
TOKEN_SECONDS = 300


class Refused(Exception):
    """An answer of RFC 6749 §4.1.2.1 or §5.2; `redirect_to` is set when the client may be told directly."""

    def __init__(
        self, error: str, description: str, *, status: int = 400, redirect_to: str | None = None
    ) -> None:
        super().__init__(error)
        self.error, self.description = error, description
        self.status, self.redirect_to = status, redirect_to


class Ask(msgspec.Struct, frozen=True):
    """One accepted authorization request; `nonce` and `challenge` are empty where the kind of e-ID has none."""

    client: EidClient
    redirect_uri: str
    state: str
    expires: float
    nonce: str = ""
    challenge: str = ""
    fault: str = ""


class Counter(ABC):
    """The part of a stand-in that its page works with (`eid_http.py`)."""

    title = ("Ứng dụng định danh (bản thử)", "Identity app (stand-in)")
    faults: tuple[str, ...] = ()

    def __init__(self, issuer: str, personas: Iterable[Persona], clock: Clock) -> None:
        self.issuer = issuer.rstrip("/")
        self.personas: MutableMapping[str, Persona] = {persona.key: persona for persona in personas}
        self.next_fault: str | None = None
        self.down = False
        self._clock = clock
        self._tickets: dict[str, Ask] = {}

    @abstractmethod
    def ask(self, query: list[tuple[str, str]]) -> str:
        """Accept an authorization request and hand out the ticket with which the person answers it.

        Raises `Refused`; without `redirect_to` while client and address are not known to belong together.
        """

    @abstractmethod
    def approve(self, ticket: str, persona: Persona) -> str:
        """The person says yes: where the browser goes next. Raises `Refused` for a used ticket."""

    def returns_to(self, ticket: str) -> str | None:
        """Where the answer to this ticket will go; None when it can no longer be answered."""
        ask = self._tickets.get(ticket)
        return ask.redirect_uri if ask and ask.expires > self._now() else None

    def cancel(self, ticket: str) -> str:
        """The person says no: where the browser goes next, with `access_denied`."""
        ask = self._take(ticket)
        return self._answer(ask.redirect_uri, ask.state, error="access_denied")

    def _waiting(self, ask: Ask) -> str:
        ticket = secrets.token_urlsafe(24)
        self._tickets[ticket] = ask
        return ticket

    def _take(self, ticket: str) -> Ask:
        ask = self._tickets.pop(ticket, None)
        if ask is None or ask.expires <= self._now():
            raise Refused("invalid_request", "this page was answered before, or is too old")
        return ask

    def _answer(self, redirect_uri: str, state: str | None, **said: str) -> str:
        """The authorization response."""
        said |= {"state": state} if state is not None else {}
        return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(said)}"

    def _now(self) -> float:
        return self._clock.now().timestamp()


def known_client(
    clients: dict[str, EidClient], query: list[tuple[str, str]]
) -> tuple[EidClient, dict[str, str]]:
    """The client of an authorization request, and what it asks; raises `Refused` when it cannot be told so directly."""
    names = [name for name, _ in query if name != "prompt"]  # scripts add their own
    if len(names) != len(set(names)):
        raise Refused("invalid_request", "a parameter is given twice")
    asked = dict(query)
    client = clients.get(asked.get("client_id", ""))
    if client is None:
        raise Refused("invalid_client", "this client is not registered")
    if asked.get("redirect_uri", "") not in client.redirect_uris:
        raise Refused("invalid_request", "this redirect_uri is not registered")
    return client, asked
