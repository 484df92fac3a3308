"""The world around a rehearsal of production (docs/rehearsal.md): https e-ID, SMS centre, Firebase, the proxy with TLS.

`python scripts/rehearsal.py FOLDER [--base PORT]` makes an authority of its own, certificates, keys and the settings,
serves until it is stopped, and prints every message and push. Nothing leaves this machine, and nobody in it exists.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import secrets
import signal
import ssl
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from joserfc.jwk import RSAKey

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from backend.crypto import new_secret_key  # noqa: E402 (a script beside the packages)
from tests.parts.processes import node  # noqa: E402 (as above)

SYSTEM_AUTHORITIES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
PEOPLE = {
    "can-bo": ("000079000404", "Trần Thị Quản Lý", "1980-05-04", "0550000404"),
    "nguoi-dan": ("000079000405", "Nguyễn Văn Thử", "1990-01-02", "0550000405"),
}
DAYS = 30
SIGNS = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def main() -> None:
    """Make what is not there yet, then serve."""
    words = argparse.ArgumentParser(description="The world around a rehearsal of production.")
    words.add_argument("folder", type=Path)
    words.add_argument("--base", type=int, default=9440, help="The first of five ports.")
    given = words.parse_args()
    folder = given.folder.resolve()
    if not (folder / "production.env").exists():
        folder.mkdir(parents=True, exist_ok=True)
        make(folder, given.base)
    # told to stop in either way, the e-ID ends too
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(folder, given.base))


def make(folder: Path, base: int) -> None:
    """An authority, a certificate for localhost, the e-ID's file, Firebase's key and the settings."""
    _certificates(folder)
    eid, public, secret = f"https://localhost:{base}", f"https://localhost:{base + 1}", secrets.token_hex(16)
    client = {
        "client_id": "rehearsal",
        "client_secret": secret,
        "token_endpoint_auth_method": "client_secret_basic",
        "redirect_uris": [f"{public}/app/vneid", f"{public}/workspace/login/callback"],
        "scope": "openid profile phone eid",
        "response_types": ["code"],
    }
    signing = RSAKey.generate_key(2048, {"kid": "rehearsal", "use": "sig", "alg": "RS256"})
    told = {
        "port": base,
        "issuer": eid,
        "tls": {"key": (folder / "key.pem").read_text(), "cert": (folder / "cert.pem").read_text()},
        "clients": {"rehearsal": client},
        "jwks": {"keys": [signing.as_dict(private=True)]},
        "accounts": {name: _claims(*who) for name, who in PEOPLE.items()},
    }
    (folder / "eid.json").write_text(json.dumps(told), encoding="utf-8")
    (folder / "push.json").write_text(json.dumps(_google(base + 3)), encoding="utf-8")
    _settings(folder, base, eid, public, secret)


def _settings(folder: Path, base: int, eid: str, public: str, secret: str) -> None:
    settings = {
        "NGOMON_PROFILE": "production",
        "NGOMON_DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'ngomon.db'}",
        "NGOMON_SECRET_KEYS": new_secret_key(),
        "NGOMON_PUBLIC_URL": public,
        "NGOMON_VNEID_ISSUER": eid,
        "NGOMON_VNEID_CLIENT_ID": "rehearsal",
        "NGOMON_VNEID_CLIENT_SECRET": secret,
        "NGOMON_SMS_URL": f"kannel://rehearsal:rehearsal@127.0.0.1:{base + 2}/?from=HUE-S",
        "NGOMON_FCM_CREDENTIALS": str(folder / "push.json"),
        "NGOMON_FCM_ENDPOINT": f"http://127.0.0.1:{base + 3}",
        "NGOMON_ALLOWED_PRIVATE_HOSTS": f"localhost:{base},127.0.0.1:{base + 2}",
        "NGOMON_METRICS_TOKEN": secrets.token_hex(32),
        "SSL_CERT_FILE": str(folder / "authorities.pem"),
        "REQUESTS_CA_BUNDLE": str(folder / "authorities.pem"),
    }
    file = folder / "production.env"
    file.touch(mode=0o600)
    file.write_text("".join(f"{name}='{value}'\n" for name, value in settings.items()), encoding="utf-8")


def _claims(number: str, name: str, born: str, phone: str) -> dict[str, object]:
    who = {"national_id": number, "full_name": name, "birth_date": born, "phone_number": phone}
    return who | {"gender": "female", "assurance_level": 2}


def _certificates(folder: Path) -> None:
    own, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _named("Rehearsal CA", "Rehearsal CA", own, own, is_authority=True)
    server = _named("localhost", "Rehearsal CA", key, own, is_authority=False)
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "key.pem").chmod(0o600)
    (folder / "cert.pem").write_bytes(server.public_bytes(Encoding.PEM))
    (folder / "ca.pem").write_bytes(authority.public_bytes(Encoding.PEM))
    usual = next((Path(place).read_text() for place in SYSTEM_AUTHORITIES if Path(place).exists()), "")
    (folder / "authorities.pem").write_text(usual + (folder / "ca.pem").read_text())


def _named(
    name: str,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    by: ec.EllipticCurvePrivateKey,
    *,
    is_authority: bool,
) -> x509.Certificate:
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(_name(name)).issuer_name(_name(issuer))
    made = made.public_key(key.public_key()).serial_number(x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=DAYS))
    made = made.add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key())
    made = made.add_extension(identifier, critical=False)
    made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    if is_authority:
        made = made.add_extension(SIGNS, critical=True)
    else:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return made.sign(by, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _google(port: int) -> dict[str, str]:
    """A service account of Google's shape, whose tokens come from here."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    named = {"type": "service_account", "project_id": "rehearsal", "private_key_id": "1", "client_id": "1"}
    return named | {
        "client_email": "push@rehearsal.example",
        "private_key": pem,
        "token_uri": f"http://127.0.0.1:{port}/token",
    }


async def serve(folder: Path, base: int) -> None:
    """The e-ID in node, the rest here."""
    program = (node(), str(ROOT / "tests/parts/oidc_provider.mjs"), str(folder / "eid.json"))
    eid = await asyncio.create_subprocess_exec(*program)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    try:
        async with (
            await asyncio.start_server(lambda r, w: _front(r, w, base + 4), "127.0.0.1", base + 1, ssl=tls),
            await asyncio.start_server(_sms, "127.0.0.1", base + 2),
            await asyncio.start_server(_push, "127.0.0.1", base + 3),
        ):
            print(f"e-ID https://localhost:{base}, SMS {base + 2}, Firebase {base + 3}", flush=True)
            print(f"https://localhost:{base + 1} leads to port {base + 4}", flush=True)
            await eid.wait()
    finally:
        if eid.returncode is None:
            eid.terminate()


async def _front(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """As the province's proxy does: TLS outside, plain inside."""
    try:
        inner_reader, inner = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_through(reader, inner), _through(inner_reader, writer))
    except OSError:
        pass
    finally:
        writer.close()


async def _through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()


async def _sms(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Kannel's `sendsms` as far as it is asked."""
    line, _ = await _request(reader)
    if query := parse_qs(urlsplit(line.split(" ")[1]).query):
        print(f"SMS to {query.get('to', ['?'])[0]}: {query.get('text', ['?'])[0]}", flush=True)
    await _answer(writer, "202 Accepted", "text/plain", "0: Accepted for delivery")


async def _push(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Google's tokens, and Firebase's one call."""
    line, body = await _request(reader)
    if "/token" in line:
        said = {"access_token": "rehearsal", "expires_in": 3600, "token_type": "Bearer"}
    else:
        print(f"push: {body}", flush=True)
        said = {"name": "projects/rehearsal/messages/1"}
    await _answer(writer, "200 OK", "application/json", json.dumps(said))


async def _request(reader: asyncio.StreamReader) -> tuple[str, str]:
    """The first line and the body; of who hangs up at once (the doctor) nothing."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except (OSError, EOFError):
        return "GET / HTTP/1.1", ""
    lengths = [
        line.partition(":")[2] for line in head.split("\r\n") if line.lower().startswith("content-length:")
    ]
    return head.split("\r\n")[0], (await reader.readexactly(int(lengths[0]))).decode() if lengths else ""


async def _answer(writer: asyncio.StreamWriter, status: str, kind: str, body: str) -> None:
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    writer.write((head + body).encode())
    with contextlib.suppress(OSError):
        await writer.drain()
    writer.close()


if __name__ == "__main__":
    main()
