"""What the database is asked meanwhile, whoever asks: the ORM, or a statement on the driver's connection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

from backend.transaction import PostgresWire, SqliteWire

Ask = Callable[[Any, str, Sequence[Any]], Awaitable[Any]]


@contextmanager
def heard() -> Iterator[list[tuple[str, Any]]]:
    """Each statement with its values, in the order in which they are asked."""
    found: list[tuple[str, Any]] = []

    def hear(_: object, __: object, statement: str, values: Any, *___: object) -> None:
        found.append((statement, values))

    def by_driver(ask: Ask) -> Ask:
        async def asked(wire: Any, sql: str, values: Sequence[Any]) -> Any:
            found.append((sql, values))
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
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", hear)
        for wire, name, ask in plain:
            setattr(wire, name, ask)
