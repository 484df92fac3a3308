"""Another origin's pages: on a port of their own, as `localhost` another site, as `127.0.0.1` a neighbour on ours.

A cookie knows no ports: the browser sends the neighbour's calls with it, and what refuses those is the product alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlencode

from tests.parts.processes import free_port

STRANGER, NEIGHBOUR = "localhost", "127.0.0.1"
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def another_origin(page: str, host: str) -> AsyncIterator[str]:
    """The address of a page that says what it is given, whatever is asked for."""
    body = f"<!doctype html><title>Nơi khác</title>{page}".encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD.format(len(body)).encode() + body)
        await writer.drain()
        writer.close()

    port = free_port()
    async with await asyncio.start_server(answer, "127.0.0.1", port):
        yield f"http://{host}:{port}/"


def attacks(place: str, token: str) -> str:
    """Every way in which a page may call another's address without asking."""
    fields = {"_csrf": token, "decision": "approved", "version": "1", "_method": "POST"}
    boxes = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in fields.items())
    forms = "".join(
        f'<form method="{method}" enctype="{kind}" action="{place}">{boxes}<button>{name}</button></form>'
        for name, method, kind in (
            ("plain", "post", "application/x-www-form-urlencoded"),
            ("text", "post", "text/plain"),
            ("parts", "post", "multipart/form-data"),
            ("address", "get", "application/x-www-form-urlencoded"),
        )
    )
    form = urlencode(fields)
    return f"""{forms}<img src="{place}?{form}"><script>
const send = (body, type) => fetch("{place}", {{ method: "POST", mode: "no-cors", credentials: "include", body,
  headers: {{ "Content-Type": type }} }}).catch(() => null);
const sent = Promise.all([
  send("{form}", "application/x-www-form-urlencoded"), send(JSON.stringify({{ decision: "approved" }}), "text/plain"),
  fetch("{place}?{form}", {{ mode: "no-cors", credentials: "include" }}).catch(() => null),
  navigator.sendBeacon("{place}", new URLSearchParams("{form}")),
]);
</script>"""
