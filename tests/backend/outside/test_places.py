"""Networks and their provinces: the narrowest line wins, and a bad file stops the start (source 001, III)."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.environment import SettingsError, load
from backend.outside.places import Places, PlacesError

TABLE = """network,province
203.0.113.0/24,Thành phố Huế
203.0.113.128/25,Tỉnh Quảng Trị
198.51.100.7/32,  Tỉnh   Quảng Nam

2001:db8::/32,Thành phố Đà Nẵng
"""


def places(folder: Path, text: str) -> Places:
    file = folder / "places.csv"
    file.write_text(text, encoding="utf-8")
    return Places(str(file))


@pytest.mark.parametrize(
    ("address", "province"),
    [
        ("203.0.113.5", "Thành phố Huế"),
        ("203.0.113.200", "Tỉnh Quảng Trị"),
        ("198.51.100.7", "Tỉnh Quảng Nam"),
        ("198.51.100.8", None),
        ("2001:db8:1::1", "Thành phố Đà Nẵng"),
        ("::ffff:203.0.113.5", "Thành phố Huế"),
        ("::1", None),
        ("127.0.0.1", None),
        ("", None),
        ("không phải địa chỉ", None),
        ("203.0.113.5:443", None),
    ],
)
def test_an_address_is_in_the_narrowest_network_that_holds_it(
    tmp_path: Path, address: str, province: str | None
) -> None:
    assert places(tmp_path, TABLE).of(address) == province


def test_everything_can_be_one_place(tmp_path: Path) -> None:
    found = places(tmp_path, "network,province\n0.0.0.0/0,Thành phố Huế\n")
    assert (found.of("8.8.8.8"), found.of("::1")) == ("Thành phố Huế", None)


def test_without_a_file_nobody_is_anywhere() -> None:
    assert Places().of("203.0.113.5") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the first line must be network,province"),
        ("mạng,tỉnh\n203.0.113.0/24,Huế\n", "the first line must be network,province"),
        ("network,province\n203.0.113.0/24\n", "line 2 must have two values"),
        ("network,province\n203.0.113.1/24,Huế\n", "line 2 is not a network"),
        ("network,province\nHuế,203.0.113.0/24\n", "line 2 is not a network"),
        ("network,province\n203.0.113.0/24, \n", "line 2 names no province"),
        (f"network,province\n203.0.113.0/24,{'x' * 61}\n", "line 2 names no province"),
    ],
)
def test_a_bad_file_names_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PlacesError, match=said):
        places(tmp_path, text)


def test_a_bad_file_stops_the_start_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "places.csv"
    for raw, said in (
        (b"network,province\nx,Hue\n", "NGOMON_PLACES: line 2 is not a network"),
        ("network,province\n203.0.113.0/24,Huế\n".encode("utf-16"), "NGOMON_PLACES: must be UTF-8"),
    ):
        file.write_bytes(raw)
        with pytest.raises(SettingsError) as found:
            load({"NGOMON_PLACES": str(file)})
        assert found.value.problems == [said]
