"""Clients that are generated from the document: they are whole, they compile, and one of them signs in (D01, D02)."""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clients import generators
from tests.service import Service

OPERATIONS = {
    told["operationId"]
    for path, item in json.loads(generators.DOCUMENT.read_text(encoding="utf-8"))["paths"].items()
    if path.startswith("/v1/")
    for told in item.values()
}
EVERY_MODULE = (
    "for one in pkgutil.walk_packages(made.__path__, made.__name__ + '.'): importlib.import_module(one.name)"
)
PROGRAM = """
import type { components, operations } from "./api";

type LoginFlow = components["schemas"]["LoginFlow"];
type Answer = operations["authorizeLogin"]["responses"][200]["content"]["application/json"];

export function due(flow: Answer): string {
  const same: LoginFlow = flow;
  switch (same.step) {
    case "phone": return "ask for the number";
    case "otp": return `code sent to ${same.sent_to}, ${same.attempts_left ?? 0} attempts left`;
    case "sign": return `sign ${same.challenge}`;
    case "authorize": return `open ${same.authorization_url}`;
    case "done": return same.session?.access_token ?? "";
  }
}

export const begun: operations["beginLogin"]["requestBody"]["content"]["application/json"] = {
  method: "vneid", device: { platform: "android", name: "Máy", model: "Mẫu 1" }, step_up: false,
};
export const again: operations["resendLoginCode"]["requestBody"] = undefined;
export const draft: components["schemas"]["RoleRequestIn"] = { kind: "register", subject_type: "cong_chuc" };
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    return generators.python(tmp_path_factory.mktemp("python"))


def test_d02_a_python_client_is_made_of_every_call_and_shape(made: tuple[Path, str]) -> None:
    folder, said = made
    assert not re.search(r"warning|unable|skipp|duplicate", said, re.IGNORECASE), said
    modules = {one.stem for one in (folder / generators.PYTHON / "api").rglob("*.py")} - {"__init__"}
    assert modules == {re.sub(r"(?<!^)(?=[A-Z])", "_", one).lower() for one in OPERATIONS}
    program = f"import importlib, pkgutil, {generators.PYTHON} as made\n{EVERY_MODULE}"
    generators.run(sys.executable, "-W", "error", "-c", program, folder=folder)


@pytest.mark.parametrize("service", ["sqlite"], indirect=True)
async def test_d01_a_generated_python_client_signs_in(
    service: Service, made: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(made[0])
    client_of, models = (
        importlib.import_module(generators.PYTHON),
        importlib.import_module(f"{generators.PYTHON}.models"),
    )
    phone, person, number = service.phone(), service.person(), service.mobile_number()

    async def call(name: str, path: str, *parts: Any, token: str | None = None, **body: Any) -> Any:
        method = "GET" if name == "get_me" else "POST"
        proof = {"DPoP": phone.proof(method, path, token)} | (
            {"Authorization": f"DPoP {token}"} if token else {}
        )
        module = importlib.import_module(f"{generators.PYTHON}.api.{'me' if token else 'logins'}.{name}")
        async with client_of.Client(base_url=service.url, headers=proof) as client:
            return await module.asyncio(*parts, client=client, **body)

    device = models.DeviceIn(platform="android", name="Máy", model="Mẫu 1")
    flow = await call(
        "begin_login", "/v1/logins", body=models.LoginIn(method=models.LoginInMethod.VNEID, device=device)
    )
    assert isinstance(flow, models.LoginFlow) and flow.step is models.LoginFlowStep.AUTHORIZE
    at, back = f"/v1/logins/{flow.id}", await service.consent(flow.authorization_url, person)
    flow = await call("authorize_login", f"{at}/authorize", flow.id, body=models.AuthorizeIn(**back))
    assert flow.step is models.LoginFlowStep.PHONE and not flow.session, "D01: every part was required"
    flow = await call("give_login_phone", f"{at}/phone", flow.id, body=models.LoginPhoneIn(phone=number))
    assert flow.step is models.LoginFlowStep.OTP and flow.attempts_left == 5
    wrong = await call("give_login_code", f"{at}/otp", flow.id, body=models.OtpIn(code="000000"))
    assert isinstance(wrong, models.Problem) and wrong.code == "otp_wrong"
    flow = await call(
        "give_login_code", f"{at}/otp", flow.id, body=models.OtpIn(code=service.code_for(number))
    )
    assert flow.step is models.LoginFlowStep.DONE
    me = await call("get_me", "/v1/me", token=flow.session.access_token)
    assert (me.full_name, me.id) == (person.full_name, flow.account.id)


def test_d01_typescript_types_are_made_and_a_strict_program_walks_a_sign_in_with_them(tmp_path: Path) -> None:
    types, program = generators.typescript(tmp_path), tmp_path / "program.ts"
    program.write_text(PROGRAM, encoding="utf-8")
    generators.compile_types(tmp_path, [types, program])
    missing = [one for one in OPERATIONS if f"{one}: {{" not in types.read_text(encoding="utf-8")]
    assert missing == []
    program.write_text(PROGRAM.replace('case "phone"', 'case "telephone"'), encoding="utf-8")
    with pytest.raises(AssertionError, match="telephone"):
        generators.compile_types(tmp_path, [types, program])
