"""A file that only the holder of a key reads, and of which nothing can be changed, moved or cut unseen (decision 0028).

AES-256-GCM in chunks of one mebibyte. Each chunk's nonce counts up and says whether it is the last, so that a file
that ends early does not open.
"""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"ngomon backup 1\n"
CHUNK, TAG, SALT = 1 << 20, 16, 32


class FileTrouble(Exception):
    """The file or its key is not what it has to be; the text is the line that says so."""


@contextmanager
def told_of(file: Path) -> Iterator[None]:
    """What the machine says of a file is one line: FileTrouble."""
    try:
        yield
    except OSError as error:
        raise FileTrouble(f"{error.filename or file}: {error.strerror or type(error).__name__}") from error


@contextmanager
def appearing(file: Path) -> Iterator[IO[bytes]]:
    """A new file that nobody else reads; it appears, on the disk, when this is over. Raises FileTrouble."""
    part = file.with_name(f".{file.name}.part")
    with told_of(part):
        out = os.fdopen(_owned(part, file), "wb")
    try:
        yield out
        with told_of(part):
            out.flush()
            os.fsync(out.fileno())
        with told_of(file):
            part.replace(file)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    finally:
        with suppress(OSError):  # it has been said
            out.close()


def _owned(part: Path, file: Path) -> int:
    """The part is ours until it is closed, also where a killed run has left one; of two who write one gets it."""
    while True:
        found = os.open(part, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if part.exists() and os.path.samestat(os.fstat(found), part.stat()):
                os.ftruncate(found, 0)
                return found
        except BlockingIOError as error:
            os.close(found)
            raise FileTrouble(f"{file} is being written by somebody else: nothing was written") from error
        os.close(found)  # whoever had it has just finished it


def key_in(file: Path) -> bytes:
    """The key in a key file."""
    try:
        key = base64.b64decode(file.read_text(encoding="ascii").strip(), validate=True)
    except FileNotFoundError as error:
        raise FileTrouble(f"{file}: there is no key file") from error
    except OSError as error:
        raise FileTrouble(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise FileTrouble(f"{file}: no key stands in it (32 bytes in base64)") from error
    if len(key) != 32:
        raise FileTrouble(f"{file}: no key stands in it (32 bytes in base64)")
    return key


def make_key(file: Path) -> None:
    """A new key in a new file that nobody else reads; raises FileTrouble."""
    with told_of(file), os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
        made.write(base64.b64encode(secrets.token_bytes(32)).decode() + "\n")


class SealingWriter:
    """Takes lines, writes sealed chunks; `end` must be called, or the file does not open."""

    def __init__(self, file: IO[bytes], key: bytes) -> None:
        self._file, salt = file, secrets.token_bytes(SALT)
        self._seal = _cipher(key, salt)
        self._zip, self._waiting, self._number = zlib.compressobj(6), bytearray(), 0
        self._write(MAGIC + salt)

    def line(self, line: bytes) -> None:
        """One line, without its end."""
        self._waiting += self._zip.compress(line + b"\n")
        while len(self._waiting) > CHUNK:
            self._chunk(CHUNK, last=False)

    def end(self) -> None:
        """The last chunk, which says that it is the last."""
        self._waiting += self._zip.flush()
        while len(self._waiting) > CHUNK:
            self._chunk(CHUNK, last=False)
        self._chunk(len(self._waiting), last=True)

    def _chunk(self, size: int, *, last: bool) -> None:
        plain = bytes(self._waiting[:size])
        del self._waiting[:size]
        self._write(self._seal.encrypt(_nonce(self._number, last), plain, MAGIC))
        self._number += 1

    def _write(self, part: bytes) -> None:
        """A full disk is the file's trouble and not the database's, which is being read meanwhile."""
        with told_of(Path(str(getattr(self._file, "name", "the backup")))):
            self._file.write(part)


def lines(file: IO[bytes], key: bytes) -> Iterator[bytes]:
    """Every line of a sealed file; raises FileTrouble at the first chunk that is not what was written."""
    if file.read(len(MAGIC)) != MAGIC:
        raise FileTrouble("this is no backup of ours")
    cipher = _cipher(key, file.read(SALT))
    unzip, rest = zlib.decompressobj(), b""
    for plain in _chunks(file, cipher):
        rest += unzip.decompress(plain)
        *whole, rest = rest.split(b"\n")
        yield from whole
    rest += unzip.flush()
    if rest or not unzip.eof:
        raise FileTrouble("the backup ends in the middle of a line")


def _chunks(file: IO[bytes], cipher: AESGCM) -> Iterator[bytes]:
    number, sealed = 0, file.read(CHUNK + TAG)
    while True:
        following = file.read(CHUNK + TAG)
        try:
            yield cipher.decrypt(_nonce(number, not following), sealed, MAGIC)
        except InvalidTag as error:
            where = "the key is another one, or the file was changed" if number == 0 else f"at MiB {number}"
            raise FileTrouble(f"the backup does not open: {where}, or it was cut") from error
        if not following:
            return
        number, sealed = number + 1, following


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=MAGIC).derive(key))


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
