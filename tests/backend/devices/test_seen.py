"""A proof counts once, also beside another process and after a restart, and is forgotten when it has run out."""

from __future__ import annotations

import secrets
from pathlib import Path

from backend.devices.seen import KEY, SPAN, SeenProofs

LIFE = 70
NOW = 1_000_000


def proof() -> bytes:
    return secrets.token_bytes(32)


def test_a_proof_counts_once(tmp_path: Path) -> None:
    seen = SeenProofs(tmp_path / "x.proofs", life=LIFE)
    one, other = proof(), proof()
    assert [seen.add(one, NOW), seen.add(other, NOW), seen.add(one, NOW)] == [True, True, False]


def test_a_killed_process_knows_its_proofs_when_it_comes_back(tmp_path: Path) -> None:
    killed = SeenProofs(tmp_path / "x.proofs", life=LIFE)  # never closed, as after kill -9
    used = [(proof(), NOW + number) for number in range(LIFE)]
    assert all(killed.add(*one) for one in used)
    back = SeenProofs(tmp_path / "x.proofs", life=LIFE)
    assert not any(back.add(*one) for one in used)


def test_two_processes_share_what_they_saw(tmp_path: Path) -> None:
    here, there = (SeenProofs(tmp_path / "x.proofs", life=LIFE) for _ in range(2))
    used = [proof() for _ in range(200)]
    for number, one in enumerate(used):
        first, second = (here, there) if number % 3 else (there, here)
        assert first.add(one, NOW)
        assert not second.add(one, NOW)
        assert not first.add(one, NOW)


def test_half_a_record_is_cut_off_and_what_follows_is_kept(tmp_path: Path) -> None:
    file = tmp_path / f"x.proofs-{NOW // SPAN}"
    file.write_bytes(b"half")
    one = proof()
    assert SeenProofs(tmp_path / "x.proofs", life=LIFE).add(one, NOW)
    assert file.read_bytes() == one[:KEY]
    assert not SeenProofs(tmp_path / "x.proofs", life=LIFE).add(one, NOW)


def test_a_proof_is_known_as_long_as_it_lives_and_then_its_file_goes(tmp_path: Path) -> None:
    seen = SeenProofs(tmp_path / "x.proofs", life=LIFE)
    one, until = proof(), NOW + LIFE + 2
    assert seen.add(one, until)
    for second in range(NOW, until):  # whatever times other proofs may name meanwhile
        assert seen.add(proof(), second + 2)
        assert seen.add(proof(), second + LIFE + 2)
        assert not seen.add(one, until)
    for second in range(NOW, NOW + 10 * SPAN):
        assert seen.add(proof(), second)
    assert len(list(tmp_path.iterdir())) <= 3


def test_the_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    seen = SeenProofs(tmp_path / "x.proofs", life=LIFE)
    assert seen.add(proof(), NOW)
    seen.close()
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
