"""The parts of a workbook, read from its ZIP file in pieces, each within bounds (ECMA-376; case TW11).

XML that declares anything (a DTD, an entity) is refused, so nothing in it can grow; what is counted is what was read,
whatever the ZIP file promises.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterator
from xml.parsers import expat

from backend.imports.rows import refused

CHUNK = 1 << 16
BYTES_MOST = 200_000_000  # of one part, unpacked
ELEMENTS_MOST = 8_000_000
SMALL = 200_000  # elements of a part that describes others
DENSEST, DENSE_FROM = 200, 2_000_000  # how many times as large as packed; a real sheet comes to about thirty
TOKEN_MOST = 1_000_000  # bytes without the end of a tag: a cell holds 32,767 letters

Attributes = dict[str, str]
Start = Callable[[str, Attributes], None]
End = Callable[[str], None]
Text = Callable[[str], None]


class Unreadable(Exception):
    """The file is no workbook."""


def chunks(packed: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """A part's bytes, as many as may be."""
    try:
        count = unclosed = 0
        with packed.open(name) as part:
            densest = max(DENSE_FROM, packed.getinfo(name).compress_size * DENSEST)
            while chunk := part.read(CHUNK):
                count += len(chunk)
                unclosed = 0 if b">" in chunk else unclosed + len(chunk)
                if count > min(BYTES_MOST, densest) or unclosed > TOKEN_MOST:
                    raise refused("workbook_too_large")
                yield chunk
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Unreadable from error


def parsed(packed: zipfile.ZipFile, name: str, start: Start, end: End, text: Text) -> Iterator[None]:
    """Parse a part; comes back after each piece, so that what was found can be taken away."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    count = 0

    def started(tag: str, attributes: Attributes) -> None:
        nonlocal count
        count += 1
        if count > ELEMENTS_MOST:
            raise refused("workbook_too_large")
        start(tag.rpartition(":")[2], attributes)

    def declared(*_: object) -> None:
        raise Unreadable

    parser.StartElementHandler = started
    parser.EndElementHandler = lambda tag: end(tag.rpartition(":")[2])
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = declared
    parser.EntityDeclHandler = declared
    try:
        for chunk in chunks(packed, name):
            parser.Parse(chunk, False)
            yield
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise Unreadable from error
    yield


def elements(packed: zipfile.ZipFile, name: str) -> list[tuple[str, Attributes]]:
    """Every element of a small part, in order, with names that have lost their prefixes."""
    found: list[tuple[str, Attributes]] = []

    def start(tag: str, attributes: Attributes) -> None:
        found.append((tag, {name.rpartition(":")[2]: said for name, said in attributes.items()}))

    for _ in parsed(packed, name, start, _nothing, _nothing):
        if len(found) > SMALL:
            raise refused("workbook_too_large")
    return found


def target(base: str, relation: str) -> str:
    """The part that a relation of `base` points to."""
    if relation.startswith("/"):
        return relation[1:]
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), relation))


def _nothing(_: str) -> None:
    """Nobody asks for it."""
