"""Lists of revoked certificates: read once for many, however long, and never believed for too long (TK01, TK02)."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from backend.limits import Limits
from backend.outside.certificates import crl
from backend.outside.certificates.certificates import CertificateCheckUnavailable, CertificateRefused
from backend.outside.clock import Clock
from backend.outside.http import Guarded
from demo.ca import Mood, StandInCa
from tests.authority import Authority, Key, serving, with_other
from tests.lists import Board, board, written
from tests.parts.processes import eventually

HOUR = timedelta(hours=1)
PATIENT = 20.0  # a busy machine is not what is measured here


@pytest_asyncio.fixture
async def place() -> AsyncIterator[Board]:
    async with board() as one:
        yield one


@pytest_asyncio.fixture
async def authority(place: Board) -> AsyncIterator[Authority]:
    """One whose responder nobody can reach, with an empty list on the board."""
    clock, http = Clock(), Guarded(["127.0.0.1"], reply_bytes=Limits().crl_bytes)
    one = Authority(StandInCa("http://127.0.0.1:1/demo/ca", clock), clock, http)
    one.certificates._revocation._timeout = PATIENT
    place.content = written(one.ca, clock.now())
    yield one
    await one.certificates.close()


def serial_of(certificate: str) -> int:
    return x509.load_pem_x509_certificate(certificate.encode()).serial_number


async def refused(authority: Authority, certificate: str, key: Key) -> str:
    with pytest.raises((CertificateRefused, CertificateCheckUnavailable)) as caught:
        await authority.verify(certificate, key)
    return str(caught.value.reason)  # type: ignore[attr-defined]


async def test_a_good_list_is_read_once_an_hour(authority: Authority, place: Board) -> None:
    certificate, key = authority.leaf(change=place.named)
    another, other_key = authority.leaf(change=place.named)
    assert (await authority.verify(certificate, key)).checked_by == "crl"
    place.content = None
    authority.pass_time(minutes=59)
    assert (await authority.verify(certificate, key)).checked_by == "crl"
    assert (await authority.verify(another, other_key)).checked_by == "crl"
    assert place.asked == 1
    authority.pass_time(minutes=2)
    assert await refused(authority, certificate, key) == "out_of_reach"
    place.content = written(authority.ca, authority.clock.now(), serials=[serial_of(certificate)])
    assert await refused(authority, certificate, key) == "revoked"
    assert place.asked == 3


async def test_tk02_a_kept_list_that_has_ended_is_no_answer(authority: Authority, place: Board) -> None:
    certificate, key = authority.leaf(change=place.named)
    place.content = written(authority.ca, authority.clock.now(), lasts=timedelta(minutes=10))
    await authority.verify(certificate, key)
    authority.pass_time(minutes=9)
    await authority.verify(certificate, key)
    assert place.asked == 1
    authority.pass_time(minutes=2)
    assert await refused(authority, certificate, key) == "crl_stale"
    place.content = None
    assert await refused(authority, certificate, key) == "out_of_reach"


async def test_a_clock_that_was_put_back_makes_no_list_last_longer(
    authority: Authority, place: Board
) -> None:
    certificate, key = authority.leaf(change=place.named)
    place.content = written(authority.ca, authority.clock.now() - 2 * HOUR)
    await authority.verify(certificate, key)
    authority.pass_time(minutes=-2)
    await authority.verify(certificate, key)
    assert place.asked == 2


async def test_tk01_a_kept_list_says_revoked_too(authority: Authority, place: Board) -> None:
    certificate, key = authority.leaf(change=place.named)
    good, good_key = authority.leaf(change=place.named)
    place.content = written(authority.ca, authority.clock.now(), serials=[serial_of(certificate)])
    assert await refused(authority, certificate, key) == "revoked"
    place.content = None
    assert await refused(authority, certificate, key) == "revoked"
    assert (await authority.verify(good, good_key)).checked_by == "crl"
    assert place.asked == 1


def bad_lists(authority: Authority) -> dict[str, bytes]:
    """Lists that are no answer, by the word for the log."""
    ca, now = authority.ca, authority.clock.now()
    other = ec.generate_private_key(ec.SECP256R1())
    delta = (x509.DeltaCRLIndicator(1), True)
    scope = x509.IssuingDistributionPoint(
        full_name=[x509.UniformResourceIdentifier("http://elsewhere.example/crl")],
        relative_name=None,
        only_contains_user_certs=False,
        only_contains_ca_certs=False,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )
    return {
        "crl_signature": written(ca, now, key=other),
        "crl_of_another": written(ca, now, issuer=ca.root.subject),
        "crl_stale": written(ca, now - 2 * HOUR, lasts=HOUR),
        "crl_partial": written(ca, now, extensions=[delta]),
        "crl_partial ": written(ca, now, extensions=[(scope, True)]),
        "crl_unreadable": b"<html>captive portal</html>",
        "crl_unreadable ": b"-----BEGIN",
        "crl_unreadable  ": written(ca, now) + b"\0",
        "crl_unreadable   ": written(ca, now).replace(b"\x02\x01\x01", b"\x02\x01\x41", 1),  # its version
    }


async def test_tk02_a_bad_list_is_never_kept_and_spoils_nothing(authority: Authority, place: Board) -> None:
    certificate, key = authority.leaf(change=place.named)
    for why, content in bad_lists(authority).items():
        place.content, asked = content, place.asked
        for turn in (1, 2):
            assert await refused(authority, certificate, key) == why.strip()
            assert place.asked == asked + turn
    assert not authority.certificates._revocation._lists._kept
    place.content = written(authority.ca, authority.clock.now())
    assert (await authority.verify(certificate, key)).checked_by == "crl"


async def test_many_at_once_share_one_fetch_and_one_who_leaves_takes_it_from_nobody(
    authority: Authority, place: Board
) -> None:
    certificate, key = authority.leaf(change=place.named)
    place.opened.clear()
    asking = [asyncio.create_task(authority.verify(certificate, key)) for _ in range(20)]
    await eventually(lambda: place.asked, what="a reader of the list")
    asking[0].cancel()
    asking[7].cancel()
    place.opened.set()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    gone = [one for one in answers if isinstance(one, asyncio.CancelledError)]
    assert (len(gone), place.asked) == (2, 1)
    assert all(one.checked_by == "crl" for one in answers if not isinstance(one, BaseException))
    assert sum(not isinstance(one, BaseException) for one in answers) == 18


async def test_many_at_once_share_a_failure_and_the_next_one_asks_anew(
    authority: Authority, place: Board
) -> None:
    certificate, key = authority.leaf(change=place.named)
    good, place.content = place.content, None
    place.opened.clear()
    asking = [asyncio.create_task(refused(authority, certificate, key)) for _ in range(20)]
    await eventually(lambda: place.asked, what="a reader of the list")
    place.opened.set()
    assert set(await asyncio.gather(*asking)) == {"out_of_reach"} and place.asked == 1
    place.content = good
    assert (await authority.verify(certificate, key)).checked_by == "crl"


async def test_a_list_is_kept_for_its_address_and_its_issuer_only(authority: Authority, place: Board) -> None:
    certificate, key = authority.leaf(change=place.named)
    await authority.verify(certificate, key)
    stranger = Authority(
        StandInCa("http://127.0.0.1:1/demo/ca", authority.clock), authority.clock, authority.http
    )
    theirs, their_key = stranger.leaf(change=place.named)
    both = authority.trusting(authority.ca.root_pem + stranger.ca.root_pem)
    both._revocation._timeout = PATIENT
    await authority.verify(certificate, key, by=both)
    with pytest.raises(CertificateCheckUnavailable) as caught:
        await stranger.verify(theirs, their_key, by=both)
    assert caught.value.reason == "crl_signature"
    asked = place.asked
    moved, moved_key = authority.leaf(change=lambda one: place.named(one, place.url + "?2"))
    await authority.verify(moved, moved_key, by=both)
    assert place.asked == asked + 1


async def test_no_more_than_32_lists_are_kept_and_the_one_used_longest_ago_goes(
    authority: Authority, place: Board
) -> None:
    leaves = [
        authority.leaf(change=lambda one, turn=turn: place.named(one, f"{place.url}?{turn}"))  # type: ignore[misc]
        for turn in range(33)
    ]
    for certificate, key in leaves[:32]:
        await authority.verify(certificate, key)
    await authority.verify(*leaves[0])
    assert place.asked == 32
    await authority.verify(*leaves[32])
    await authority.verify(*leaves[0])
    assert place.asked == 33
    await authority.verify(*leaves[1])
    assert place.asked == 34


async def test_no_more_than_8_mb_of_lists_are_kept(authority: Authority, place: Board) -> None:
    place.content = written(authority.ca, authority.clock.now(), serials=range(1 << 120, (1 << 120) + 58_000))
    assert 5 << 19 < len(place.content) < Limits().crl_bytes
    for turn in range(4):
        leaf = authority.leaf(change=lambda one, turn=turn: place.named(one, f"{place.url}?{turn}"))  # type: ignore[misc]
        await authority.verify(*leaf)
    kept = authority.certificates._revocation._lists._kept
    assert [key[0][0][-1] for key in kept] == ["1", "2", "3"][-len(kept) :]
    assert sum(one.size for one in kept.values()) <= crl.BYTES_MOST


async def test_a_national_authoritys_list_is_read_whole_and_a_longer_one_is_no_answer(
    authority: Authority, place: Board
) -> None:
    certificate, key = authority.leaf(change=place.named)
    lost, lost_key = authority.leaf(change=place.named)
    many = [*range(1 << 120, (1 << 120) + 60_000), serial_of(lost)]
    place.content = written(authority.ca, authority.clock.now(), serials=many)
    assert 2 << 20 < len(place.content) < Limits().crl_bytes
    assert (await authority.verify(certificate, key)).checked_by == "crl"
    assert await refused(authority, lost, lost_key) == "revoked"
    assert place.asked == 1
    authority.pass_time(hours=2)
    place.content += bytes(Limits().crl_bytes)
    assert await refused(authority, certificate, key) == "out_of_reach"


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Cache-Control: no-store\r\n",
        "cache-control: private, No-Store, max-age=600\r\n",
        "Cache-Control: no-cache, max-age=600\r\n",
        "Cache-Control: max-age=0\r\n",
        "Cache-Control: max-age=-5\r\n",
        "Cache-Control: max-age=600, max-age=5\r\n",
        "Cache-Control: s-maxage=600\r\n",
        "Cache-Control: max-age=600\r\nAge: 600\r\n",  # a cache on the way has had it as long as it may
        "Cache-Control: max-age=600\r\nAge: old\r\n",
        "Expires: Wed, 21 Oct 2099 07:28:00 GMT\r\n",
    ],
)
async def test_an_authority_that_does_not_allow_a_copy_is_asked_each_time(
    authority: Authority, place: Board, said: str
) -> None:
    certificate, key = authority.leaf(change=place.named)
    place.header = said
    await authority.verify(certificate, key)
    await authority.verify(certificate, key)
    assert place.asked == 2


async def test_pem_is_read_and_kept_like_der(authority: Authority, place: Board) -> None:
    certificate, key = authority.leaf(change=place.named)
    der = written(authority.ca, authority.clock.now(), serials=[serial_of(certificate)])
    text = base64.encodebytes(der)
    place.content = b"-----BEGIN X509 CRL-----\r\n" + text + b"-----END X509 CRL-----\r\n"
    assert await refused(authority, certificate, key) == "revoked"
    assert await refused(authority, certificate, key) == "revoked"
    assert place.asked == 1


async def test_the_responder_is_asked_first_whatever_list_is_kept(place: Board) -> None:
    async with serving() as authority:
        place.content = written(authority.ca, authority.clock.now())
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(place.url)], None, None, None)
        certificate, key = authority.leaf(
            change=lambda one: with_other(one, x509.CRLDistributionPoints([point]))
        )
        authority.ca.mood = Mood.NO_OCSP
        assert (await authority.verify(certificate, key)).checked_by == "crl"
        authority.ca.mood = Mood.WELL
        assert (await authority.verify(certificate, key)).checked_by == "ocsp"
        authority.ca.mood = Mood.UNKNOWN
        assert await refused(authority, certificate, key) == "ocsp_unknown"
        authority.ca.mood = Mood.WELL
        authority.ca._kept.revoked[f"{serial_of(certificate):x}"] = authority.clock.now()
        assert await refused(authority, certificate, key) == "revoked"
        await authority.certificates.close()
        assert place.asked == 1
