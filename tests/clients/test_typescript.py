"""Our small TypeScript client: its types are the document's, and its own tests pass against a running service."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

from backend.support import desks
from tests.clients import generators
from tests.clients.generators import CLIENT
from tests.parts.processes import ROOT, node
from tests.service import Service, running

PEOPLE = ["an", "binh", "chi", "dung", "giang", "hoa", "khanh", "lan", "minh", "nam"]
AGREE = """
import type { components } from "./api";
import type { FlowAnswer, Session, Account } from "CLIENT/src/types";

type Told = components["schemas"];
type Flows = Told["LoginFlow"] | Told["RegistrationFlow"] | Told["RecoveryFlow"] | Told["PhoneChangeFlow"]
  | Told["AuthMethodFlow"] | Told["JoinFlow"];
type Parts<T> = T extends unknown ? keyof T : never;
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

export const answers = (flow: Flows): FlowAnswer => flow;
export const parts: Same<Parts<Flows>, keyof FlowAnswer> = true;
export const steps: Same<Flows["step"], FlowAnswer["step"]> = true;
export const session: Same<Told["SessionOut"], Session> = true;
export const account: Same<Told["AccountOut"], Account> = true;
// @ts-expect-error a part that the client would not know is found: the compiler says so, or complains of this line
export const fewer: Same<Parts<Flows>, Exclude<keyof FlowAnswer, "sent_to">> = true;
"""


def test_the_clients_types_are_the_documents(made: Path) -> None:
    generators.typescript(made)
    program = made / "agree.ts"
    program.write_text(AGREE.replace("CLIENT", CLIENT.as_posix()), encoding="utf-8")
    generators.compile_types(made, [program])


def test_the_client_needs_nothing_else() -> None:
    for source in (CLIENT / "src").glob("*.ts"):
        for line in source.read_text(encoding="utf-8").splitlines():
            if line.startswith(("import ", "export {", "export type {")):
                assert re.search(r' from "\./\w+\.js";$', line), (source.name, line)


def test_the_demos_phone_runs_on_it_and_makes_nothing_of_it_again(made: Path) -> None:
    phone = ROOT / "demo/phone"
    for module in (made / "dist").glob("*.js"):
        head, _, rest = (phone / "client" / module.name).read_text(encoding="utf-8").partition("\n")
        assert head.startswith(
            "// Made by `make docs` from clients/typescript/src/"
        ) and rest == module.read_text(encoding="utf-8")
    for own in phone.glob("*.js"):
        said = own.read_text(encoding="utf-8")
        assert not re.search(r"DPoP|PBKDF2|Authorization|/v1/token|fetch\([`\"']/v1", said), own.name
    assert 'from "./client/index.js"' in (phone / "api.js").read_text(encoding="utf-8")


async def test_the_client_does_against_a_running_service_what_it_promises(made: Path, tmp_path: Path) -> None:
    settings = {
        "NGOMON_DPOP_NONCE": "true",
        "NGOMON_LIMIT_ACCESS_LIFETIME": "4",
        "NGOMON_OTP_RESEND_AFTER": "1",
    }
    async with running(f"sqlite+aiosqlite:///{tmp_path}/client.db", **settings) as service:
        await a_desk(service)
        environment = os.environ | {"NGOMON_URL": service.url, "CLIENT": str(made / "dist/index.js")}
        for name in PEOPLE:
            if name not in service.stand.eid.personas:
                service.stand.eid.personas[name] = service.person("Người Thử Máy")
        tests = [str(CLIENT / f"test/{name}.test.mjs") for name in ("client", "astray")]
        process = await asyncio.create_subprocess_exec(
            node(),
            "--test",
            "--test-reporter=spec",
            *tests,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said = (await process.communicate())[0].decode()
    assert process.returncode == 0 and "ℹ skipped 0" in said, said


async def a_desk(service: Service) -> None:
    async with service.db.write() as tx:
        about = {"name": "Đội hỗ trợ", "mailbox": "hotro@hue.example", "phone": "0550 300 000"}
        await desks.add(tx, service.kit, "HUE", **about, now=service.clock.now())
