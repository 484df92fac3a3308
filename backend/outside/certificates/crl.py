"""Lists of revoked certificates: whose and of when they are, and how long a good one is kept (RFC 5280 §5, §6.3).

A national authority's list has megabytes, and without a cache every sign-in would fetch it again.
"""

from __future__ import annotations

import asyncio
import base64
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import httpx2
import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import AsymmetricPadding
from cryptography.x509 import Certificate, CertificateRevocationList

from backend.outside.certificates.certificate_paths import UNREADABLE, NoPath, check_hash
from backend.outside.certificates.ocsp import SKEW, CannotSay

LISTS_MOST = 32
BYTES_MOST = 8 << 20  # of all kept lists; a longer one is used and not kept
LONGEST = 86400  # seconds; the setting is shorter
EXTENSIONS = (x509.AuthorityKeyIdentifier, x509.CRLNumber, x509.IssuingDistributionPoint)
Key = tuple[tuple[str, ...], bytes]


class Kept(msgspec.Struct, frozen=True):
    """What a list says that passed every check: an answer from `since` to `until` by our clock."""

    serials: frozenset[int]
    size: int  # bytes of the list as it came
    since: datetime
    until: datetime

    def holds(self, now: datetime) -> bool:
        """Whether it still is an answer; a clock that was put back makes none."""
        return self.since - SKEW <= now <= self.until


class Lists:
    """Verified lists, by the addresses that a certificate names and by the certificate of its issuer.

    `fetch` gets the first whole answer of some addresses or raises CannotSay. A list is kept for as long as its
    authority's server allows by `max-age`, and for `keep` at most: no revocation goes unnoticed for longer.
    """

    def __init__(self, fetch: Callable[[list[str]], Awaitable[httpx2.Response]], *, keep: timedelta) -> None:
        self._fetch, self._keep = fetch, keep
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._asking: dict[Key, asyncio.Task[Kept]] = {}

    async def revoked(self, urls: list[str], issuer: Certificate, now: datetime) -> frozenset[int]:
        """The serial numbers on the issuer's list; whoever asks at the same time waits for one fetch.

        Raises CannotSay.
        """
        key = (tuple(urls), issuer.fingerprint(hashes.SHA256()))
        kept = self._kept.get(key)
        if kept is None or not kept.holds(now):
            self._kept.pop(key, None)
            kept = await asyncio.shield(self._asked(key, urls, issuer, now))  # others may wait for it too
        else:
            self._kept.move_to_end(key)
        return kept.serials

    async def close(self) -> None:
        """End what is still being fetched."""
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    def _asked(self, key: Key, urls: list[str], issuer: Certificate, now: datetime) -> asyncio.Task[Kept]:
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._ask(key, urls, issuer, now))
            task.add_done_callback(lambda done: self._done(key, done))
        return task

    def _done(self, key: Key, task: asyncio.Task[Kept]) -> None:
        del self._asking[key]
        if not task.cancelled():
            task.exception()  # whoever waited has it; perhaps nobody does any more

    async def _ask(self, key: Key, urls: list[str], issuer: Certificate, now: datetime) -> Kept:
        answer = await self._fetch(urls)
        content = answer.content
        # a long list takes a tenth of a second: others go on meanwhile
        serials, until = await asyncio.to_thread(_read, content, urls, issuer, now)
        kept = Kept(serials, len(content), now, min(until, now + min(self._keep, _allowed(answer))))
        if now < kept.until:
            self._put(key, kept)
        return kept

    def _put(self, key: Key, kept: Kept) -> None:
        """Keep it, and forget those that were used longest ago once there is no room."""
        if kept.size > BYTES_MOST:
            return
        self._kept[key] = kept
        while len(self._kept) > LISTS_MOST or sum(one.size for one in self._kept.values()) > BYTES_MOST:
            self._kept.popitem(last=False)


def _allowed(answer: httpx2.Response) -> timedelta:
    """How long the server lets its answer be kept; not at all unless it says so (RFC 9111 §4.2, §5.2.2)."""
    said = [one.strip() for one in answer.headers.get("Cache-Control", "").lower().split(",")]
    ages = [one.partition("=")[2].strip('"') for one in said if one.startswith("max-age=")]
    if {"no-store", "no-cache"} & {*said} or len(ages) != 1 or not ages[0].isdecimal():
        return timedelta(0)
    old = answer.headers.get("Age", "0")  # seconds that a cache on the way has had it already
    if not old.isdecimal():
        return timedelta(0)
    return timedelta(seconds=max(0, min(int(ages[0]), LONGEST) - min(int(old), LONGEST)))


def _read(
    content: bytes, urls: list[str], issuer: Certificate, now: datetime
) -> tuple[frozenset[int], datetime]:
    """What the list says, and until when; raises CannotSay."""
    try:
        der = _der(content)
        crl = x509.load_der_x509_crl(der)
        until = _check(crl, der, urls, issuer, now)
        return frozenset(one.serial_number for one in crl), until
    except UNREADABLE as error:
        raise CannotSay("crl_unreadable") from error


def _der(content: bytes) -> bytes:
    """DER, as RFC 5280 §4.2.1.13 wants it, or out of the PEM that some authorities publish all the same."""
    if not content.startswith(b"-----BEGIN"):
        return content
    body = content.partition(b"-----")[2].partition(b"-----")[2].partition(b"-----")[0]
    return base64.b64decode(b"".join(body.split()), validate=True)


def _check(
    crl: CertificateRevocationList, der: bytes, urls: list[str], issuer: Certificate, now: datetime
) -> datetime:
    """Until when it is the issuer's own, whole, current list; raises CannotSay."""
    if crl.issuer != issuer.subject or not _may_sign_lists(issuer):
        raise CannotSay("crl_of_another")
    try:
        check_hash(crl.signature_hash_algorithm)
    except NoPath as error:
        raise CannotSay("crl_weak_hash") from error
    if not signed_by(crl, der, issuer):
        raise CannotSay("crl_signature")
    if crl.next_update_utc is None or not crl.last_update_utc - SKEW <= now <= crl.next_update_utc:
        raise CannotSay("crl_stale")
    for extension in crl.extensions:
        if extension.critical and not isinstance(extension.value, EXTENSIONS):
            raise CannotSay("crl_partial")  # a delta list, or one that we cannot judge (RFC 5280 §5.2)
        if isinstance(extension.value, x509.IssuingDistributionPoint):
            _check_scope(extension.value, urls)
    return crl.next_update_utc


def signed_by(crl: CertificateRevocationList, der: bytes, issuer: Certificate) -> bool:
    """Whether the issuer signed these bytes, of which `crl` was read.

    The library's own `is_signature_valid` writes the whole list anew first and lets no other thread run
    meanwhile: 190 ms with 60,000 entries, against 6 for the bytes as they came, which is what was signed.
    """
    whole, _ = _element(der, 0)
    _, end = _element(der, whole)
    key, how, algorithm = (
        issuer.public_key(),
        crl.signature_algorithm_parameters,
        crl.signature_hash_algorithm,
    )
    assert algorithm is not None
    try:
        if isinstance(key, rsa.RSAPublicKey) and isinstance(how, AsymmetricPadding):
            key.verify(crl.signature, der[whole:end], how, algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(how, ec.ECDSA):
            key.verify(crl.signature, der[whole:end], how)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _element(der: bytes, at: int) -> tuple[int, int]:
    """Where the value of a DER element begins and where it ends; the library has read it all before."""
    length, begin = der[at + 1], at + 2
    if length & 0x80:
        begin += length & 0x7F
        length = int.from_bytes(der[at + 2 : begin])
    return begin, begin + length


def _check_scope(scope: x509.IssuingDistributionPoint, urls: list[str]) -> None:
    """A list of some certificates only is good where it says that ours is among them (RFC 5280 §5.2.5)."""
    partial = (
        scope.only_contains_ca_certs
        or scope.only_contains_attribute_certs
        or scope.only_contains_user_certs
        or scope.indirect_crl
        or scope.only_some_reasons
        or scope.relative_name
    )
    named = [str(name.value) for name in scope.full_name or []]
    if partial or (named and not set(named) & set(urls)):
        raise CannotSay("crl_partial")


def _may_sign_lists(issuer: Certificate) -> bool:
    try:
        return issuer.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return True
