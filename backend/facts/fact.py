"""What every fact is."""

from __future__ import annotations

from uuid import UUID

import msgspec


class Operator(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who ran a command: the machine's account, and the name that was given with `--by`."""

    system: str
    name: str | None = None


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happened. `subject` is the account it is about, `operator` who ran the command, if any."""

    subject: UUID | None = None
    operator: Operator | None = None
