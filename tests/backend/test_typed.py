"""Which mail addresses are taken, wherever one is typed (RFC 5321)."""

from __future__ import annotations

import pytest

from backend.roles import forms
from backend.support.desks import is_address
from backend.typed import EMAIL, BadText

GOOD = ["a@b.vn", "an.nguyen+thu@so.hue.gov.vn", "x" * 64 + "@hue.vn", "a@" + "b" * 63 + ".vn", "what?@b.vn"]
BAD = ["", "a", "a@b", "@b.vn", "a@.vn", "a@b..vn", ".a@b.vn", "a.@b.vn", "a..b@c.vn", "a b@c.vn", "a@b.vn\n", "a@-b.vn",
       "x" * 65 + "@b.vn", "a@" + "b" * 64 + ".vn", "a@" + "b." * 130 + "vn", "ă@b.vn", "a@b@c.vn"]  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_an_address_that_a_mail_can_go_to_is_taken(text: str) -> None:
    assert EMAIL.fullmatch(text) and forms.email(text) == text
    assert is_address(text) == ("?" not in text), "a question mark begins an encoded word in a header"


@pytest.mark.parametrize("text", BAD)
def test_one_that_no_mail_can_go_to_is_not(text: str) -> None:
    assert not EMAIL.fullmatch(text) and not is_address(text)
    with pytest.raises(BadText):
        forms.email(text)
