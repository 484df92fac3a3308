"""A QR code as a picture: ISO/IEC 18004 in bytes at level M, as large as an address needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

BLOCKS = {
    2: (1, 28, 16),
    3: (1, 44, 26),
    4: (2, 32, 18),
    5: (2, 43, 24),
    6: (4, 27, 16),
}  # how many, data, check
FORMAT = 0b101010000010010  # level M with mask 0, sealed as the standard says
Grid = list[list[int | None]]


class TooLong(ValueError):
    """More than the largest of these codes holds."""


class Picture(NamedTuple):
    """The code with its quiet zone, as an SVG path in a square of so many units."""

    size: int
    path: str


def picture(text: str) -> Picture:
    """What a page draws."""
    grid = modules(text)
    dots = (
        f"M{column + 4} {row + 4}h1v1h-1z"
        for row, line in enumerate(grid)
        for column, dot in enumerate(line)
        if dot
    )
    return Picture(len(grid) + 8, "".join(dots))


def modules(text: str) -> list[list[int]]:
    """Its dots, row by row; raises TooLong."""
    content = text.encode()
    version = next((one for one in BLOCKS if len(content) <= BLOCKS[one][0] * BLOCKS[one][1] - 2), None)
    if version is None:
        raise TooLong
    grid = _frame(version)
    bits = _bits(_woven(content, *BLOCKS[version]))
    for row, column in _way(len(grid)):
        if grid[row][column] is None:
            grid[row][column] = next(bits, 0) ^ ((row + column) % 2 == 0)
    return [[int(bool(dot)) for dot in line] for line in grid]


def _frame(version: int) -> Grid:
    """What every code of this size has: three eyes, the clock, the small eye, the format."""
    size = 17 + 4 * version
    grid: Grid = [[None] * size for _ in range(size)]
    for top, left in ((0, 0), (0, size - 7), (size - 7, 0)):
        for row in range(max(0, top - 1), min(size, top + 8)):
            for column in range(max(0, left - 1), min(size, left + 8)):
                ring = max(abs(row - top - 3), abs(column - left - 3))
                grid[row][column] = int(ring in {0, 1, 3})
    for at in range(8, size - 8):
        grid[6][at] = grid[at][6] = int(at % 2 == 0)
    for row in range(size - 9, size - 4):
        for column in range(size - 9, size - 4):
            grid[row][column] = int(max(abs(row - size + 7), abs(column - size + 7)) != 1)
    for nth in range(15):
        bit = FORMAT >> nth & 1
        grid[(nth, nth + 1, nth + size - 15)[(nth > 5) + (nth > 7)]][8] = bit
        grid[8][(size - 1 - nth, 15 - nth, 14 - nth)[(nth > 7) + (nth > 8)]] = bit
    grid[size - 8][8] = 1
    return grid


def _woven(content: bytes, blocks: int, data: int, check: int) -> list[int]:
    """The bytes with their length and end, cut into blocks, each with its check, read across."""
    bits = f"0100{len(content):08b}" + "".join(f"{byte:08b}" for byte in content) + "0000"
    words = [int(bits[at : at + 8].ljust(8, "0"), 2) for at in range(0, len(bits), 8)]
    words += [(0xEC, 0x11)[nth % 2] for nth in range(blocks * data - len(words))]
    parts = [words[nth * data : (nth + 1) * data] for nth in range(blocks)]
    checks = [_check(part, check) for part in parts]
    return [part[at] for at in range(data) for part in parts] + [
        part[at] for at in range(check) for part in checks
    ]


def _check(words: list[int], many: int) -> list[int]:
    """Reed and Solomon's remainder."""
    divisor = [1]
    for nth in range(many):
        divisor = [
            high ^ _times(low, _power(nth)) for high, low in zip([*divisor, 0], [0, *divisor], strict=True)
        ]
    rest = [*words, *[0] * many]
    for at in range(len(words)):
        factor = rest[at]
        for nth, one in enumerate(divisor):
            rest[at + nth] ^= _times(one, factor)
    return rest[len(words) :]


def _power(nth: int) -> int:
    value = 1
    for _ in range(nth):
        value = _times(value, 2)
    return value


def _times(one: int, other: int) -> int:
    """In the field of 256 with the polynomial 0x11D."""
    product = 0
    while other:
        if other & 1:
            product ^= one
        one = one << 1 ^ (0x11D if one & 0x80 else 0)
        other >>= 1
    return product


def _bits(words: list[int]) -> Iterator[int]:
    return (word >> shift & 1 for word in words for shift in range(7, -1, -1))


def _way(size: int) -> Iterator[tuple[int, int]]:
    """Up and down in pairs of columns from the right, past the clock."""
    upward = True
    for right in (*range(size - 1, 6, -2), *range(5, 0, -2)):
        for nth in range(size):
            for column in (right, right - 1):
                yield (size - 1 - nth if upward else nth), column
        upward = not upward
