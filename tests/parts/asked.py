"""What the database is asked meanwhile: by the ORM, or by a statement on the driver's connection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Engine, event

from backend.transaction import PostgresWire, SqliteWire

Ask = Callable[[Any, str, Sequence[Any]], Awaitable[Any]]
_listening: ContextVar[list[tuple[str, Any]] | None] = ContextVar("listening", default=None)


@contextmanager
def heard(*, of_all: bool = False) -> Iterator[list[tuple[str, Any]]]:
    """Each statement with its values, in the order in which they are asked: by this task and those that it begins.

    What a service of another test asks by the clock in the same process is not heard, but with `of_all`.
    """
    found: list[tuple[str, Any]] = []

    def note(statement: str, values: Any) -> None:
        if of_all or _listening.get() is found:
            found.append((statement, values))

    def hear(_: object, __: object, statement: str, values: Any, *___: object) -> None:
        note(statement, values)

    def by_driver(ask: Ask) -> Ask:
        async def asked(wire: Any, sql: str, values: Sequence[Any]) -> Any:
            note(sql, values)
            return await ask(wire, sql, values)

        return asked

    plain = [
        (wire, name, getattr(wire, name))
        for wire in (SqliteWire, PostgresWire)
        for name in ("rows", "touched")
    ]
    for wire, name, ask in plain:
        setattr(wire, name, by_driver(ask))
    event.listen(Engine, "before_cursor_execute", hear)
    mine = _listening.set(found)
    try:
        yield found
    finally:
        _listening.reset(mine)
        event.remove(Engine, "before_cursor_execute", hear)
        for wire, name, ask in plain:
            setattr(wire, name, ask)
