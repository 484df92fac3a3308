"""The stand-in e-ID as a process of its own: `python -m bench.eid_server PORT PUBLIC_URL PEOPLE`."""

from __future__ import annotations

import sys

import uvicorn
from litestar import Litestar

from backend.outside.clock import Clock
from demo.eid import StandInEid
from demo.eid_clients import EidClient
from demo.eid_http import eid_router
from demo.persona import Persona

CLIENT, SECRET = "bench", "bench-only"


def issuer(port: int) -> str:
    """What NGOMON_VNEID_ISSUER is to be."""
    return f"http://127.0.0.1:{port}/eid"


def person(number: int) -> Persona:
    """Invented person `number`, the same in every process; nobody's personal number begins 000."""
    return Persona(
        key=f"b{number}",
        national_id=f"000090{number:06d}",
        full_name="Nguyễn Văn Đo",
        birth_date=f"{1950 + number // 28 % 50}-{number // 1400 % 12 + 1:02d}-{number % 28 + 1:02d}",
        gender="male",
        level=2,
        about_vi="",
        about_en="",
    )


def serve(port: int, public_url: str, people: int) -> None:
    """Answer until the process is ended."""
    returns = (f"{public_url}/app/vneid", f"{public_url}/workspace/login/callback")
    client = EidClient(client_id=CLIENT, redirect_uris=returns, secret=SECRET)
    eid = StandInEid(issuer(port), [client], map(person, range(people)), Clock())
    app = Litestar([eid_router(eid)], openapi_config=None, logging_config=None)
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        timeout_keep_alive=65,
    )


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
