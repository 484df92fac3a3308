"""The colours of a province, and whether people can read what is written in them (WCAG 2.2, 1.4.3 and 1.4.11)."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec


class Colour(msgspec.Struct, frozen=True):
    """One colour for readers in the light and one for those in the dark, as `#rrggbb`."""

    light: str
    dark: str


class Colours(msgspec.Struct, frozen=True):
    """Those that a province chooses; paper, ink, and what good and bad news look like are the same everywhere."""

    accent: Colour
    accent_ink: Colour
    accent_soft: Colour
    top: Colour
    top_ink: Colour
    trim: Colour


PAPER = Colour("#faf6ee", "#17131c")  # as `--paper` of the style sheets
TEXT, SHAPE = 4.5, 3.0
PAIRS = (  # what is seen on what, and how much they have to differ
    ("accent", "paper", TEXT),
    ("accent", "accent_soft", TEXT),
    ("accent_ink", "accent", TEXT),
    ("top_ink", "top", TEXT),
    ("trim", "top", SHAPE),
)


def unreadable(colours: Colours) -> Iterator[str]:
    """The pairs that somebody with tired eyes cannot tell apart, in words."""
    for name, behind, least in PAIRS:
        for scheme in ("light", "dark"):
            below = PAPER if behind == "paper" else getattr(colours, behind)
            found = _contrast(getattr(getattr(colours, name), scheme), getattr(below, scheme))
            if found < least:
                yield f"colours.{name}.{scheme}: its contrast to {behind} is {found:.1f}, at least {least} is needed"


def plain(colours: Colours) -> dict[str, str]:
    """The light ones by name, for a picture, which does not follow the reader."""
    return {name: colour.light for name, colour in msgspec.structs.asdict(colours).items()}


def style(colours: Colours) -> str:
    """The colours as the style sheets of the pages know them."""
    chosen = msgspec.structs.asdict(colours)
    named = {name.replace("_", "-"): colour for name, colour in chosen.items()}
    first = " ".join(f"--{name}: {colour.light};" for name, colour in named.items())
    lines = " ".join(
        f"--{name}: light-dark({colour.light}, {colour.dark});" for name, colour in named.items()
    )
    return f":root {{ {first} }}\n@supports (color: light-dark(red, red)) {{ :root {{ {lines} }} }}\n"


def _contrast(one: str, other: str) -> float:
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
