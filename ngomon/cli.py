"""The one command, `ngomon` (rule 1002).

What a command needs is imported when it is asked for: whoever asks for the version, or types a word wrong, does not
wait for the product.
"""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module

import rich_click as click

COMMANDS = {
    "accounts": "ngomon.commands.accounts",
    "audit": "ngomon.commands.audit",
    "backup": "ngomon.commands.backup",
    "catalogue": "ngomon.commands.catalogue",
    "connectors": "ngomon.commands.connectors",
    "demo": "ngomon.commands.demo",
    "doctor": "ngomon.commands.doctor",
    "keys": "ngomon.commands.keys",
    "limits": "ngomon.commands.limits",
    "logs": "ngomon.commands.logs",
    "mailboxes": "ngomon.commands.mailboxes",
    "managers": "ngomon.commands.managers",
    "migrate": "ngomon.commands.migrate",
    "migrate-store": "ngomon.commands.moving",
    "notices": "ngomon.commands.notices",
    "reorganise": "ngomon.commands.reorganise",
    "restore": "ngomon.commands.backup",
    "reviews": "ngomon.commands.reviews",
    "serve": "ngomon.commands.serve",
    "staff": "ngomon.commands.staff",
    "support": "ngomon.commands.support",
    "systems": "ngomon.commands.systems",
    "units": "ngomon.commands.units",
    "worker": "ngomon.commands.serve",
}


class WhenAsked(click.RichGroup):
    """A group whose commands stand in modules that are loaded by name."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """In the order of the alphabet."""
        return sorted(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The module's function of that name."""
        if cmd_name not in COMMANDS:
            return None
        found = getattr(import_module(COMMANDS[cmd_name]), cmd_name.replace("-", "_"))
        assert isinstance(found, click.Command)
        return found


UNWRITTEN = {errno.ENOSPC, errno.EIO, errno.EDQUOT}  # of the file or the screen that we print to


@click.group(
    cls=WhenAsked, help="Ngọ Môn: một người, một tài khoản, một thiết bị, đúng vai trò ở mọi hệ thống."
)
@click.version_option(package_name="ngomon")
def command() -> None:
    """The group that all commands hang on."""


def main() -> None:
    """Run, and turn every known cause into one line and exit code 1."""
    try:
        sys.exit(command(prog_name="ngomon", standalone_mode=False))
    except click.ClickException as error:
        _fail(_usage(error))
    except (click.Abort, KeyboardInterrupt):
        _fail("stopped")
    except Exception as error:
        if isinstance(error, OSError) and error.errno in UNWRITTEN and error.filename is None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter would try once more
            _fail(f"what was to be said here could not be written: {error.strerror}")
        from ngomon.commands.causes import lines_of  # only what went wrong has to be known by name

        lines = lines_of(error)
        if not lines:
            raise
        _fail(*lines)


def _usage(error: click.ClickException) -> str:
    """What is wrong with the words of a command, in one line, and where to read on."""
    where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "ngomon"
    cause = " ".join(error.format_message().split())
    return f"{cause}{'' if cause.endswith(('.', '?', '!')) else '.'} See `{where} --help`."


def _fail(*lines: str) -> None:
    for line in lines:
        print(f"ngomon: {line}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
