"""How Vietnamese names are kept, compared, searched and masked."""

from __future__ import annotations

import unicodedata


def clean_name(text: str) -> str:
    """NFC, single blanks, none at the ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def same_name(one: str, other: str) -> bool:
    """Equal after NFC, case folding and joining of blanks; marks and Đ/D count (contract-accounts, 9)."""
    return clean_name(one).casefold() == clean_name(other).casefold()


def folded(text: str) -> str:
    """Without marks and case, đ as d: what a search compares."""
    decomposed = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return " ".join("".join(mark for mark in decomposed if not unicodedata.combining(mark)).split())


def masked(value: str) -> str:
    """The one mask: first three and last three characters (contract §4; two masks together leak the number)."""
    return value[:3] + "*" * (len(value) - 6) + value[-3:] if len(value) > 6 else "*" * len(value)


def masked_phone(e164: str) -> str:
    """A number as people know it, masked: 082****088."""
    return masked("0" + e164.removeprefix("+84") if e164.startswith("+84") else e164)


def agency_notations(code: str) -> tuple[str, ...]:
    """Every way of writing one agency's code: root first `G22.17`, leaf first `000.00.17.G22` (domain §2.5)."""
    groups = code.split(".")
    root_first = groups if groups[0][:1].isalpha() else [one for one in reversed(groups) if one.strip("0")]
    leaf_first = [root_first[::-1]] if root_first else []
    while leaf_first and len(leaf_first[-1]) < 4:
        filler = "000" if len(leaf_first[-1]) == 3 else "00"
        leaf_first.append([filler, *leaf_first[-1]])
    return tuple(dict.fromkeys([code, ".".join(root_first), *map(".".join, leaf_first)]))
