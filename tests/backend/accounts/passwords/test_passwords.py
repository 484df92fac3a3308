"""Which passwords are refused as common although they have every kind of letter (rule 150)."""

from __future__ import annotations

import pytest
from argon2 import extract_parameters
from argon2.exceptions import VerifyMismatchError

from backend.accounts.passwords import passwords
from backend.branding.brand import shipped
from backend.errors import FieldsInvalid
from tests.conftest import SHIPPED_HASHER


def codes(text: str) -> list[str]:
    try:
        passwords.check(text, shipped())
    except FieldsInvalid as refused:
        return [one.code for one in refused.fields]
    return []


@pytest.mark.parametrize(
    "text",
    ["Passw0rd!", "Password1!", "P@ssw0rd1", "P@55w0rd!", "Passw0rd@2024", "Welcome@1", "Iloveyou@1", "Qwerty@123", "1qaz@WSX", "Zxcvbn@1",
     "Admin@1234", "Summer@2024", "Vietnam@2024", "Matkhau@2024", "Aa1!aaaa", "Aa@12345", "Abcd@1234", "aB3$aB3$aB3$"],
)  # fmt: skip
def test_what_is_among_the_first_guesses_is_too_common(text: str) -> None:
    assert codes(text) == ["too_common"]


@pytest.mark.parametrize(
    "text",
    ["Sông Hương 2026!", "Cầu Trường Tiền 12!", "Tr0ub4dor&3", "Xk9#mP2q", "G7$kLm2p", "correct Horse 7!", "Huong Giang 3#", "v8!Qz7^Lp2", "Đi hết biển thì tới bờ 7!", "Aa1@" + "ế" * 124],
)  # fmt: skip
def test_what_nobody_guesses_soon_is_taken(text: str) -> None:
    assert codes(text) == []


def test_where_no_password_is_kept_the_same_work_is_done_and_none_fits() -> None:
    decoy = passwords.decoy()
    assert extract_parameters(decoy) == extract_parameters(passwords.HASHER.hash("Mật khẩu 1@"))
    assert decoy != passwords.decoy()
    for guess in ("", "nobody has this password", "Mật khẩu 1@"):
        with pytest.raises(VerifyMismatchError):  # and not what is said of something that is no hash
            passwords.HASHER.verify(decoy, guess)


def test_a_strangers_guess_costs_what_owasp_asks_of_argon2id() -> None:
    kept = SHIPPED_HASHER.hash("Mật khẩu 1@")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
