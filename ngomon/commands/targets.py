"""How a system is reached, as the words of a command say it: shared by whoever connects one and whoever tries one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
import rich_click as click

from backend.outside.connectors import webhook
from ngomon.commands.wrong import Wrong

F = TypeVar("F", bound=Callable[..., Any])
OPTIONS = (
    click.option(
        "--kind",
        required=True,
        help="How it is spoken to: scim, ldap, webhook, or what `ngomon connectors list` shows.",
    ),
    click.option("--url", required=True, help="Its base address, https; for ldap ldaps://host[:port]."),
    click.option(
        "--token", help="The bearer token, or the password of --bind-dn; kept encrypted, never shown."
    ),
    click.option(
        "--secret", help="webhook: whsec_…, what every message is signed with; without it one is made."
    ),
    click.option("--bind-dn", help="ldap: whom to sign in as."),
    click.option("--base-dn", help="ldap: the top of the tree."),
    click.option("--people", help="ldap: where people are below the top.  [default: ou=people]"),
    click.option("--groups", help="ldap: where units' groups are below the top.  [default: ou=groups]"),
    click.option(
        "--option", "named", multiple=True, metavar="NAME=VALUE", help="What another kind wants to be told."
    ),
)


def reached(command: F) -> F:
    """The options by which a system is reached, on a command that takes `kind`, `url` and the rest by keyword."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


class Reached(msgspec.Struct, frozen=True):
    """A system as it was typed: `token` is what is kept sealed, `made` a secret that nobody has had."""

    kind: str
    url: str
    token: str | None
    options: str
    made: str | None = None


def typed(
    *,
    kind: str,
    url: str,
    token: str | None,
    secret: str | None,
    named: tuple[str, ...],
    **places: str | None,
) -> Reached:
    """What these words mean together; Wrong in one line where they do not fit the kind."""
    options = _options(kind, token, places, named)
    signs, made = _secret(kind, token, secret)
    return Reached(kind, url, webhook.Secrets(signs).written() if signs else token, options, made)


def _options(kind: str, token: str | None, places: dict[str, str | None], named: tuple[str, ...]) -> str:
    """What the connector is told beside the address, as it is kept."""
    given = {name: place for name, place in places.items() if place is not None}
    if kind != "ldap" and given:
        raise Wrong(f"--{next(iter(given)).replace('_', '-')} is for systems of the kind ldap")
    if kind == "ldap" and (not token or not {"bind_dn", "base_dn"} <= given.keys()):
        raise Wrong("a directory wants --bind-dn, --token (its password) and --base-dn")
    for word in named:
        name, sign, value = word.partition("=")
        if not sign or not name or name in given:
            raise Wrong(f"--option wants NAME=VALUE, each name once, not {word!r}")
        given[name] = value
    return msgspec.json.encode(given).decode()


def _secret(kind: str, token: str | None, secret: str | None) -> tuple[str | None, str | None]:
    """What signs, and the same once more where it was made for a webhook that was given none."""
    if kind != "webhook":
        if secret:
            raise Wrong("--secret is for systems of the kind webhook")
        return None, None
    if token:
        raise Wrong("a webhook has no --token: what it is told is signed with its --secret")
    if secret is None:
        made = webhook.new_secret()
        return made, made
    try:
        webhook.key_of(secret)
    except ValueError as error:
        raise Wrong(f"--secret: {error}") from error
    return secret, None
