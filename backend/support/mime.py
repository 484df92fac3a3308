"""Takes a stranger's mail apart (RFC 5322, 2045, 2047); the work grows with the mail's length and nothing else.

The standard library's parser is for mail of friends: parameters and nesting cost it the square of their length,
brackets its stack, and a charset may be any codec. What exceeds a bound here is cut off or passed over.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from email.errors import MessageError
from email.header import decode_header
from email.utils import getaddresses
from html import unescape
from itertools import islice

import msgspec

HEAD_LONGEST, FIELDS_MOST = 64 * 1024, 500
FIELD_LONGEST = 4000  # the rest is cut off: mail servers write longer ones of their own into honest mails
PARTS_MOST, DEEPEST = 50, 6  # a mail of more parts is not a question
ADDRESSES_LONGEST = 10_000  # of all fields together
PAGE_LONGEST = 40_000
BLANK_LINE = re.compile(rb"(?:\A|\r?\n)\r?\n")
NAME = re.compile(rb"[\x21-\x39\x3b-\x7e]{1,80}")
KIND = re.compile(r"\s*([a-z0-9-]{1,40}/[a-z0-9.+-]{1,80})")
PARAMETER = r';[ \t]*{name}[ \t]*=[ \t]*(?:"([^"]{{1,200}})"|([^\s;"]{{1,200}}))'
CHARSETS = re.compile(  # what people write in; other codecs of Python are no charsets, or cost more than their input
    r"utf-?8|utf-?16(?:[bl]e)?|(?:us-)?ascii|iso-?8859-\d{1,2}|latin-?1|(?:windows|cp)-?(?:125\d|874)|koi8-[ru]"
    r"|tis-620|gb2312|gbk|gb18030|big5|euc-(?:jp|kr)|ks_c_5601-1987|iso-2022-(?:jp|kr)|shift[_-]jis"
)
UNSEEN = re.compile(  # tags, remarks and what is not text; each ends with the page at the latest
    r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)|(<(?:br|p|div|tr|li)\b[^>]*(?:>|\Z))|<[a-z/!?][^>]*(?:>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
TROUBLE = (MessageError, ValueError, LookupError, RecursionError)


class Part(msgspec.Struct, frozen=True):
    """A mail, or a part of one: its header fields by their names in small letters, unfolded, and what follows them."""

    fields: dict[str, list[str]]
    body: bytes

    def first(self, name: str) -> str:
        """The first field of that name; empty when there is none."""
        return self.fields.get(name, [""])[0]

    @property
    def kind(self) -> str:
        """The media type; plain text where none is named (RFC 2045 §5.2)."""
        found = KIND.match(self.first("content-type").lower())
        return found[1] if found else "text/plain"

    @property
    def text(self) -> str:
        """The body in clear, whatever encoding and charset it names."""
        coding = self.first("content-transfer-encoding").strip().lower()
        raw = self.body
        if coding == "base64":
            raw = _from_base64(raw)
        elif coding == "quoted-printable":
            raw = binascii.a2b_qp(raw)
        return decoded(raw, self._parameter("charset"))

    @property
    def inside(self) -> list[bytes]:
        """The parts of this part, not yet taken apart themselves."""
        if self.kind == "message/rfc822":
            return [self.body]
        boundary = self._parameter("boundary")
        if not boundary or not self.kind.startswith("multipart/"):
            return []
        line = rb"(?:\A|\r?\n)--" + re.escape(boundary.encode()) + rb"(--)?[ \t]*(?=\r?\n|\Z)"
        return list(islice(_between(re.compile(line), self.body), PARTS_MOST))

    def _parameter(self, name: str) -> str | None:
        found = re.search(PARAMETER.format(name=name), self.first("content-type"), re.IGNORECASE)
        return (found[1] or found[2]) if found else None


def opened(raw: bytes) -> Part:
    """The head and the body of a mail or part; lines that are no header fields are passed over."""
    blank = BLANK_LINE.search(raw)
    head, body = (raw[: blank.start()], raw[blank.end() :]) if blank else (raw, b"")
    lines: list[tuple[str, bytearray]] = []
    for line in head[:HEAD_LONGEST].splitlines():
        name, colon, value = line.partition(b":")
        if line[:1] in (b" ", b"\t"):
            if lines and len(lines[-1][1]) < FIELD_LONGEST:
                lines[-1][1].extend(line)
        elif colon and NAME.fullmatch(name) and len(lines) < FIELDS_MOST:
            lines.append((name.decode("ascii").lower(), bytearray(value)))
    fields: dict[str, list[str]] = {}
    for title, content in lines:
        fields.setdefault(title, []).append(content[:FIELD_LONGEST].decode("utf-8", "replace").strip())
    return Part(fields, body)


def parts(mail: Part) -> Iterator[Part]:
    """The mail and the parts in it as a reader meets them; not too many, and none that lies too deep."""
    waiting = [(mail, 0)]
    for _ in range(PARTS_MOST):
        if not waiting:
            return
        part, depth = waiting.pop()
        yield part
        if depth < DEEPEST:
            waiting += [(opened(raw), depth + 1) for raw in reversed(part.inside)]


def addresses(values: list[str]) -> list[str]:
    """The addresses of header fields, in small letters; a field that nobody can take apart has none."""
    found: list[str] = []
    room = ADDRESSES_LONGEST
    for value in values:
        if len(value) > room:
            continue
        room -= len(value)
        try:
            found += [address.strip().lower() for _, address in getaddresses([value]) if address]
        except TROUBLE:
            continue
    return found


def words(field: str) -> str:
    """A header field in clear, whatever charset its encoded words name (RFC 2047)."""
    try:
        pieces = decode_header(field)
    except TROUBLE:
        return field
    return "".join(piece if isinstance(piece, str) else decoded(piece, charset) for piece, charset in pieces)


def decoded(raw: bytes, charset: str | None) -> str:
    """Bytes as text; what cannot be a letter of the charset is marked as such."""
    name = (charset or "utf-8").strip().lower()
    try:
        return raw.decode(name if CHARSETS.fullmatch(name) else "latin-1", "replace")
    except (LookupError, ValueError):
        return raw.decode("latin-1")


def without_tags(page: str) -> str:
    """The words of a page that nobody will ever show as one."""
    seen = UNSEEN.sub(lambda tag: "\n" if tag[2] else "", page[:PAGE_LONGEST])
    try:
        return unescape(seen)
    except ValueError:  # a number of thousands of digits
        return seen


def _between(line: re.Pattern[bytes], body: bytes) -> Iterator[bytes]:
    """What stands behind each boundary line, up to the next one or the end."""
    start = None
    for found in line.finditer(body):
        if start is not None:
            yield _next_lines(body[start : found.start()])
        if found[1]:
            return
        start = found.end()
    if start is not None:
        yield _next_lines(body[start:])


def _next_lines(rest: bytes) -> bytes:
    return rest[2:] if rest.startswith(b"\r\n") else rest[1:]


def _from_base64(raw: bytes) -> bytes:
    letters = re.sub(rb"[^A-Za-z0-9+/]", b"", raw.partition(b"=")[0])
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]  # six bits alone are no byte
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
