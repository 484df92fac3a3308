"""What every fact is."""

from __future__ import annotations

from uuid import UUID

import msgspec


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happened. `subject` is the account it is about, where there is one."""

    subject: UUID | None = None
