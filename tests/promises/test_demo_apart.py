"""The demo is a package by itself: production never loads it, and a plain install says in one line that it is not there."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from backend.crypto import new_secret_key

ROOT = Path(__file__).resolve().parents[2]
WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in {missing}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
"""
EVERYTHING = """
import importlib, os, pkgutil, ngomon
from backend.environment import load
for module in pkgutil.walk_packages(ngomon.__path__, "ngomon."):
    importlib.import_module(module.name)
from ngomon.app import create_app
create_app(load(os.environ))
print(sorted(name for name in sys.modules if name.partition(".")[0] in ("demo", "scim2_server", "scim2_models")))
"""


def python(program: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, with no setting but these."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("NGOMON_")}
    own |= {"NGOMON_DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'ngomon.db'}", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", program], env=own | environ, capture_output=True, text=True, check=False
    )


def push_account() -> dict[str, str]:
    """What Google's own library takes for an account, without asking anybody."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    mail, asked = "ngomon@invented.example", "https://token.example"
    named = {"type": "service_account", "project_id": "ngomon", "client_email": mail, "token_uri": asked}
    return named | {"private_key_id": "k-1", "private_key": pem, "client_id": "1"}


def test_production_loads_nothing_of_the_demo_and_needs_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "push.json").write_text(json.dumps(push_account()), encoding="utf-8")
    done = python(
        WITHOUT.format(missing={"demo", "scim2_server", "scim2_models"}) + EVERYTHING,
        tmp_path,
        NGOMON_PROFILE="production",
        NGOMON_SECRET_KEYS=new_secret_key(),
        NGOMON_PUBLIC_URL="https://cong.example",
        NGOMON_VNEID_ISSUER="https://dinh-danh.example",
        NGOMON_VNEID_CLIENT_ID="cong",
        NGOMON_VNEID_CLIENT_SECRET="secret",
        NGOMON_SMS_URL="kannel://user:pass@sms:13013/?from=HUE-S",
        NGOMON_FCM_CREDENTIALS=str(tmp_path / "push.json"),
        NGOMON_METRICS_TOKEN=secrets.token_hex(16),
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


@pytest.mark.parametrize("missing", ["demo", "scim2_server", "scim2_models"])
def test_a_plain_install_says_in_one_line_that_the_demo_is_not_there(tmp_path: Path, missing: str) -> None:
    asked = "import sys; sys.argv = ['ngomon', 'demo', '--port', '1']\n"
    done = python(asked + WITHOUT.format(missing={missing}) + "from ngomon.cli import main; main()", tmp_path)
    assert (done.returncode, done.stderr.splitlines()) == (
        1,
        ["ngomon: the demo is not installed here: pip install 'ngomon[demo]' (in a checkout: make run)"],
    )
