"""Files that an operator names in a setting: taken whole, or refused in one line that says why (rule 1001)."""

from __future__ import annotations

import errno
import os
from datetime import date
from pathlib import Path

import pytest

from backend import environment, working_days
from backend.branding import brand
from backend.crypto import new_secret_key
from backend.environment import SettingsError, load, with_keys
from backend.settings import Settings


def causes(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as found:
        load(environ)
    return found.value.problems


def test_a_secret_of_a_file_that_an_editor_marked_is_the_secret(tmp_path: Path) -> None:
    """With its mark a token would never be the one that the caller sends, and nobody would see why."""
    file = tmp_path / "token"
    file.write_bytes(b"\xef\xbb\xbfabc\r\n")
    assert load({"NGOMON_METRICS_TOKEN_FILE": str(file)}).metrics_token == "abc"


@pytest.mark.parametrize("order", [1, -1])
def test_a_secret_that_is_set_twice_is_not_taken_by_chance(tmp_path: Path, order: int) -> None:
    file = tmp_path / "token"
    file.write_text("of-the-file")
    both = [("NGOMON_METRICS_TOKEN", "of-the-variable"), ("NGOMON_METRICS_TOKEN_FILE", str(file))][::order]
    said = causes(dict(both))
    assert said == ["NGOMON_METRICS_TOKEN_FILE: NGOMON_METRICS_TOKEN is set too: leave one"]
    blank = dict([(both[0][0], ""), both[1]] if order == 1 else [both[0], (both[1][0], "")])
    assert load(blank).metrics_token == "of-the-file"


@pytest.mark.parametrize("text", ["", " \n", "\ufeff"])
def test_an_empty_file_of_a_secret_is_named(tmp_path: Path, text: str) -> None:
    """The demo would make other keys than those that somebody meant."""
    file = tmp_path / "keys"
    file.write_text(text, encoding="utf-8")
    assert causes({"NGOMON_SECRET_KEYS_FILE": str(file)}) == ["NGOMON_SECRET_KEYS_FILE: is empty"]


def test_keys_that_were_half_made_are_not_taken_for_keys(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite+aiosqlite:///{tmp_path}/demo.db")
    (tmp_path / "demo.keys").touch()
    with pytest.raises(SettingsError, match="is empty"):
        with_keys(settings)


def test_of_two_who_start_at_once_both_have_the_same_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = new_secret_key()

    def slowly() -> str:
        (tmp_path / "demo.keys").write_text(first)  # the other one has come in between
        return new_secret_key()

    monkeypatch.setattr(environment, "new_secret_key", slowly)
    settings = Settings(database_url=f"sqlite+aiosqlite:///{tmp_path}/demo.db")
    assert with_keys(settings).secret_keys == first
    assert [path.name for path in tmp_path.iterdir()] == ["demo.keys"]


def test_keys_are_made_where_a_file_has_one_name_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_second_name(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", no_second_name)
    settings = Settings(database_url=f"sqlite+aiosqlite:///{tmp_path}/demo.db")
    assert with_keys(settings).secret_keys == (tmp_path / "demo.keys").read_text().strip() != ""
    assert [path.name for path in tmp_path.iterdir()] == ["demo.keys"]


def test_a_table_of_days_is_taken_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "days.toml"
    rest = "# " + "x" * working_days.BYTES_MOST
    file.write_text(f"off = [2027-01-01]\n{rest}\nworked = [2027-01-02]\n")
    (said,) = causes({"NGOMON_WORKING_DAYS": str(file)})
    assert said.startswith("NGOMON_WORKING_DAYS: is longer than")
    file.write_text("off = [2027-01-01]\nworked = [2027-01-02]\n")
    assert load({"NGOMON_WORKING_DAYS": str(file)}).days.is_worked(date(2027, 1, 2))


def test_a_day_is_not_both_off_and_worked(tmp_path: Path) -> None:
    file = tmp_path / "days.toml"
    file.write_text("off = [2027-01-01, 2027-02-08]\nworked = [2027-02-08]\n")
    (said,) = causes({"NGOMON_WORKING_DAYS": str(file)})
    assert said == "NGOMON_WORKING_DAYS: has 2027-02-08 as off and as worked: leave one"


@pytest.mark.parametrize("name", ["BRANDING", "WORKING_DAYS"])
@pytest.mark.parametrize("text", ["x = " + "[" * 5_000, "x = " + "9" * 5_000])
def test_a_file_that_the_parser_gives_up_is_one_line(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / "odd.toml"
    file.write_text(text)
    (said,) = causes({f"NGOMON_{name}": str(file)})
    assert said.startswith(f"NGOMON_{name}: is no")


def test_a_branding_is_taken_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "brand.toml"
    shipped = brand.SHIPPED.read_text(encoding="utf-8")
    file.write_text(f"{shipped}\n# {'x' * brand.BYTES_MOST}\nsurplus = 1\n", encoding="utf-8")
    (said,) = causes({"NGOMON_BRANDING": str(file)})
    assert said.startswith("NGOMON_BRANDING: is longer than")


def test_a_name_with_its_dot_in_quotes_is_another_name(tmp_path: Path) -> None:
    file = tmp_path / "brand.toml"
    shipped = brand.SHIPPED.read_text(encoding="utf-8")
    file.write_text('"hotlines.own" = "19001075"\n' + shipped, encoding="utf-8")
    (said,) = causes({"NGOMON_BRANDING": str(file)})
    assert said.startswith("NGOMON_BRANDING: 'hotlines.own': is not known")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('10.0.0.0/8,"Huế' + "x" * 200_000, "is no CSV"),
        ("10.0.0.0/8,Huế\n10.0.0.0/8,Hà Nội\n", "line 3 names another province"),
    ],
)
def test_a_table_of_places_is_refused_in_one_line(tmp_path: Path, lines: str, said: str) -> None:
    file = tmp_path / "places.csv"
    file.write_text(f"network,province\n{lines}", encoding="utf-8")
    (cause,) = causes({"NGOMON_PLACES": str(file)})
    assert cause.startswith("NGOMON_PLACES: line ") and said in cause
    file.write_text("network,province\n10.0.0.0/8,Huế\n10.0.0.0/8,Huế\n", encoding="utf-8")
    assert load({"NGOMON_PLACES": str(file)}).places == str(file)


@pytest.mark.parametrize("name", ["PLACES", "TRUSTED_CAS", "VNEID_ENVELOPE_KEY"])
def test_a_file_that_may_not_be_read_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    file = tmp_path / "closed"
    file.write_text("x")
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != str(file) and allowed(path, mode))
    for reading in ("open", "read_bytes", "read_text"):
        monkeypatch.setattr(Path, reading, _closed)
    assert causes({f"NGOMON_{name}": str(file)}) == [f"NGOMON_{name}: cannot be read"]


def _closed(*_: object, **__: object) -> None:
    raise PermissionError(13, "Permission denied")
