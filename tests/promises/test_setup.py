"""What brings a fresh machine to the two commands: each case of set-up that failed once, without the network."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import setup
from tests.parts import dovecot

ROOT = Path(__file__).resolve().parents[2]
Program = Callable[[str, str], None]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Puts a small shell program of that name before every other on the path."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def make(name: str, script: str) -> None:
        file = folder / name
        file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        file.chmod(0o755)

    return make


def making(folder: Path, *words: str) -> str:
    """What `make` would do, in a folder that holds our Makefile."""
    command = ["make", "--dry-run", "--no-print-directory", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("version", "first"), [((2, 3, 19), "ssl = no"), ((2, 4, 1), "dovecot_config_version = 2.4.1")]
)
def test_s02_each_dovecot_is_spoken_to_in_its_own_words(version: tuple[int, ...], first: str) -> None:
    words = {"folder": "/f", "port": 1, "mechanisms": "plain", "user": "u", "group_of_user": "g"}
    words |= {"internal": "i", "login": "l", "group": "g"}
    text = dovecot.configuration(version, words, asks=None)
    assert text.splitlines()[0] == first
    assert ("disable_plaintext_auth" in text) == (version < (2, 4))


@pytest.mark.parametrize(("machine", "built"), [("x86_64", False), ("aarch64", True)])
def test_s03_where_sqlite_has_no_wheel_a_compiler_and_headers_are_asked_for(
    machine: str, built: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    packages = {need.package for need in setup.run_needs()}
    assert ({"gcc", "libsqlite3-dev"} <= packages) == built


def test_s04_npm_says_why_it_failed_and_keeps_its_cache_in_the_folder(
    program: Program, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    program("node", "echo v22.0.0")
    program("npm", f'echo "$@" > {tmp_path}/words; echo "npm error network: the registry is asleep"; exit 1')
    with pytest.raises(setup.Failed, match=r"(?s)the registry is asleep.*npm ci failed \(1\)"):
        setup.install_node(everything=True)
    assert f"--cache={ROOT / '.venv/npm-cache'}" in (tmp_path / "words").read_text(encoding="utf-8")
    setup.install_node_for_run()
    assert "pages work without it" in capfd.readouterr().err


@pytest.mark.parametrize("folder", ["elsewhere", "here"])
def test_s05_what_was_installed_for_another_folder_is_made_anew(folder: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in (
        "requirements/run.txt",
        "requirements/build.txt",
        "pyproject.toml",
        "package-lock.json",
        "scripts/assets.py",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    for name in (".venv/bin/python", "workspace/static/vendor/htmx.min.js", ".venv/.run"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    (tmp_path / ".venv/bin/python").unlink()
    (tmp_path / ".venv/bin/python").symlink_to(sys.executable)
    (tmp_path / ".venv/.folder").write_text(str(tmp_path if folder == "here" else ROOT), encoding="utf-8")
    assert ("python-run" in making(tmp_path, "run")) == (folder == "elsewhere")


def test_s05_an_environment_whose_python_is_gone_or_which_was_copied_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert setup.venv_starts()
    monkeypatch.setattr(setup, "BIN", tmp_path)
    assert not setup.venv_starts(), "nothing is there"
    shutil.copy(ROOT / ".venv/bin/pip", tmp_path)
    (tmp_path / "python").symlink_to(sys.executable)
    assert not setup.venv_starts(), "copied: its pip still names the other folder"
    (tmp_path / "pip").write_text(f"#!{tmp_path}/python\n", encoding="utf-8")
    (tmp_path / "python").unlink()
    (tmp_path / "python").symlink_to("/usr/bin/python-of-last-year")
    assert not setup.venv_starts(), "its Python is gone"


def test_s06_another_port_is_one_word(tmp_path: Path) -> None:
    assert "ngomon demo --port 8001" in making(ROOT, "run", "PORT=8001")
    assert "--port" not in making(ROOT, "run")


def test_s07_nothing_that_the_tests_brought_starts_by_itself(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemons = {need.daemon for need in setup.TEST_NEEDS if need.daemon}
    assert daemons == {"kannel", "postgresql", "pgbouncer", "slapd", "dovecot"}
    program("apt-get", "exit 0")
    program("update-rc.d", f'echo "$1 $2" >> {tmp_path}/said')
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(setup, "POLICY", tmp_path / "policy")
    monkeypatch.setattr(setup, "is_there", lambda name: name.startswith("/usr/include"))
    setup.install_programs(setup.TEST_NEEDS)
    said = (tmp_path / "said").read_text(encoding="utf-8").splitlines()
    assert sorted(said) == sorted(
        f"{name} disable" for name in daemons if Path(f"/etc/init.d/{name}").exists()
    )


def test_s08_an_ordinary_user_is_told_everything_once(
    program: Program, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program("apt-get", "exit 1")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(setup, "is_there", lambda _: False)
    monkeypatch.setattr(setup, "distribution", lambda: "debian")
    assert setup.main(["system-test", "python-test"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    wanted = {need.package for need in (*setup.VENV_NEEDS, *setup.BUILD_NEEDS, *setup.TEST_NEEDS)}
    assert all(package in said[0] for package in wanted)
    assert said[0].endswith("sudo make packages")


def test_s09_a_persons_own_settings_of_pip_do_not_reach_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "python").write_text(f"#!/bin/sh\nenv > {tmp_path}/env\n", encoding="utf-8")
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setattr(setup, "BIN", tmp_path)
    for name, value in {"PIP_USER": "1", "PIP_TARGET": "/elsewhere", "PIP_INDEX_URL": "kept"}.items():
        monkeypatch.setenv(name, value)
    setup.pip_install("six")
    seen = (tmp_path / "env").read_text(encoding="utf-8").splitlines()
    assert "PIP_USER=0" in seen
    assert "PIP_INDEX_URL=kept" in seen
    assert not [line for line in seen if line.startswith("PIP_TARGET=")]


def test_s10_a_talkative_program_is_heard_only_when_it_fails(
    program: Program, capfd: pytest.CaptureFixture[str]
) -> None:
    program("talks", "seq 1 970; exit $1")
    setup.quietly("talks", "talks", "0")
    assert capfd.readouterr() == ("", "")
    with pytest.raises(setup.Failed) as failed:
        setup.quietly("talks", "talks", "7")
    lines = str(failed.value).splitlines()
    assert lines[-1] == "talks failed (7)"
    assert lines[-2] == "970"
    assert len(lines) == 21


def test_s10_the_readme_names_what_a_machine_must_have() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "`git`" in text
    assert "3 GB" in text


def test_s10_somebody_who_stops_the_first_second_reads_one_line() -> None:
    code = "import sys; sys.modules['ngomon.cli'] = None\nclass Stops:\n def find_spec(self, *_): raise KeyboardInterrupt\n"
    code += "del sys.modules['ngomon.cli']; sys.meta_path.insert(0, Stops())\nmain()"
    ended = subprocess.run(
        [sys.executable, "-c", f"from ngomon.__main__ import main\n{code}"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (1, "ngomon: stopped\n")


def test_building_fetches_nothing_that_is_not_pinned() -> None:
    """An isolated build takes the newest setuptools of the day."""
    text = (ROOT / "scripts/setup.py").read_text(encoding="utf-8")
    assert text.count('pip_install("--require-hashes", "--no-build-isolation"') == 1
    assert {"hatchling", "setuptools"} <= {
        line.partition("==")[0]
        for line in (ROOT / "requirements/build.txt").read_text(encoding="utf-8").splitlines()
    }
