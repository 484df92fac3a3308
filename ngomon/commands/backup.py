"""`ngomon backup FILE`, `ngomon backup verify FILE`, `ngomon restore FILE`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from ngomon.commands import by, opened, out
from ngomon.commands.wrong import Wrong

if TYPE_CHECKING:
    from backend.db import Database
    from backend.kit import Kit
    from backend.settings import Settings

with_key = click.option(
    "--key-file",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The backup's own key (32 bytes in base64); made when there is none. Keep it apart from the backups.",
)


class FileOrCommand(click.RichGroup):
    """`backup FILE …` writes one; `backup verify FILE …` reads one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Whatever is no command is the name of a file."""
        if args and args[0] not in (*self.commands, "--help"):
            args = ["write", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=FileOrCommand, help="Write everything into one sealed file: `ngomon backup FILE --key-file F`."
)
def backup() -> None:
    """The group."""


@backup.command(
    help="Write everything as it is now, beside a running server (`ngomon backup FILE` is the same)."
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@with_key
def write(file: Path, key_file: Path) -> None:
    """The file appears when it is whole."""
    from backend.outside.clock import Clock
    from ngomon import backup as whole
    from ngomon.sealed_file import make_key

    if not key_file.exists():
        with _one_line():
            make_key(key_file)
        out.print(f"a new key was made: {key_file}; keep it apart from the backups", soft_wrap=True)
    key = _key(key_file)

    async def dump(db: Database, _kit: Kit, _settings: Settings) -> int:
        end = await whole.dump(db, file, key, Clock().now())
        return sum(count for count, _ in end.tables.values())

    with _one_line():
        count = opened(dump, storage_only=True)
    out.print(f"{file}: {count} rows, {file.stat().st_size} bytes", soft_wrap=True)


@backup.command(help="Read a backup whole, and say whether nothing of it is missing or changed.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@with_key
def verify(file: Path, key_file: Path) -> None:
    """Asks no database, and needs no other key."""
    from ngomon import backup as whole
    from ngomon.sealed_file import FileTrouble

    try:
        begin, end = whole.verify(file, _key(key_file))
    except FileTrouble as trouble:
        raise Wrong(f"{file}: {trouble}") from trouble
    count = sum(rows for rows, _ in end.tables.values())
    out.print(f"{file} is whole: {count} rows of schema {begin.schema}, {_at(begin.made_at)}", soft_wrap=True)


@click.command(help="Bring a backup into an empty database, whose schema it makes.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@with_key
@by.option
def restore(file: Path, key_file: Path) -> None:
    """Everybody signs in anew, and every system is compared or told anew."""
    from backend.environment import load, with_keys

    settings = with_keys(load(os.environ, storage_only=True))
    key = _key(key_file)
    count, made_at = asyncio.run(_restore(settings, file, key))
    out.print(f"{count} rows restored, as of {_at(made_at)}; every session has ended", soft_wrap=True)
    out.print(
        "now: `ngomon audit verify`, then start; the worker compares every system by itself", soft_wrap=True
    )


async def _restore(settings: Settings, file: Path, key: bytes) -> tuple[int, datetime]:
    from backend.crypto import KeyRing, KeyTrouble
    from backend.db import Database
    from backend.kit import Kit
    from backend.outside.clock import Clock
    from ngomon import backup as whole
    from ngomon import server
    from ngomon.commands.causes import database_asked
    from ngomon.sealed_file import FileTrouble

    db, keys = Database(settings.database_url), KeyRing.parse(settings.secret_keys)
    kit = Kit.of(keys, settings.limits, operator=by.whoever_runs(), brand=settings.brand)
    try:
        with database_asked(), server.only_one(db):
            begin, end = await whole.restore(db, kit, keys, file, key, Clock().now())
    except (FileTrouble, KeyTrouble) as trouble:
        raise Wrong(f"{file}: {trouble}") from trouble
    finally:
        await db.close()
    return sum(rows for rows, _ in end.tables.values()), begin.made_at


def _key(key_file: Path) -> bytes:
    from ngomon.sealed_file import key_in

    with _one_line():
        return key_in(key_file)


@contextmanager
def _one_line() -> Iterator[None]:
    from ngomon.sealed_file import FileTrouble

    try:
        yield
    except FileTrouble as trouble:
        raise Wrong(str(trouble)) from trouble


def _at(moment: datetime) -> str:
    from backend.outside.clock import LOCAL

    return f"{moment.astimezone(LOCAL):%d/%m/%Y %H:%M}"
