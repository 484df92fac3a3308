"""Whom the machine trusts is read once, and again when it says so anew (rule 704)."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest

from backend.outside.trust import trusted
from tests.parts.tls import own_certificate


def test_the_list_is_read_once_and_again_when_another_is_laid_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, listed = trusted(), own_certificate(tmp_path, "127.0.0.1")
    assert trusted() is first
    monkeypatch.setenv("SSL_CERT_FILE", str(listed))
    mine = trusted()
    assert trusted() is mine
    listed = own_certificate(tmp_path, "127.0.0.2")
    os.utime(listed, ns=(1, 1))
    assert names(trusted()) == ["127.0.0.2"] != names(mine)


def names(context: ssl.SSLContext) -> list[str]:
    """Whom it trusts, by their common names."""
    return [part[0][1] for one in context.get_ca_certs() for part in one["subject"]]
