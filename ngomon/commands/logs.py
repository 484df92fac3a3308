"""`ngomon logs`: the log's JSON lines as sentences that somebody reads."""

from __future__ import annotations

from datetime import datetime
from typing import IO, Any

import msgspec
import rich_click as click

from ngomon.commands import out
from ngomon.events import SENTENCES

FIRST = ("timestamp", "level", "event", "exception")


@click.command(help="Read JSON lines of the log (a file, or what is piped in) as sentences.")
@click.argument("file", type=click.File("r", encoding="utf-8"), default="-")
def logs(file: IO[str]) -> None:
    """What is no JSON line is printed as it is; an error's traceback is only its last line."""
    for line in file:
        out.print(sentence(line.rstrip("\n")), soft_wrap=True)


def sentence(line: str) -> str:
    """One line for people."""
    try:
        event = msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError:
        return line
    name = str(event.get("event", "?"))
    rest = {key: value for key, value in event.items() if key not in FIRST}
    try:
        said = SENTENCES[name].format(**rest)
    except KeyError:
        said = " ".join([name.replace("_", " "), *(f"{key}={value}" for key, value in rest.items())])
    if trace := str(event.get("exception", "")).strip():
        said += f" ({trace.splitlines()[-1]})"
    level = str(event.get("level", ""))
    return f"{_at(event.get('timestamp'))}  {'' if level == 'info' else f'{level}: '}{said}"


def _at(moment: object) -> str:
    from backend.outside.clock import LOCAL

    try:
        return f"{datetime.fromisoformat(str(moment)).astimezone(LOCAL):%d/%m/%Y %H:%M:%S}"
    except ValueError:
        return str(moment or "-")
