"""The header with which a call that makes something may be sent again, whatever the network has lost (rule 801)."""

from __future__ import annotations

from typing import Annotated

from litestar.params import HeaderParameter

Key = Annotated[str | None, HeaderParameter(name="Idempotency-Key", min_length=1, max_length=80)]
