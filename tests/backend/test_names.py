"""Names and birth dates compared as people write them (rule 131; case R18)."""

from __future__ import annotations

import unicodedata
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.names import (
    clean_name,
    folded,
    fuller_birth_date,
    is_of_another_alphabet,
    is_whole_birth_date,
    proves_birth_date,
    read_birth_date,
    same_birth_date,
    same_name,
)

BLANKS = (
    "\u00a0",
    "\u2007",
    "\u2009",
    "\u202f",
    "\u3000",
    "\u200b",
    "\ufeff",
    " \u200b",
    "\u200b\u00a0",
    "\t",
    "   ",
)
TONES = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
GROUPS = ("oa", "oe", "uy", "ua", "ia", "uê", "iê", "uyê", "uya", "ươ", "oai", "uâ", "yê", "oay", "ưa")
ONSETS = ("", "h", "th", "ng", "kh", "đ", "d", "nh", "q", "gi")
CODAS = ("", "n", "ng", "nh", "t", "c")


def spelt(onset: str, group: str, coda: str, tone: str, place: int) -> str:
    """A syllable with its tone on one of its vowels."""
    place %= len(group)
    letters = [letter + tone if at == place else letter for at, letter in enumerate(group)]
    return unicodedata.normalize("NFC", onset + "".join(letters) + coda)


SYLLABLES = st.tuples(
    st.sampled_from(ONSETS), st.sampled_from(GROUPS), st.sampled_from(CODAS), st.sampled_from(TONES)
)
PLACES = st.integers(0, 3)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hoà", "Hòa"), ("Thuý", "Thúy"), ("Hoá", "Hóa"), ("HOÀ", "hòa"), ("Uỳnh", "Ùynh"), ("Quý", "Qúy"),
        ("Khoẻ", "Khỏe"), ("Thuỷ", "Thủy"), ("Luỹ", "Lũy"), ("Hoạ", "Họa"), ("Nguyễn", "Nguỹên"),
        ("Trần Thị Hoà", "Trần Thị Ho\u0061\u0300"),
    ],
)  # fmt: skip
def test_r18_where_the_tone_stands_makes_no_difference(one: str, other: str) -> None:
    assert same_name(one, other) and same_name(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hoà", "Hoa"), ("Hòa", "Hóa"), ("Hoà", "Hoả"), ("Ân", "An"), ("Ăn", "Ân"), ("Đan", "Dan"),
        ("Mơ", "Mo"), ("Tư", "Tu"), ("Thuý", "Thuỷ"), ("Lan Anh", "Anh Lan"), ("Lan Anh", "Lananh"),
        ("Hòa Bình", "Hoa Bình"), ("Hàlan", "Halàn"), ("Ńa", "Ná"), ("Ngân", "Ngấn"), ("An", "An An"),
    ],
)  # fmt: skip
def test_a_tone_a_mark_a_letter_and_the_order_make_a_difference(one: str, other: str) -> None:
    assert not same_name(one, other) and not same_name(other, one)


@pytest.mark.parametrize("letters", list(product("ĐÐƉđðɖ", repeat=2)))
def test_the_three_letters_that_look_like_one_are_one(letters: tuple[str, str]) -> None:
    one, other = letters
    assert same_name(f"{one}ặng {one}ình", f"{other}ặng {other}ình")
    assert folded(f"{one}ình") == "dinh"


@pytest.mark.parametrize("blank", BLANKS)
def test_odd_blanks_and_those_without_width_are_one_blank(blank: str) -> None:
    assert clean_name(f"{blank}Nguyễn{blank}Thị An{blank}") == "Nguyễn Thị An"
    assert same_name(f"Nguyễn{blank}Thị An", "nguyễn thị an")
    assert folded(f"Nguyễn{blank}Thị An") == "nguyen thi an"


@pytest.mark.parametrize("sign", ["\u00ad", "\u200c", "\u200d", "\u2060", "\u200e", "\u200f"])
def test_a_sign_that_only_joins_or_turns_letters_is_nothing(sign: str) -> None:
    assert same_name(f"Ngu{sign}yễn An", "Nguyễn An")


@given(SYLLABLES, PLACES, PLACES, st.sampled_from(("NFC", "NFD")), st.sampled_from(BLANKS), st.booleans())
@settings(max_examples=500, deadline=None)
def test_one_name_in_any_spelling_is_the_same(
    syllable: tuple[str, str, str, str], one: int, other: int, form: str, blank: str, upper: bool
) -> None:
    left = f"Trần {spelt(*syllable, one)}"
    right = unicodedata.normalize(form, f"Trần{blank}{spelt(*syllable, other)}")  # type: ignore[arg-type]
    right = right.upper() if upper else right
    assert same_name(left, right) and same_name(right, left)


@given(SYLLABLES, SYLLABLES, PLACES, PLACES)
@settings(max_examples=500, deadline=None)
def test_two_syllables_are_the_same_only_when_every_part_is(
    one: tuple[str, str, str, str], other: tuple[str, str, str, str], left: int, right: int
) -> None:
    written = {unicodedata.normalize("NFD", "".join(part[:3])) + "|" + part[3] for part in (one, other)}
    assert same_name(spelt(*one, left), spelt(*other, right)) == (len(written) == 1)


WORDS = st.text(alphabet="aoyuhđdÐƉ áàạôơ\u0301\u0300\u0302\u200b\u00a0\u200dAB-'", max_size=12)


@given(st.lists(WORDS, min_size=3, max_size=3))
@settings(max_examples=500, deadline=None)
def test_the_comparison_is_an_equivalence(names: list[str]) -> None:
    one, two, three = names
    assert same_name(one, one)
    assert same_name(one, two) == same_name(two, one)
    if same_name(one, two) and same_name(two, three):
        assert same_name(one, three)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("1950", "1950"), ("1950-00-00", "1950"), ("1950-03", "1950-03"), ("1950-03-00", "1950-03"),
        ("0000-03-14", "0000-03-14"), ("0000-02-29", "0000-02-29"), ("1950-03-14", "1950-03-14"),
        ("14/03/1950", "1950-03-14"), ("1.2.1990", "1990-02-01"), ("01-02-1990", "1990-02-01"), ("3/1950", "1950-03"),
        ("00/00/1950", "1950"), ("19500314", "1950-03-14"), ("1990-02-01 00:00:00", "1990-02-01"),
        ("1990-02-01T00:00:00Z", "1990-02-01"), (" 1950 ", "1950"),
    ],
)  # fmt: skip
def test_a_birth_date_is_kept_as_far_as_it_is_known(text: str, kept: str) -> None:
    assert read_birth_date(text) == kept == read_birth_date(kept)


@pytest.mark.parametrize(
    "text",
    ["", "0000", "0000-00-00", "0000-00-14", "0000-03-00", "1950-00-14", "1950-13", "1950-02-30", "30/02/1990", "0000-02-30",
     "1899", "1899-12-31", "95", "195O", "١٩٥٠", "1950-3-14x", "31/31/1950", "14 tháng 3"],
)  # fmt: skip
def test_what_is_no_birth_date_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ValueError, match=r"^not a birth date$") as refused:
        read_birth_date(text)
    assert refused.value.__cause__ is None and refused.value.__suppress_context__


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1950-03-14", "1950-03-14", True), ("1950", "1950-03-14", True), ("1950-03", "1950-03-14", True),
        ("1950-00-00", "1950", True), ("0000-03-14", "1950-03-14", True), ("1951", "1950-03-14", False),
        ("1950-04", "1950-03-14", False), ("0000-03-15", "1950-03-14", False), ("1950", "0000-03-14", False),
        ("1950-03-14", "1950-03-15", False), ("", "1950", False), ("lạ", "lạ", False),
    ],
)  # fmt: skip
def test_birth_dates_are_compared_as_far_as_both_go(one: str, other: str, same: bool) -> None:
    assert same_birth_date(one, other) is same is same_birth_date(other, one)


@pytest.mark.parametrize(
    ("typed", "known", "proved"),
    [
        ("1950-03-14", "1950-03-14", True), ("1950-03-14", "1950", True), ("1950", "1950", True), ("1950", "1950-03-14", False),
        ("1950-03", "1950-03-14", False), ("1950-03-14", "1950-03-15", False), ("1951", "1950", False), ("0000-03-14", "1950", False),
        ("1950", "", False), ("", "1950", False), ("1950-03-14", "14/03/1950", True),
    ],
)  # fmt: skip
def test_who_types_less_than_is_on_file_proves_nothing(typed: str, known: str, proved: bool) -> None:
    assert proves_birth_date(typed, known) is proved


@pytest.mark.parametrize(
    ("told", "known", "kept"),
    [
        ("1950", "1950-03-14", "1950-03-14"), ("1950-03-14", "1950", "1950-03-14"), ("1951", "1950-03-14", "1951"),
        (None, "1950", "1950"), ("1950", None, "1950"), (None, None, None), ("1950-03-15", "1950-03-14", "1950-03-15"),
    ],
)  # fmt: skip
def test_less_of_the_same_date_takes_nothing_away(
    told: str | None, known: str | None, kept: str | None
) -> None:
    assert fuller_birth_date(told, known) == kept


def test_only_a_date_with_all_its_parts_is_whole() -> None:
    assert [is_whole_birth_date(text) for text in ("1950-03-14", "1950", "1950-03", "0000-03-14")] == [
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("name", "odd"),
    [
        ("Nguyễn Thị Hoà", False),
        ("H\u02bcBia Êban", False),  # the apostrophe of Êđê names is a letter to Unicode
        ("Đỗ Văn Ân", False),
        ("Ngu\u0443en", True),  # Cyrillic
        ("\uff2eguyễn", True),  # full width
        ("\u0391n", True),  # Greek
        ("\u216cê Văn An", True),  # a Roman number
        ("\u24b6n", True),  # in a circle
        ("H\u1d0fa", True),  # a small capital
        ("Søren Łukasz", False),
        ("Phạm Văn Ba (con)", False),
    ],
)
def test_tw10_letters_that_only_look_like_ours_are_told(name: str, odd: bool) -> None:
    assert is_of_another_alphabet(name) is odd
