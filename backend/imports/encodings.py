"""In which encoding a file was saved, and whether its text was read in a wrong one on its way to us.

Vietnamese was written in fonts of its own before Unicode (TCVN3 of .VnTime, VNI), and files in these are still about.
A word is taken for misread only when it is no Vietnamese syllable as it stands and every word of its cell becomes
one in the other encoding: what others are called (Müller, Niê, K'Brôi) stays.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from pathlib import Path

UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)  # begins as UTF-16 does
HEADS = ((b"PK\x03\x04", "XLSX"), (b"\xd0\xcf\x11\xe0", "XLS"), *((mark, "UTF-32") for mark in UTF32))
LOOKED_AT = 1 << 18
ONSET = "(?:ngh|ng|nh|gh|gi|kh|ph|th|tr|ch|qu|[bcdđghklmnpqrstvx])?"
NUCLEUS = "(?:uyê|uya|iê|yê|ươ|uô|oa|oe|uâ|ue|uê|uy|oă|[aăâeêioôơuưy])"
SYLLABLE = re.compile(ONSET + NUCLEUS + "(?:ch|ng|nh|[cmnptiouy])?")
TONES = re.compile("[\u0300\u0301\u0303\u0309\u0323]")
WORD = re.compile(r"[^\s\-'’.,;:/()\"]{2,}")
OF_TCVN3 = str.maketrans(
    "µ¸¶·¹¨»¾¼½Æ©ÇÊÈÉË®ÌÐÎÏÑªÒÕÓÔÖ×ÝØÜÞßãáâä«åèæçé¬êíëìîïóñòô\u00adõøö÷ùúýûüþ¡¢£¤¥¦§",
    "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵĂÂÊÔƠƯĐ",
)
VNI_MARKS = dict(zip("ùøûõïâêáàåãäéèúüë", (
    "\u0301", "\u0300", "\u0309", "\u0303", "\u0323", "\u0302", "\u0306", "\u0302\u0301", "\u0302\u0300",
    "\u0302\u0309", "\u0302\u0303", "\u0302\u0323", "\u0306\u0301", "\u0306\u0300", "\u0306\u0309", "\u0306\u0303",
    "\u0306\u0323",
), strict=True))  # fmt: skip
VNI_LETTERS = str.maketrans("öôñæóòîÖÔÑÆÓÒÎ", "ươđỉĩịỵƯƠĐỈĨỊỴ")
VNI_LETTER = re.compile(f"([aeouyöô])([{''.join(VNI_MARKS)}])|[öôñæóòî]", re.IGNORECASE)


def marked(head: bytes) -> str:
    """The encoding that a file's first bytes tell; without a mark it is UTF-8 or nothing that is read."""
    return "utf-16" if head.startswith(UTF16) and not head.startswith(UTF32) else "utf-8-sig"


def guessed(path: Path) -> str:
    """What a file that is not UTF-8 looks like, by a name that office programs show."""
    with path.open("rb") as file:
        raw = file.read(LOOKED_AT)
    for head, name in HEADS:
        if raw.startswith(head):
            return name
    if raw.startswith(UTF16) or raw[:200].count(0) > len(raw[:200]) // 4:
        return "UTF-16"
    typed = raw.decode("latin-1")  # as a western machine shows it
    read = {
        "windows-1258": unicodedata.normalize("NFC", raw.decode("cp1258", errors="replace")),
        "TCVN3 (ABC, .VnTime)": typed.translate(OF_TCVN3),
        "VNI": _of_vni(typed),
        "windows-1252": typed,
    }
    return max(read, key=lambda name: _fits(read[name]))


def misread(text: str) -> dict[str, str] | None:
    """Which encoding a text was taken for another, and the text as it was meant; nothing when it reads as it should."""
    raw = _western(text)
    if raw is None:
        return None
    try:
        return {"looks_like": "UTF-8", "meant": raw.decode("utf-8")}
    except UnicodeError:
        pass
    if _all_fit(text):
        return None
    for name, meant in (("TCVN3 (ABC, .VnTime)", text.translate(OF_TCVN3)), ("VNI", _of_vni(text))):
        if meant != text and _all_fit(meant):
            return {"looks_like": name, "meant": meant}
    return None


def _western(text: str) -> bytes | None:
    """The bytes that a western machine shows as this text; nothing where it has letters that only Unicode has."""
    try:
        return b"".join(
            letter.encode("latin-1" if ord(letter) <= 0xFF else "cp1252", errors="strict") for letter in text
        )
    except UnicodeError:
        return None


def _of_vni(text: str) -> str:
    def composed(found: re.Match[str]) -> str:
        if not found[2]:
            return found[0].translate(VNI_LETTERS)
        return unicodedata.normalize("NFC", found[1].translate(VNI_LETTERS) + VNI_MARKS[found[2].lower()])

    return VNI_LETTER.sub(composed, text)


def _all_fit(text: str) -> bool:
    return all(map(_is_syllable, _odd_words(text)))


def _fits(text: str) -> int:
    """How many words with other than ASCII letters are Vietnamese, less those that are not."""
    return sum(1 if _is_syllable(word) else -1 for word in _odd_words(text))


def _odd_words(text: str) -> list[str]:
    return [word for word in WORD.findall(text) if not word.isascii()]


def _is_syllable(word: str) -> bool:
    plain = TONES.sub("", unicodedata.normalize("NFD", word.casefold()))
    return SYLLABLE.fullmatch(unicodedata.normalize("NFC", plain)) is not None
