"""Whether a certificate was taken back: asked of its authority by OCSP, else by CRL (RFC 6960; RFC 5280 §6.3).

Fails closed: an answer that is unknown, stale, replayed or not the authority's is no answer, and only a
responder that cannot be reached lets the CRL speak instead (rule 503; case TK02).
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
from datetime import datetime, timedelta

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate, ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from backend.outside.addresses import HttpTrouble
from backend.outside.certificates.certificate_paths import UNREADABLE
from backend.outside.certificates.crl import Lists
from backend.outside.certificates.ocsp import CannotSay, OutOfReach, Revoked, check_answer
from backend.outside.http import Guarded

ADDRESSES_MOST = 2  # of one kind in one certificate; within the same seconds


class Revocation:
    """Asks through the guarded client, `timeout` seconds for the responder and as many for the list.

    A list is asked for again after `keep` seconds at the latest.
    """

    def __init__(self, http: Guarded, *, timeout: float, keep: float) -> None:
        self._http, self._timeout = http, timeout
        self._lists = Lists(lambda urls: self._fetch("GET", urls), keep=timedelta(seconds=keep))

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

    async def close(self) -> None:
        """End what is under way."""
        await self._lists.close()

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
        fetched = await self._fetch(
            "POST", responders, content=body, headers={"Content-Type": "application/ocsp-request"}
        )
        try:
            answer = ocsp.load_der_ocsp_response(fetched.content)
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
        if certificate.serial_number in await self._lists.revoked(lists, issuer, now):
            raise Revoked

    async def _fetch(self, method: str, urls: list[str], **more: object) -> httpx2.Response:
        """The first whole answer within the time; raises OutOfReach."""
        try:
            async with asyncio.timeout(self._timeout):
                for url in urls:
                    try:
                        answer = await self._http.request(method, url, timeout=self._timeout, **more)
                    except (HttpTrouble, httpx2.InvalidURL, httpx2.HTTPError, UnicodeError):
                        continue
                    if answer.status_code == 200 and answer.content:
                        return answer
        except TimeoutError as error:
            raise OutOfReach("too_slow") from error
        raise OutOfReach("out_of_reach")


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
