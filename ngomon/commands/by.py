"""Who runs a command: the machine's account, and whoever says `--by NAME`, for the journal."""

from __future__ import annotations

import os
import pwd

import rich_click as click

from backend.facts import Operator
from backend.roles.decision_numbers import NUMBERS

KEY = "ngomon.by"
LONGEST = 80


def _remember(context: click.Context, _: click.Parameter, name: str | None) -> None:
    if name is None:
        return
    name = " ".join(name.split())
    if not name or len(name) > LONGEST or not name.isprintable():
        raise click.BadParameter(f"a name of 1 to {LONGEST} characters")
    if NUMBERS.search(name):
        raise click.BadParameter("a name, and no personal number or phone")
    context.meta[KEY] = name


# on every command that writes: `@by.option` under its own options
option = click.option(
    "--by",
    callback=_remember,
    expose_value=False,
    metavar="NAME",
    help="Who does this; the journal keeps it beside the machine's account.",
)


def name_given() -> str | None:
    """What `--by` said of the command that is running now."""
    context = click.get_current_context(silent=True)
    return context.meta.get(KEY) if context else None


def whoever_runs() -> Operator:
    """The operator of the command that is running now."""
    return Operator(system=_system_account(), name=name_given())


def _system_account() -> str:
    """As the machine knows it. Only root's word on who called sudo is taken: others may set the variable themselves."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's number without a name
        name = f"uid {os.getuid()}"
    caller = os.environ.get("SUDO_USER") if os.getuid() == 0 else None
    return f"{caller} as {name}" if caller and caller != name else name
