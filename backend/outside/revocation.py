"""Whether a certificate was taken back: asked of its authority by OCSP, else by CRL (RFC 6960; RFC 5280 §6.3).

Fails closed: an answer that is unknown, stale, replayed or not the authority's is no answer, and only a
responder that cannot be reached lets the CRL speak instead (contract-accounts, 18; security TK02).
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
from datetime import datetime

import httpx2
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate, CertificateRevocationList, ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from backend.outside.certificate_paths import NoPath, check_hash
from backend.outside.http import Guarded, HttpTrouble
from backend.outside.ocsp import SKEW, CannotSay, OutOfReach, Revoked, check_answer

__all__ = ["CannotSay", "Revocation", "Revoked"]

ADDRESSES_MOST = 2  # of one kind in one certificate; within the same seconds
CRL_EXTENSIONS = (x509.AuthorityKeyIdentifier, x509.CRLNumber, x509.IssuingDistributionPoint)
UNREADABLE = (ValueError, TypeError, OverflowError, UnsupportedAlgorithm, x509.DuplicateExtension)


class Revocation:
    """Asks through the guarded client, `timeout` seconds for the responder and as many for the list."""

    def __init__(self, http: Guarded, *, timeout: float) -> None:
        self._http, self._timeout = http, timeout

    async def check(self, chain: list[Certificate], *, now: datetime) -> str:
        """Who answered for the leaf, `ocsp` or `crl`; raises Revoked or CannotSay.

        Authorities between leaf and root are asked after too, where they say where to ask.
        """
        leaf, *above = [
            self._one(certificate, issuer, now)
            for place, (certificate, issuer) in enumerate(itertools.pairwise(chain))
            if place == 0 or _responders(certificate) or _lists(certificate)
        ]
        answers = await asyncio.gather(leaf, *above, return_exceptions=True)
        troubles = [answer for answer in answers if isinstance(answer, BaseException)]
        for trouble in sorted(troubles, key=lambda one: not isinstance(one, Revoked)):
            raise trouble
        return str(answers[0])

    async def _one(self, certificate: Certificate, issuer: Certificate, now: datetime) -> str:
        try:
            if responders := _responders(certificate):
                await self._ask(responders, certificate, issuer, now)
                return "ocsp"
        except OutOfReach:
            if not _lists(certificate):
                raise
        await self._look_up(_lists(certificate), certificate, issuer, now)
        return "crl"

    async def _ask(
        self, responders: list[str], certificate: Certificate, issuer: Certificate, now: datetime
    ) -> None:
        nonce = secrets.token_bytes(32)  # RFC 9654 §2.1
        request = (
            ocsp.OCSPRequestBuilder()
            # RFC 5019 §2.1.1: every responder knows SHA-1 here; it names the certificate and proves nothing
            .add_certificate(certificate, issuer, hashes.SHA1())  # noqa: S303
            .add_extension(x509.OCSPNonce(nonce), critical=False)
            .build()
        )
        body = request.public_bytes(Encoding.DER)
        content = await self._fetch(
            "POST", responders, content=body, headers={"Content-Type": "application/ocsp-request"}
        )
        try:
            answer = ocsp.load_der_ocsp_response(content)
        except UNREADABLE as error:
            raise OutOfReach("ocsp_unreadable") from error
        try:
            check_answer(answer, certificate, issuer, nonce, now)
        except UNREADABLE as error:
            raise CannotSay("ocsp_unreadable") from error

    async def _look_up(
        self, lists: list[str], certificate: Certificate, issuer: Certificate, now: datetime
    ) -> None:
        if not lists:
            raise CannotSay("nowhere_to_ask")
        content = await self._fetch("GET", lists)
        try:
            crl = _read_list(content)
            _check_list(crl, lists, issuer, now)
            listed = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
        except UNREADABLE as error:
            raise CannotSay("crl_unreadable") from error
        if listed is not None:
            raise Revoked

    async def _fetch(self, method: str, urls: list[str], **more: object) -> bytes:
        """The first whole answer within the time; raises OutOfReach."""
        try:
            async with asyncio.timeout(self._timeout):
                for url in urls:
                    try:
                        answer = await self._http.request(method, url, timeout=self._timeout, **more)
                    except (HttpTrouble, httpx2.InvalidURL, httpx2.HTTPError, UnicodeError):
                        continue
                    if answer.status_code == 200 and answer.content:
                        return answer.content
        except TimeoutError as error:
            raise OutOfReach("too_slow") from error
        raise OutOfReach("out_of_reach")


def _read_list(content: bytes) -> CertificateRevocationList:
    """DER, as RFC 5280 §4.2.1.13 wants it, or the PEM that some authorities publish all the same."""
    if content.startswith(b"-----BEGIN"):
        return x509.load_pem_x509_crl(content)
    return x509.load_der_x509_crl(content)


def _check_list(crl: CertificateRevocationList, lists: list[str], issuer: Certificate, now: datetime) -> None:
    """The issuer's own, whole, current list; raises CannotSay."""
    if crl.issuer != issuer.subject or not _may_sign_lists(issuer):
        raise CannotSay("crl_of_another")
    try:
        check_hash(crl.signature_hash_algorithm)
    except NoPath as error:
        raise CannotSay("crl_weak_hash") from error
    if not crl.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]  # the path admits RSA and EC only
        raise CannotSay("crl_signature")
    if crl.next_update_utc is None or not crl.last_update_utc - SKEW <= now <= crl.next_update_utc:
        raise CannotSay("crl_stale")
    for extension in crl.extensions:
        if extension.critical and not isinstance(extension.value, CRL_EXTENSIONS):
            raise CannotSay("crl_partial")  # a delta list, or one that we cannot judge (RFC 5280 §5.2)
        if isinstance(extension.value, x509.IssuingDistributionPoint):
            _check_scope(extension.value, lists)


def _check_scope(scope: x509.IssuingDistributionPoint, lists: list[str]) -> None:
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
    if partial or (named and not set(named) & set(lists)):
        raise CannotSay("crl_partial")


def _may_sign_lists(issuer: Certificate) -> bool:
    try:
        return issuer.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return True


def _responders(certificate: Certificate) -> list[str]:
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return []
    names = [one.access_location for one in access if one.access_method == AuthorityInformationAccessOID.OCSP]
    return _addresses(names)


def _lists(certificate: Certificate) -> list[str]:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return []
    whole = [point for point in points if not point.reasons and not point.crl_issuer]
    return _addresses([name for point in whole for name in point.full_name or []])


def _addresses(names: list[x509.GeneralName]) -> list[str]:
    found = [name.value for name in names if isinstance(name, x509.UniformResourceIdentifier)]
    return [url for url in found if url.lower().startswith(("http://", "https://"))][:ADDRESSES_MOST]
