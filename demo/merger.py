"""The merger of 2025 as an example: 133 communes become the 40 of today. The 40 are real, the 133 a sample.

What the earlier ones were called is no matter of this product: each is named after the one that it went into.
"""

from __future__ import annotations

from demo.province import COMMUNES, WARDS

FORMER, ON = 133, "01/07/2025"
UNITS_HEAD = ("code", "name", "parent_code")
ACTS_HEAD = ("action", "unit_code", "target_code", "new_name", "new_parent_code", "effective_on")


def former() -> dict[str, str]:
    """By code of each earlier commune, the code of the one that it went into."""
    today = [*WARDS, *COMMUNES]
    more = FORMER - FORMER // len(today) * len(today)
    counts = [FORMER // len(today) + (place < more) for place in range(len(today))]
    return {
        f"{code}-CU{n + 1}": code for code, count in zip(today, counts, strict=True) for n in range(count)
    }


def units(root: str) -> list[tuple[str, str, str]]:
    """A file of units: the root, the communes of today, and the earlier ones beside them."""
    names = WARDS | COMMUNES
    now = [(code, f"{'Phường' if code in WARDS else 'Xã'} {name}", root) for code, name in names.items()]
    then = [(old, f"Xã cũ {old[-1]} của {names[new]}", root) for old, new in former().items()]
    return [UNITS_HEAD, (root, "Ủy ban nhân dân cấp tỉnh", "-"), *now, *then]


def acts() -> list[tuple[str, ...]]:
    """The file of the reorganisation."""
    return [ACTS_HEAD, *(("merge", old, new, "", "", ON) for old, new in former().items())]
