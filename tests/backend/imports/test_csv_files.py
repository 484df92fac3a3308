"""CSV as office programs write it is read; what cannot be is refused by its name, with what to do (B11)."""

from __future__ import annotations

import codecs
import sys
import unicodedata
from pathlib import Path

import pytest

from backend.imports import encodings, files
from backend.imports.rows import ImportRefused, Record, RowError, told

UNITS = ("code", "name", "parent_code", "agency_code", "kind")
HEAD = "code;name;parent_code;agency_code;kind\r\n"
LINE = "SYT;Sở Y tế;UBND;H57.13;department\r\n"
CELLS = {
    "code": "SYT",
    "name": "Sở Y tế",
    "parent_code": "UBND",
    "agency_code": "H57.13",
    "kind": "department",
}
TCVN3 = {meant: old for old, meant in encodings.OF_TCVN3.items()}


def read(tmp_path: Path, content: bytes | str, name: str = "units.csv") -> list[Record]:
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return files.read(file, UNITS, required=("code",))


def refusal(tmp_path: Path, content: bytes | str) -> RowError:
    with pytest.raises(ImportRefused) as refused:
        read(tmp_path, content)
    return refused.value.errors[0]


def tcvn3(text: str) -> str:
    """Text as .VnTime fonts hold it."""
    return "".join(chr(TCVN3[ord(letter)]) if ord(letter) in TCVN3 else letter for letter in text)


def windows1258(text: str) -> bytes:
    """Text as Vietnamese Windows held it: a tone is a letter of its own, as far as there is no whole one."""
    found = b""
    for letter in text:
        try:
            found += letter.encode("cp1258")
        except UnicodeEncodeError:
            parts = unicodedata.normalize("NFD", letter)
            tone = next(mark for mark in parts if encodings.TONES.match(mark))
            base = unicodedata.normalize("NFC", parts.replace(tone, ""))
            found += (base + tone).encode("cp1258")
    return found


@pytest.mark.parametrize(
    "content",
    [
        (HEAD + LINE).encode(),
        (HEAD + LINE).encode("utf-8-sig"),
        (HEAD + LINE).replace(";", ",").encode("utf-8-sig"),
        codecs.BOM_UTF16_LE + (HEAD + LINE).replace(";", "\t").encode("utf-16-le"),
        codecs.BOM_UTF16_BE + (HEAD + LINE).replace(";", "\t").encode("utf-16-be"),
        codecs.BOM_UTF16_LE + (HEAD + LINE).encode("utf-16-le"),
        ("sep=;\r\n" + HEAD + LINE).encode("utf-8-sig"),
        ("SEP=;\r\n" + HEAD + LINE).encode(),
        ('"sep=;"\n' + HEAD + LINE).encode(),
        ("sep=,\r\n" + (HEAD + LINE).replace(";", ",")).encode(),
        ("sep=\t\r\n" + (HEAD + LINE).replace(";", "\t")).encode(),
        ("sep=;;;;;\r\n" + HEAD + LINE).encode(),
        codecs.BOM_UTF16_LE + ("sep=\t\r\n" + (HEAD + LINE).replace(";", "\t")).encode("utf-16-le"),
        ("\r\n\r\n" + (HEAD + LINE).replace(";", ",")).encode(),
        (HEAD + "\r\n;;;;\r\n" + LINE).encode(),
        (HEAD + LINE).replace("\r\n", "\n").encode(),
        (HEAD + LINE).replace("\r\n", "\r").encode(),
        ("\ufeff" + HEAD + LINE).encode("utf-8-sig"),
        HEAD.replace("name", "\u200bName ").encode() + LINE.encode(),
        (HEAD + LINE).replace("SYT", "\u200bS\u200bYT\u200b\u00a0").encode(),
        (HEAD + LINE).replace("Sở Y tế", "Sở\u00a0Y\u200b tế").encode(),
        (HEAD + LINE).replace("Sở Y tế", "Sở\u200bY\u202ftế\ufeff").encode(),
        (HEAD + LINE).replace("H57.13", "\u200eH57.13\u00ad").encode(),
        (HEAD + unicodedata.normalize("NFD", LINE)).encode(),
    ],
)
def test_b11_what_office_programs_write_around_the_text_is_passed_over(
    tmp_path: Path, content: bytes
) -> None:
    (row,) = read(tmp_path, content)
    assert ({name: cell.strip() for name, cell in row.cells.items()}, row.errors) == (CELLS, [])


NAMES = ("Nguyễn Thị Ánh Tuyết", "Sở Nội vụ", "Đặng Văn Hoà", "Uỷ ban nhân dân phường", "Trần Quốc Vượng")


@pytest.mark.parametrize("text", NAMES)
@pytest.mark.parametrize("name", ["windows-1258", "TCVN3", "UTF-16", "UTF-32"])
def test_b11_another_encoding_is_refused_by_its_name_and_with_what_to_do(
    tmp_path: Path, name: str, text: str
) -> None:
    line = f"S;{text}\r\n"
    content = {
        "windows-1258": HEAD.encode() + windows1258(line),
        "TCVN3": HEAD.encode() + tcvn3(line).encode("latin-1"),
        "UTF-16": (HEAD + line).encode("utf-16-le"),
        "UTF-32": (HEAD + line).encode("utf-32"),
    }[name]
    found = refusal(tmp_path, content)
    assert found.line == 0
    for lang in ("vi", "en"):
        assert name in told(found, lang) and "CSV UTF-8" in told(found, lang)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"PK\x03\x04\xff\xff", "XLSX"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\xff", "XLS"),
        (HEAD.encode() + "S;Nguyeãn Vaên Thaønh\r\nT;Sôû Noäi vuï\r\n".encode("latin-1"), "VNI"),
        (HEAD.encode() + "S;Zürich, Genève, Neuchâtel\r\n".encode("cp1252"), "windows-125"),
        (HEAD.encode() + b"S;\x00\xff\x00", "UTF-8"),
    ],
)
def test_b11_whatever_else_is_not_utf8_is_named_too(tmp_path: Path, content: bytes, name: str) -> None:
    found = refusal(tmp_path, content)
    assert name in told(found, "vi") and "CSV UTF-8" in told(found, "vi")


@pytest.mark.parametrize("text", NAMES)
@pytest.mark.parametrize(
    ("how", "looks_like"),
    [
        ("mojibake", "UTF-8"),
        ("mojibake of latin-1", "UTF-8"),
        ("TCVN3", "TCVN3"),
        ("TCVN3 in capitals", "TCVN3"),
    ],
)
def test_names_that_were_read_in_a_wrong_encoding_are_refused_in_their_cell(
    tmp_path: Path, how: str, looks_like: str, text: str
) -> None:
    wrong = {
        "mojibake": "".join(
            chr(byte) if byte in b"\x81\x8d\x8f\x90\x9d" else bytes([byte]).decode("cp1252")
            for byte in text.encode()
        ),
        "mojibake of latin-1": text.encode().decode("latin-1"),
        "TCVN3": tcvn3(text),
        "TCVN3 in capitals": tcvn3(text.lower()),
    }[how]
    (bad, good) = read(tmp_path, f"code,name\nS,{wrong}\nT,{text}\n")
    assert good.errors == [] and good.cells["name"] == text
    (error,) = bad.errors
    assert (error.line, error.column, error.reason) == (2, "name", "misread")
    assert error.values["looks_like"].startswith(looks_like)
    assert error.values["meant"].casefold() == text.casefold()


@pytest.mark.parametrize(
    "text",
    [
        *NAMES, "Müller", "José Núñez", "François Lefèvre", "Y Niê Êban", "K'Brôi", "H'Bia Ayŭn", "Rơ Châm H'Yéo", "Søren Ångström",
        "Đinh Nú", "Lò Văn Ún", "Vàng A Páo", "UBND xã A Ngo", "Chi nhánh № 5", "Phòng “Một cửa” – tầng 2", "Björk", "Công ty © 2020",
        "Trung tâm 24/7", "Tổ 1º", "Hoà, Hòa", "Giàng Seo Phử", "Ông Ích Khiêm", "Đường 3/2", "Tòa nhà ½", "Noël", "Yên", "Ý", "Ỷ Lan",
    ],
)  # fmt: skip
def test_what_people_and_offices_are_called_is_no_wrong_encoding(tmp_path: Path, text: str) -> None:
    (row,) = read(tmp_path, f'code,name\nS,"{text}"\n')
    assert (row.cells["name"], row.errors) == (text, [])


@pytest.mark.parametrize("text", ["S? N?i v?", "Nguy?n V?n An", "S\ufffd N\ufffdi v\ufffd"])
def test_letters_that_were_lost_are_seen(tmp_path: Path, text: str) -> None:
    (row,) = read(tmp_path, f"code,name\nS,{text}\n")
    assert [error.reason for error in row.errors] == ["letters_lost"]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 0, "file_empty"), ("\n\n", 0, "file_empty"), ("\ufeff", 0, "file_empty"), ("name\nS\n", 1, "column_missing"),
        ("code,colour\nS,x\n", 1, "unknown_column"), ("code,name,name\nS,a,b\n", 1, "column_twice"),
        ('code,name\nS,"open\n', 2, "not_csv"), ("sep=,\ncode,name\nS,\"a\"b\n", 3, "not_csv"), ("code,name\nS,a\0b\n", 0, "nul_characters"),
    ],
)  # fmt: skip
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str, line: int, reason: str) -> None:
    found = refusal(tmp_path, text)
    assert (found.line, found.reason) == (line, reason)


def test_cells_beyond_the_header_and_below_no_title_are_named(tmp_path: Path) -> None:
    rows = read(tmp_path, "code,name,\nS,Sở,x\nT,Ty,,y\nU,Ủy,,\n")
    assert [[error.reason for error in row.errors] for row in rows] == [
        ["cell_without_title"],
        ["too_many_cells"],
        [],
    ]


def test_a_hundred_thousand_rows_are_never_held_at_once(tmp_path: Path) -> None:
    file = tmp_path / "units.csv"
    file.write_text("code,name\n" + "".join(f"S{n},Sở số {n}\n" for n in range(100_000)))
    before, most, seen = sys.getallocatedblocks(), 0, 0
    for _ in files.stream(file, UNITS, required=("code",)):
        seen += 1
        if seen % 1000 == 0:
            most = max(most, sys.getallocatedblocks() - before)
    assert seen == 100_000
    assert most < seen // 2, "a row is eight objects"


def test_rows_and_bytes_have_a_bound(tmp_path: Path) -> None:
    file = tmp_path / "units.csv"
    file.write_text("code\n" + "S\n" * 50)
    for bounds, reason in (({"rows_most": 49}, "too_many_rows"), ({"bytes_most": 80}, "file_too_large")):
        with pytest.raises(ImportRefused) as refused:
            list(files.stream(file, UNITS, required=("code",), **bounds))
        assert [error.reason for error in refused.value.errors] == [reason]
    assert len(list(files.stream(file, UNITS, required=("code",), rows_most=50))) == 50
