"""Whether an OCSP answer is the authority's, about this certificate, and of now (RFC 6960 §3.2)."""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import Certificate, ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from backend.outside.certificates.certificate_paths import NoPath, check_hash, check_key, check_strength

SKEW = timedelta(seconds=60)
WITHOUT_NEXT = timedelta(minutes=5)  # how long an answer counts that names no end
OLDEST = timedelta(days=7)  # whatever end it names
DELEGATES_MOST = 4


class Revoked(Exception):
    """The authority has taken the certificate back."""


class CannotSay(Exception):
    """Nobody can say at present whether it was taken back; `reason` is one word for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class OutOfReach(CannotSay):
    """There was no answer at all, so that somebody else may be asked."""


def check_answer(
    answer: ocsp.OCSPResponse, certificate: Certificate, issuer: Certificate, nonce: bytes, now: datetime
) -> None:
    """Return when the certificate is good; raises Revoked, CannotSay or OutOfReach (no answer but an excuse)."""
    if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise OutOfReach("ocsp_" + answer.response_status.name.lower())
    _check_signature(answer, issuer, now)
    _check_extensions(answer, nonce)
    about = [one for one in answer.responses if _is_about(one, certificate, issuer)]
    if not about:
        raise CannotSay("ocsp_of_another")
    if any(one.certificate_status is ocsp.OCSPCertStatus.REVOKED for one in about):
        raise Revoked
    if any(one.certificate_status is not ocsp.OCSPCertStatus.GOOD for one in about):
        raise CannotSay("ocsp_unknown")
    if not all(_is_current(one, now) for one in about) or answer.produced_at_utc > now + SKEW:
        raise CannotSay("ocsp_stale")


def _check_signature(answer: ocsp.OCSPResponse, issuer: Certificate, now: datetime) -> None:
    """Signed by the issuer itself or by whom the issuer delegated to (RFC 6960 §4.2.2.2).

    Whether a delegate was revoked is local policy there; ours is to believe it until its certificate ends.
    """
    for signer in (issuer, *answer.certificates[:DELEGATES_MOST]):
        entitled = signer == issuer or _is_delegate(signer, issuer, now)
        if entitled and _is_responder(answer, signer) and _signed_by(answer, signer):
            return
    raise CannotSay("ocsp_signature")


def _is_responder(answer: ocsp.OCSPResponse, signer: Certificate) -> bool:
    if answer.responder_name is not None:
        return answer.responder_name == signer.subject
    return answer.responder_key_hash == _key_hash(signer, hashes.SHA1())  # noqa: S303 - RFC 6960 §4.2.1 says SHA-1


def _is_delegate(signer: Certificate, issuer: Certificate, now: datetime) -> bool:
    try:
        check_strength(signer)
        signer.verify_directly_issued_by(issuer)
        purposes = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (NoPath, InvalidSignature, x509.ExtensionNotFound, ValueError, TypeError):
        return False
    in_time = signer.not_valid_before_utc <= now <= signer.not_valid_after_utc
    return in_time and ExtendedKeyUsageOID.OCSP_SIGNING in purposes


def _signed_by(answer: ocsp.OCSPResponse, signer: Certificate) -> bool:
    key, algorithm = signer.public_key(), answer.signature_hash_algorithm
    try:
        check_key(key)
        check_hash(algorithm)
        assert algorithm is not None
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(answer.signature, answer.tbs_response_bytes, padding.PKCS1v15(), algorithm)
        else:
            assert isinstance(key, ec.EllipticCurvePublicKey)
            key.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(algorithm))
    except (NoPath, InvalidSignature):
        return False
    return True


def _check_extensions(answer: ocsp.OCSPResponse, nonce: bytes) -> None:
    """A nonce may be missing, but another one is an old answer played again (RFC 9654 §2)."""
    for extension in answer.extensions:
        if isinstance(extension.value, x509.OCSPNonce):
            if extension.value.nonce != nonce:
                raise CannotSay("ocsp_replayed")
        elif extension.critical:
            raise CannotSay("ocsp_extension")


def _is_about(one: ocsp.OCSPSingleResponse, certificate: Certificate, issuer: Certificate) -> bool:
    """The answer's own hash counts: responders need not follow the one of the request."""
    if one.serial_number != certificate.serial_number:
        return False
    digest = hashes.Hash(one.hash_algorithm)
    digest.update(issuer.subject.public_bytes())
    return one.issuer_name_hash == digest.finalize() and one.issuer_key_hash == _key_hash(
        issuer, one.hash_algorithm
    )


def _is_current(one: ocsp.OCSPSingleResponse, now: datetime) -> bool:
    until = one.next_update_utc or one.this_update_utc + WITHOUT_NEXT
    return one.this_update_utc <= now + SKEW and now <= min(until, one.this_update_utc + OLDEST)


def _key_hash(certificate: Certificate, algorithm: hashes.HashAlgorithm) -> bytes:
    """The hash of the key's bits alone, without their algorithm (RFC 6960 §4.1.1)."""
    digest = hashes.Hash(algorithm)
    digest.update(_key_bits(certificate))
    return digest.finalize()


def _key_bits(certificate: Certificate) -> bytes:
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
