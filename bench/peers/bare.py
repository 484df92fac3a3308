"""The yardstick: one handler of an otherwise empty Litestar application, under our server's own settings."""

from __future__ import annotations

import sys

from litestar import Litestar, get

from backend.settings import Settings
from ngomon import server


@get("/v1/me")
async def hello() -> dict[str, str]:
    """No question asked, no data read."""
    return {"hello": "world"}


if __name__ == "__main__":
    app = Litestar([hello], openapi_config=None, logging_config=None)
    server.serve(app, server.bound("127.0.0.1", int(sys.argv[1])), settings=Settings())
